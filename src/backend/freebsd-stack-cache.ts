import { PAGE_BYTES } from '../arena/freebsd-kstack/abi.js';
import type { KernelStacks } from '../arena/freebsd-kstack/kernel-stacks.js';
import { StackState } from '../arena/freebsd-kstack/stack-table.js';
import type { CacheFigures } from '../arena/view.js';
import type { Bytes } from '../core/units.js';

/** The zone kstack_cache as probes see it. It has no slabs: each stack of default size counts as one. */
export class StackCacheView implements CacheFigures {
  readonly name = 'kstack_cache';
  readonly kind = 'object';
  readonly magazines = 0;

  constructor(
    private readonly kernel: KernelStacks,
    readonly arena: string,
  ) {}

  /** Guard pages included. */
  get bufferBytes(): Bytes {
    const { stackPages, guardPages } = this.kernel.form;
    return (stackPages + guardPages) * PAGE_BYTES;
  }

  get slabBytes(): Bytes {
    return this.bufferBytes;
  }

  get slabs(): number {
    const { stacks, form } = this.kernel;
    let count = 0;
    for (let stack = 0; stack < stacks.rows; stack++) {
      if (stacks.state[stack] !== StackState.none && stacks.pages[stack] === form.stackPages) count++;
    }
    return count;
  }

  get buffers(): number {
    return this.slabs;
  }

  get buffersInUse(): number {
    return this.slabs;
  }

  get buffersInMagazines(): number {
    return this.kernel.cache.cachedItems;
  }

  get allocs(): number {
    return this.kernel.counters.creates;
  }

  get magazineHits(): number {
    return this.kernel.counters.cacheHits;
  }

  get frees(): number {
    const { creates, built, destroyed } = this.kernel.counters;
    return creates - (built - destroyed) + this.kernel.cache.cachedItems;
  }
}
