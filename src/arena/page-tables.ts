import type { Address } from '../core/address.js';
import { type Bytes, GIB, MIB } from '../core/units.js';

/** Page sizes of amd64, the smallest first. */
export const PAGE_SIZES = [4096, 2 * MIB, GIB] as const;

/** What one page table of each level maps: pages of 4 KiB, of 2 MiB or tables of the first level, and so on. */
const TABLE_REACH = [2 * MIB, GIB, 512 * GIB] as const;

/**
 * How many page tables the mappings of live ranges need on amd64, by level; the top-level table, which is always there, is
 * not counted. A range that is mapped with pages of 2 MiB needs no table of the first level, with pages of 1 GiB none
 * of the second. Ranges at whose edges two share a table count it once: tables at edges have counts of users, those in
 * the middle of a range belong to it alone, so that a range of any length costs the same.
 */
export class PageTables {
  /** Tables needed now, by level. */
  readonly tables = new Float64Array(TABLE_REACH.length);
  private readonly first: readonly number[];
  /** Users of each table by level; at most one for each page of 4 KiB, or small table, that it maps. */
  private readonly users: readonly Uint32Array[];

  /** For ranges within [base, base + size). */
  constructor(base: Address, size: Bytes) {
    this.first = TABLE_REACH.map((reach) => Math.floor(base / reach));
    this.users = TABLE_REACH.map((reach, level) => {
      return new Uint32Array(Math.floor((base + size - 1) / reach) - this.first[level]! + 1);
    });
  }

  /** Tables of all levels. */
  get total(): number {
    return this.tables[0]! + this.tables[1]! + this.tables[2]!;
  }

  /** A range is mapped with pages of PAGE_SIZES[pageIndex]. */
  map(address: Address, size: Bytes, pageIndex: number): void {
    for (let level = pageIndex; level < TABLE_REACH.length; level++) this.change(level, address, size, 1);
  }

  /** The same range is unmapped. */
  unmap(address: Address, size: Bytes, pageIndex: number): void {
    for (let level = pageIndex; level < TABLE_REACH.length; level++) this.change(level, address, size, -1);
  }

  private change(level: number, address: Address, size: Bytes, step: 1 | -1): void {
    const reach = TABLE_REACH[level]!;
    const first = Math.floor(address / reach) - this.first[level]!;
    const last = Math.floor((address + size - 1) / reach) - this.first[level]!;
    this.use(level, first, step);
    if (last === first) return;
    this.use(level, last, step);
    this.tables[level]! += step * (last - first - 1);
  }

  private use(level: number, table: number, step: 1 | -1): void {
    const users = this.users[level]!;
    const before = users[table]!;
    users[table] = before + step;
    if (before === 0 || before + step === 0) this.tables[level]! += step;
  }
}
