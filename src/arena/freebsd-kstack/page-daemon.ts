import { NO_FRAME, type PageFrames, Queue } from './page-frames.js';
import { PageQueues } from './page-queues.js';
import type { PhysicalMemory } from './physical-memory.js';
import type { StackTable } from './stack-table.js';
import { SwapSpace } from './swap-space.js';

/** Most pages of a swap write (vm_pageout_page_count), on machines with few pages and on others. */
const CLUSTER_PAGES = 32;
const SMALL_CLUSTER_PAGES = 8;
const SMALL_MACHINE_PAGES = 2000;

/**
 * Writes dirty pages to swap in clusters and frees clean ones. Mirrors vm_pageout_cluster and vm_pageout_flush,
 * vm_pageout.c [freebsd@f13fa9df05]; the scans of the queues take pages in order of arrival.
 */
export class PageDaemon {
  readonly queues: PageQueues;
  readonly swap = new SwapSpace();
  /** Swap writes by their number of pages. */
  readonly writesOfPages = new Float64Array(CLUSTER_PAGES + 1);
  /** Swap writes, and the pages of all of them. */
  writes = 0;
  pagesWritten = 0;
  private readonly memory: PhysicalMemory;
  private readonly frames: PageFrames;
  private readonly clusterPages: number;
  /** Ends of the cluster under way, lowest and highest index. */
  private lowest = NO_FRAME;
  private highest = NO_FRAME;

  constructor(memory: PhysicalMemory, stacks: StackTable) {
    this.memory = memory;
    this.frames = memory.frames;
    this.queues = new PageQueues({ frames: memory.frames, objects: memory.objects, stacks });
    this.clusterPages = memory.frames.count < SMALL_MACHINE_PAGES ? SMALL_CLUSTER_PAGES : CLUSTER_PAGES;
  }

  /** Writes the pages around the one that has been in the laundry longest; returns how many, 0 for an empty laundry. */
  launderCluster(): number {
    const frame = this.queues.takeDirty();
    if (frame === NO_FRAME) return 0;
    const pages = this.gather(frame);
    this.writes++;
    this.pagesWritten += pages;
    this.writesOfPages[pages]!++;
    const { frames, queues, swap } = this;
    for (let at = this.lowest, left = pages; left > 0; at = frames.objectNext[at]!, left--) {
      swap.write(frames.object[at]!, frames.pindex[at]!);
      queues.clean(at);
    }
    return pages;
  }

  /** Frees up to `wanted` clean pages, those first that were written first; returns how many. */
  reclaim(wanted: number): number {
    let freed = 0;
    for (; freed < wanted; freed++) {
      const frame = this.queues.takeClean();
      if (frame === NO_FRAME) break;
      this.queues.leave(frame);
      this.memory.objects.remove(frame);
      this.memory.free(frame);
    }
    return freed;
  }

  /**
   * Finds the ends of the cluster around a page: down to an aligned index, then up, then further down; at most
   * `clusterPages` pages. Returns how many.
   */
  private gather(frame: number): number {
    this.lowest = frame;
    this.highest = frame;
    let pages = 1;
    let goesDown = true;
    while (goesDown && pages < this.clusterPages) {
      do goesDown = this.extendDown();
      while (
        goesDown &&
        ++pages < this.clusterPages &&
        this.frames.pindex[this.lowest]! % this.clusterPages !== 0
      );
      while (pages < this.clusterPages && this.extendUp()) pages++;
    }
    return pages;
  }

  private extendDown(): boolean {
    const { frames, lowest } = this;
    const before = frames.objectPrevious[lowest]!;
    if (!this.isDirtyNeighbour(before, frames.pindex[lowest]! - 1)) return false;
    this.lowest = before;
    return true;
  }

  private extendUp(): boolean {
    const { frames, highest } = this;
    const after = frames.objectNext[highest]!;
    if (!this.isDirtyNeighbour(after, frames.pindex[highest]! + 1)) return false;
    this.highest = after;
    return true;
  }

  private isDirtyNeighbour(frame: number, pindex: number): boolean {
    const { frames } = this;
    if (frame === NO_FRAME || frames.pindex[frame] !== pindex) return false;
    return frames.queue[frame] === Queue.laundry;
  }
}
