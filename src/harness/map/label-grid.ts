import type { Address } from '../../core/address.js';
import type { Bytes, Nanoseconds } from '../../core/units.js';
import { MOST_ROWS } from './address-rows.js';

/** Parts of the time that have a label of their own in each row. */
export const LABEL_BINS = 32;
const CELLS = MOST_ROWS * LABEL_BINS;

/** An object that a map can name. */
export interface MapLabel {
  /** Number of its allocation in the run, from 1. */
  readonly allocation: number;
  /** RequestClass that was asked for. */
  readonly cls: number;
  readonly address: Address;
  readonly size: Bytes;
  readonly born: Nanoseconds;
  /** -1 for an object that outlives the run. */
  readonly died: Nanoseconds;
  /** Row of the workload's `sites`, or -1. */
  readonly site: number;
}

/** Columns of live objects, a row per slot: what labels are made of. */
export interface ObjectColumns {
  readonly allocation: Float64Array;
  readonly cls: Uint8Array;
  readonly address: Float64Array;
  readonly size: Float64Array;
  readonly born: Float64Array;
  readonly site: Int32Array;
}

/**
 * For each row and each of 32 parts of the time, the object that lived longest among those placed there: what somebody
 * who points at the map is told. Bounded, whatever the number of objects; nothing is allocated per object.
 */
export class LabelGrid {
  /** Lifetime + 1 of the object in each cell; 0 for none. */
  private readonly life = new Float64Array(CELLS);
  private readonly allocation = new Float64Array(CELLS);
  private readonly cls = new Uint8Array(CELLS);
  private readonly address = new Float64Array(CELLS);
  private readonly size = new Float64Array(CELLS);
  private readonly born = new Float64Array(CELLS);
  private readonly died = new Float64Array(CELLS);
  private readonly site = new Int32Array(CELLS);

  /** @param binNs length of each part of the time; the last one has no end */
  constructor(
    private readonly objects: ObjectColumns,
    readonly binNs: Nanoseconds,
  ) {}

  /** Enters an object that dies, or at the end of the run is alive, into a row that it lies in. */
  offer(row: number, object: number, now: Nanoseconds, isAlive: boolean): void {
    const born = this.objects.born[object]!;
    const life = now - born + 1;
    const last = this.cellOf(row, now);
    for (let cell = this.cellOf(row, born); cell <= last; cell++) {
      if (life > this.life[cell]!) {
        this.life[cell] = life;
        this.died[cell] = isAlive ? -1 : now;
        this.take(cell, object);
      }
    }
  }

  /** Row r becomes row `rows[r]`; of two objects in one cell the one that lived longer stays, else the older. */
  joinRows(rows: Int32Array): void {
    const { life, allocation } = this;
    const best = new Int32Array(CELLS).fill(-1);
    for (let cell = 0; cell < CELLS; cell++) {
      if (life[cell] === 0) continue;
      const to = rows[Math.floor(cell / LABEL_BINS)]! * LABEL_BINS + (cell % LABEL_BINS);
      const other = best[to]!;
      const isBetter =
        other < 0 ||
        life[cell]! > life[other]! ||
        (life[cell] === life[other] && allocation[cell]! < allocation[other]!);
      if (isBetter) best[to] = cell;
    }
    for (const column of [
      life,
      allocation,
      this.cls,
      this.address,
      this.size,
      this.born,
      this.died,
      this.site,
    ]) {
      const old = column.slice();
      for (let cell = 0; cell < CELLS; cell++) column[cell] = best[cell]! < 0 ? 0 : old[best[cell]!]!;
    }
  }

  /** The object of a row and part of the time; undefined where nothing was. */
  labelAt(row: number, bin: number): MapLabel | undefined {
    const cell = row * LABEL_BINS + bin;
    if (this.life[cell] === 0) return undefined;
    return {
      allocation: this.allocation[cell]!,
      cls: this.cls[cell]!,
      address: this.address[cell]!,
      size: this.size[cell]!,
      born: this.born[cell]!,
      died: this.died[cell]!,
      site: this.site[cell]!,
    };
  }

  private cellOf(row: number, time: Nanoseconds): number {
    return row * LABEL_BINS + Math.min(LABEL_BINS - 1, Math.floor(time / this.binNs));
  }

  private take(cell: number, object: number): void {
    const { objects } = this;
    this.allocation[cell] = objects.allocation[object]!;
    this.cls[cell] = objects.cls[object]!;
    this.address[cell] = objects.address[object]!;
    this.size[cell] = objects.size[object]!;
    this.born[cell] = objects.born[object]!;
    this.site[cell] = objects.site[object]!;
  }
}
