import { MOST_ROWS } from './address-rows.js';
import { KIND_BITS } from './map-kind.js';

const TILE_KINDS = MOST_ROWS << KIND_BITS;

/** Changes that are kept at most; when there are more, two neighbouring columns become one. */
const MOST_CHANGES = 3 * 2 ** 16;

/**
 * The tiles of a map over time: for each column, which tiles' bytes changed and by how much. Sums of changes are exact,
 * so that columns and rows can be joined at any time. All arrays are made at the start.
 */
export class TileHistory {
  length = 0;
  readonly column = new Uint16Array(MOST_CHANGES + TILE_KINDS);
  /** Row × 16 + kind, see KIND_BITS. */
  readonly tile = new Uint16Array(MOST_CHANGES + TILE_KINDS);
  readonly change = new Float64Array(MOST_CHANGES + TILE_KINDS);
  /** Changes in the column that has not ended, by tile. */
  readonly pending = new Float64Array(TILE_KINDS);
  /** While changes are joined: where in the output each tile of the column at hand is. */
  private readonly place = new Int32Array(TILE_KINDS);

  /** Whether another column may bring more changes than there is room for. */
  get isFull(): boolean {
    return this.length > MOST_CHANGES;
  }

  /** Ends a column: what is pending becomes its changes. */
  endColumn(column: number): void {
    const { pending } = this;
    for (let tile = 0; tile < TILE_KINDS; tile++) {
      const change = pending[tile]!;
      if (change === 0) continue;
      this.column[this.length] = column;
      this.tile[this.length] = tile;
      this.change[this.length++] = change;
      pending[tile] = 0;
    }
  }

  /** Columns 2c and 2c + 1 become column c. */
  joinColumns(): void {
    const { column } = this;
    for (let index = 0; index < this.length; index++) column[index] = column[index]! >> 1;
    this.join();
  }

  /** Row r becomes row `rows[r]`. */
  joinRows(rows: Int32Array): void {
    const mask = (1 << KIND_BITS) - 1;
    const { tile } = this;
    const renumber = (old: number): number => (rows[old >> KIND_BITS]! << KIND_BITS) | (old & mask);
    for (let index = 0; index < this.length; index++) tile[index] = renumber(tile[index]!);
    this.join();
    const pending = this.pending.slice();
    this.pending.fill(0);
    for (let old = 0; old < TILE_KINDS; old++) {
      if (pending[old] !== 0) this.pending[renumber(old)]! += pending[old]!;
    }
  }

  /** Adds up changes of the same tile in the same column, in place, and drops those that cancel out. */
  private join(): void {
    let out = 0;
    for (let from = 0; from < this.length; ) {
      const column = this.column[from]!;
      let to = from;
      while (to < this.length && this.column[to] === column) to++;
      out = this.joinColumn(from, to, out);
      from = to;
    }
    this.length = out;
  }

  private joinColumn(from: number, to: number, first: number): number {
    const { tile, change, place } = this;
    const column = this.column[from]!;
    let out = first;
    for (let index = from; index < to; index++) {
      const at = place[tile[index]!]! - 1;
      // A place from an earlier column lies before this one's first, or holds another tile by now.
      if (at >= first && at < out && tile[at] === tile[index]) change[at]! += change[index]!;
      else {
        this.column[out] = column;
        tile[out] = tile[index]!;
        change[out] = change[index]!;
        place[tile[out]!] = ++out;
      }
    }
    for (let index = first; index < out; index++) place[tile[index]!] = 0;
    let kept = first;
    for (let index = first; index < out; index++) {
      if (change[index] === 0) continue;
      this.column[kept] = column;
      tile[kept] = tile[index]!;
      change[kept++] = change[index]!;
    }
    return kept;
  }
}
