import { type ArenaView, TagType } from '../../arena/view.js';
import type { Address } from '../../core/address.js';
import type { Bytes } from '../../core/units.js';
import { type AddressRows, MOST_ROWS } from './address-rows.js';

/**
 * Bytes of each row of a map that are allocated in the innermost arena (`held`), and free in it. What an arena imports
 * is allocated in its source as well, so imported spans are taken off again.
 */
export class ArenaBytes {
  readonly held = new Float64Array(MOST_ROWS);
  readonly free = new Float64Array(MOST_ROWS);
  /** Tags that the last look went past. */
  tags = 0;
  private readonly ascending: number[] = [];
  private readonly hasSource: readonly boolean[];

  constructor(
    private readonly arenas: readonly ArenaView[],
    private readonly rows: AddressRows,
  ) {
    this.hasSource = arenas.map(({ source }) => arenas.some(({ name }) => name === source));
  }

  /** Looks at all segments of all arenas: O(tags). */
  look(): void {
    const { rows, ascending } = this;
    this.held.fill(0);
    this.free.fill(0);
    this.tags = 0;
    ascending.length = 0;
    for (let row = 0; row < rows.count; row++) ascending.push(row);
    ascending.sort((a, b) => rows.start[a]! - rows.start[b]!);
    for (const [index, arena] of this.arenas.entries()) {
      const isImporting = this.hasSource[index]!;
      arena.walk((type, start, size) => {
        this.tags++;
        if (type === TagType.free) this.spread(this.free, start, size, 1);
        else if (type === TagType.alloc) this.spread(this.held, start, size, 1);
        else if (isImporting) this.spread(this.held, start, size, -1);
      });
    }
  }

  /** Distributes a segment over the rows that there are: it may be much larger than what was ever used of it. */
  private spread(bytes: Float64Array, start: Address, size: Bytes, sign: number): void {
    const { rows, ascending } = this;
    const end = start + size;
    for (let at = this.firstEndingAfter(start); at < ascending.length; at++) {
      const row = ascending[at]!;
      const from = rows.start[row]!;
      if (from >= end) return;
      const to = Math.min(end, from + rows.granuleOf(row));
      bytes[row]! += sign * (to - Math.max(start, from));
    }
  }

  private firstEndingAfter(address: Address): number {
    const { rows, ascending } = this;
    let low = 0;
    let high = ascending.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const row = ascending[middle]!;
      if (rows.start[row]! + rows.granuleOf(row) > address) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
