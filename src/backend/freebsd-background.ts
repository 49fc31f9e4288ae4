import { NO_FRAME, Owner } from '../arena/freebsd-kstack/page-frames.js';
import type { PhysicalMemory } from '../arena/freebsd-kstack/physical-memory.js';
import { RandomStream } from '../core/random.js';

/** Every second page is a file's, the others are anonymous. */
const OWNERS = [Owner.vnode, Owner.anonymous] as const;

/** Seed of the pages that are replaced: the same for every backend and run. */
const SEED = 1;

/**
 * Pages of files and of anonymous memory that come and go while threads do, so that page frames of stacks are not the
 * only ones taken. Their number stays the same while there is memory for them.
 */
export class BackgroundLoad {
  private readonly frames: Int32Array;
  private readonly stream = new RandomStream(SEED, 'freebsd-kstack/background');

  /** Takes all pages at once; at each call of `replace`, `rate` of them are given back and taken anew. */
  constructor(
    private readonly memory: PhysicalMemory,
    pages: number,
    private readonly rate: number,
  ) {
    this.frames = new Int32Array(pages);
    for (let page = 0; page < pages; page++) this.take(page);
  }

  replace(): void {
    const { frames, memory } = this;
    if (frames.length === 0) return;
    for (let count = 0; count < this.rate; count++) {
      const page = this.stream.below(frames.length);
      if (frames[page] !== NO_FRAME) memory.free(frames[page]!);
      this.take(page);
    }
  }

  private take(page: number): void {
    this.frames[page] = this.memory.allocateBackground(OWNERS[page & 1]!);
  }
}
