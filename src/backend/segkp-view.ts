import type { Bytes } from '../core/units.js';

/** How thread stacks and the heap share the kernel's address space, at one moment. Counters of imports only rise. */
export interface SegkpFigures {
  /** Live stacks. */
  readonly threads: number;
  /** Stacks so far, live or not, of a length that quantum caches serve. */
  readonly cachedStacks: number;
  /** Bytes of live stacks with their red zones. */
  readonly stackBytes: Bytes;
  /** Bytes that live heap objects asked for. */
  readonly heapLiveBytes: Bytes;
  /** Bytes of the heap in use by anything but segkp. */
  readonly heapUsedBytes: Bytes;
  readonly heapFreeBytes: Bytes;
  readonly heapLargestFree: Bytes;
  readonly heapFreeSegments: number;
  /** Bytes of segkp's spans: its own, or what it has imported. */
  readonly segkpBytes: Bytes;
  readonly segkpImports: number;
  readonly segkpReleases: number;
  /** The bitmap that tells segkp's pages of the heap from others; 0 where segkp has a segment of its own. */
  readonly bitmapBytes: Bytes;
  /** Bits set in it: pages of live stacks, red zones included. */
  readonly bitmapBits: number;
  /** Slots of the array that finds a stack page's anonymous memory. */
  readonly anonSlots: number;
}

/** The first time that a thread or a heap object was refused. */
export interface SegkpFailure {
  readonly kind: 'thread' | 'heap';
  readonly timeNs: number;
  /** As requested. */
  readonly size: Bytes;
  /** The arena without a source that had nothing left. */
  readonly arena: string;
  /** When it was refused. */
  readonly figures: SegkpFigures;
}

/** Thread stacks beside a heap, of backends that model segkp. */
export interface SegkpView {
  /** In the order of time: at most one of each kind. */
  readonly failures: readonly SegkpFailure[];
  figures(): SegkpFigures;
}
