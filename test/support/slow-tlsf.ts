import { type Address, NO_ADDRESS } from '../../src/core/address.js';
import type { Constraint } from '../../src/core/request.js';
import { meets } from './slow-map.js';

interface Segment {
  readonly start: number;
  readonly length: number;
}

/**
 * The slow reference of two-level segregated fit, in cells: the free segments in one array, last freed first, and the
 * classes of sizes as a table of their lower bounds.
 */
export class SlowTlsf {
  private readonly bounds: number[] = [];
  /** Free segments, the latest first. */
  private segments: Segment[];
  private readonly owners: number[];
  private allocations = 0;

  constructor(
    private readonly base: Address,
    quanta: number,
    private readonly quantum: number,
    lists: number,
  ) {
    for (let bound = 0; bound < lists; bound++) this.bounds.push(bound);
    for (let power = lists; power <= 2 * quanta; power *= 2) {
      for (let list = 0; list < lists; list++) this.bounds.push(power + (list * power) / lists);
    }
    this.segments = [{ start: 0, length: quanta }];
    this.owners = Array<number>(quanta).fill(0);
  }

  alloc(size: number, constraint: Constraint | null): Address {
    const length = size / this.quantum;
    const isBound = constraint !== null;
    const first = isBound ? this.classOf(length) : this.bounds.findIndex((bound) => bound >= length);
    const ordered = this.segments
      .filter((segment) => this.classOf(segment.length) >= first)
      .sort((one, other) => this.classOf(one.length) - this.classOf(other.length));
    for (const segment of ordered) {
      for (let cell = segment.start; cell + length <= segment.start + segment.length; cell++) {
        const address = this.base + cell * this.quantum;
        if (!meets(address, size, constraint ?? {})) continue;
        this.take(segment, cell, length);
        return address;
      }
    }
    return NO_ADDRESS;
  }

  free(address: Address, size: number): void {
    let start = (address - this.base) / this.quantum;
    let end = start + size / this.quantum;
    this.owners.fill(0, start, end);
    while (this.owners[start - 1] === 0) start--;
    while (this.owners[end] === 0) end++;
    this.segments = this.segments.filter((segment) => segment.start < start || segment.start >= end);
    this.segments.unshift({ start, length: end - start });
  }

  draw(): string {
    let letters = 0;
    const drawn = this.owners.map((owner, cell) => {
      if (owner === 0) return '.';
      if (owner !== this.owners[cell - 1]) letters++;
      return String.fromCharCode(97 + ((letters - 1) % 26));
    });
    return `[${drawn.join('')}]`;
  }

  private classOf(length: number): number {
    return this.bounds.filter((bound) => bound <= length).length - 1;
  }

  private take(segment: Segment, cell: number, length: number): void {
    const end = segment.start + segment.length;
    this.segments.splice(this.segments.indexOf(segment), 1);
    if (cell > segment.start) this.segments.unshift({ start: segment.start, length: cell - segment.start });
    if (end > cell + length) this.segments.unshift({ start: cell + length, length: end - cell - length });
    this.owners.fill(++this.allocations, cell, cell + length);
  }
}
