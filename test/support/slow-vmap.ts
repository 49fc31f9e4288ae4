/** A page that is free, or what has it. */
interface Area {
  readonly page: number;
  readonly pages: number;
  /** Node of the CPU that asked, -1 for none. */
  readonly node: number;
}

const POOLED = 256;

/**
 * Linux's vmap without trees: a free flag for every page of a main range whose last page is never given out, lists that are
 * sorted and searched from end to end. For alignments up to a page only, where the answer is the lowest fit.
 */
export class SlowVmap {
  private readonly isFree: boolean[];
  private readonly busy = new Map<number, Area>();
  private readonly lazy: Area[][];
  /** By node and pages, the next to be taken first. */
  private readonly pools: Area[][][];

  constructor(
    pages: number,
    private readonly nodes: number,
  ) {
    this.isFree = Array.from({ length: pages - 1 }, () => true);
    this.lazy = Array.from({ length: nodes }, () => []);
    this.pools = Array.from({ length: nodes }, () => Array.from({ length: POOLED + 1 }, () => []));
  }

  /** Page of the answer in the window [from, to), or -1. Only the main range has pools. */
  alloc(pages: number, cpu: number, window?: readonly [number, number]): number {
    const node = window === undefined && this.nodes > 1 ? cpu % this.nodes : -1;
    const pooled = node < 0 || pages > POOLED ? undefined : this.pools[node]![pages]!.shift();
    const [from, to] = window ?? [0, this.isFree.length];
    let page = pooled?.page ?? this.lowestFit(pages, from, to);
    if (page < 0) {
      this.purge(true);
      page = this.lowestFit(pages, from, to);
    }
    if (page < 0) return -1;
    this.mark({ page, pages, node }, false);
    this.busy.set(page, { page, pages, node });
    return page;
  }

  free(page: number): void {
    const area = this.busy.get(page)!;
    this.busy.delete(page);
    this.lazy[area.node < 0 ? Math.floor(page / 16) % this.nodes : area.node]!.push(area);
  }

  purge(isFull: boolean): number {
    this.decay(isFull);
    let purged = 0;
    for (const [node, waiting] of this.lazy.entries()) {
      purged += waiting.length;
      waiting.sort((one, other) => one.page - other.page);
      for (const area of waiting) {
        if (area.node >= 0 && area.pages <= POOLED && !isFull) this.pools[node]![area.pages]!.unshift(area);
        else this.mark(area, true);
      }
      waiting.length = 0;
    }
    return purged;
  }

  decay(isFull: boolean): void {
    for (const pool of this.pools.flat()) {
      const quarter = Math.floor(pool.length / 4);
      for (const area of pool.splice(0, isFull || quarter === 0 ? pool.length : quarter))
        this.mark(area, true);
    }
  }

  /** Lengths of the runs of free pages, from the lowest up; the last one has the page that is never given out. */
  get freeRuns(): number[] {
    const text = `${this.isFree.map((free) => (free ? '.' : '#')).join('')}.`;
    return [...text.matchAll(/\.+/g)].map(([run]) => run.length);
  }

  private lowestFit(pages: number, from: number, to: number): number {
    for (let page = from; page + pages <= to; page++) {
      if (this.isFree.slice(page, page + pages).every((free) => free)) return page;
    }
    return -1;
  }

  private mark({ page, pages }: Area, isFree: boolean): void {
    this.isFree.fill(isFree, page, page + pages);
  }
}
