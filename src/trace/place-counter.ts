import type { Bytes, Nanoseconds } from '../core/units.js';

/** Who allocated, and how long objects of each size lived; everything is exact. */
export interface PlaceFigures {
  /** Allocations by CPU. */
  readonly allocsByCpu: readonly number[];
  /** Call site and number of allocations, most frequent first; those without a site are left out. */
  readonly topSites: readonly (readonly [string, number])[];
  readonly lifeBySize: readonly SizeLives[];
}

/** Objects of a size from 2^n to below 2^(n+1) bytes, by how long they lived. */
export interface SizeLives {
  /** 2^n. */
  readonly bytes: number;
  /** Objects by lifetime: below each of LIFE_LIMITS_US, then longer. */
  readonly lives: readonly number[];
  /** Objects whose end is not in the trace. */
  readonly noEnd: number;
}

/** Microseconds that bound the lifetimes of SizeLives. */
export const LIFE_LIMITS_US = [10, 100, 1e3, 1e4, 1e5, 1e6, 1e7] as const;

const TOP_SITES = 10;
/** Lifetimes of a size class, then its allocations. */
const CELLS = LIFE_LIMITS_US.length + 2;
const ALLOCATIONS = CELLS - 1;
/** Exponents of sizes: 2^53 is the greatest. */
const SIZE_CLASSES = 54;

/** Where the objects of a kind come from, and how long those of each size live. */
export class PlaceCounter {
  private readonly byCpu: number[] = [];
  private bySite = new Float64Array(1024);
  /** A row of CELLS for each exponent of a size. */
  private readonly bySize = new Float64Array(SIZE_CLASSES * CELLS);
  private lastCell = 0;

  alloc(size: Bytes, cpu: number, site: number): void {
    while (this.byCpu.length <= cpu) this.byCpu.push(0);
    this.byCpu[cpu]!++;
    const at = exponentOf(size) * CELLS + ALLOCATIONS;
    this.bySize[at] = this.bySize[at]! + 1;
    if (site < 0) return;
    if (site >= this.bySite.length) this.growTo(site);
    this.bySite[site] = this.bySite[site]! + 1;
  }

  free(size: Bytes, lifeNs: Nanoseconds): void {
    let limit = 0;
    while (limit < LIFE_LIMITS_US.length && lifeNs >= LIFE_LIMITS_US[limit]! * 1000) limit++;
    this.lastCell = exponentOf(size) * CELLS + limit;
    this.bySize[this.lastCell] = this.bySize[this.lastCell]! + 1;
  }

  /** The lifetime that the last free gave is none. */
  forgetLife(): void {
    this.bySize[this.lastCell] = this.bySize[this.lastCell]! - 1;
  }

  figures(sites: readonly string[]): PlaceFigures {
    const counted = [...this.bySite.subarray(0, sites.length)].map((count, site): [string, number] => [
      sites[site]!,
      count,
    ]);
    const used = counted.filter(([, count]) => count > 0).sort(([, a], [, b]) => b - a);
    return {
      allocsByCpu: this.byCpu,
      topSites: used.slice(0, TOP_SITES),
      lifeBySize: Array.from({ length: SIZE_CLASSES }, (_, exponent) => this.sizeLives(exponent)).filter(
        ({ lives, noEnd }) => noEnd > 0 || lives.some((count) => count > 0),
      ),
    };
  }

  private sizeLives(exponent: number): SizeLives {
    const row = this.bySize.subarray(exponent * CELLS, (exponent + 1) * CELLS);
    const lives = [...row.subarray(0, ALLOCATIONS)];
    const ended = lives.reduce((sum, count) => sum + count, 0);
    return { bytes: 2 ** exponent, lives, noEnd: row[ALLOCATIONS]! - ended };
  }

  private growTo(site: number): void {
    const larger = new Float64Array(Math.max(site + 1, this.bySite.length * 2));
    larger.set(this.bySite);
    this.bySite = larger;
  }
}

function exponentOf(size: Bytes): number {
  return size < 2 ** 31 ? 31 - Math.clz32(size) : Math.floor(Math.log2(size));
}
