/** No page frame. */
export const NO_FRAME = -1;

/** No VM object; an unmanaged or free page has none. */
export const NO_OBJECT = -1;

/** What a page frame is used for. */
export const Owner = { none: 0, kernelStack: 1, vnode: 2, anonymous: 3 } as const;
export const OWNER_NAMES = ['-', 'kernel-stack', 'vnode', 'anonymous'] as const;

/** The page queue that a page is on; a wired page is on none. */
export const Queue = { none: 0, laundry: 1, inactive: 2 } as const;

/**
 * The page frames of the simulated memory, a row each: struct vm_page as columns. Frame 0 begins a 16 MiB boundary.
 * `objectNext` and `objectPrevious` link the resident pages of an object by index.
 */
export class PageFrames {
  readonly count: number;
  readonly owner: Uint8Array;
  readonly object: Int32Array;
  readonly pindex: Int32Array;
  readonly objectNext: Int32Array;
  readonly objectPrevious: Int32Array;
  readonly queue: Uint8Array;
  /** Stack that a page of a VM object belongs to. */
  readonly stack: Int32Array;
  /** 1 for a page that came from a per-CPU page cache and returns there (PG_PCPU_CACHE). */
  readonly isFromCache: Uint8Array;

  constructor(count: number) {
    this.count = count;
    this.owner = new Uint8Array(count);
    this.object = new Int32Array(count).fill(NO_OBJECT);
    this.pindex = new Int32Array(count);
    this.objectNext = new Int32Array(count);
    this.objectPrevious = new Int32Array(count);
    this.queue = new Uint8Array(count);
    this.stack = new Int32Array(count);
    this.isFromCache = new Uint8Array(count);
  }
}
