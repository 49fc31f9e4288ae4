import { MisuseError } from '../core/errors.js';
import type { TraceBlock } from './trace.js';

/** Name and storage of each column of a trace, in the order of the file's columns. */
export const COLUMNS = [
  { name: 'timeNs', array: Float64Array },
  { name: 'cpu', array: Uint16Array },
  { name: 'op', array: Uint8Array },
  { name: 'cls', array: Uint8Array },
  { name: 'object', array: Uint32Array },
  { name: 'size', array: Float64Array },
  { name: 'constraint', array: Int32Array },
  { name: 'site', array: Int32Array },
  { name: 'address', array: Float64Array },
] as const satisfies readonly { name: Exclude<keyof TraceBlock, 'length'>; array: ColumnArrayConstructor }[];

export type ColumnArray = Float64Array | Uint16Array | Uint8Array | Uint32Array | Int32Array;
type ColumnArrayConstructor = new (length: number) => ColumnArray;

/** Columns that grow row by row up to a fixed capacity and are then emptied: a TraceBlock in the making. */
export class EventColumns implements TraceBlock {
  length = 0;
  readonly timeNs: Float64Array;
  readonly cpu: Uint16Array;
  readonly op: Uint8Array;
  readonly cls: Uint8Array;
  readonly object: Uint32Array;
  readonly size: Float64Array;
  readonly constraint: Int32Array;
  readonly site: Int32Array;
  readonly address: Float64Array;

  /** @throws MisuseError if `capacity`, in rows, is not a positive integer. */
  constructor(readonly capacity: number) {
    if (!(Number.isInteger(capacity) && capacity > 0)) {
      throw new MisuseError('a block needs at least one row', { capacity });
    }
    this.timeNs = new Float64Array(capacity);
    this.cpu = new Uint16Array(capacity);
    this.op = new Uint8Array(capacity);
    this.cls = new Uint8Array(capacity);
    this.object = new Uint32Array(capacity);
    this.size = new Float64Array(capacity);
    this.constraint = new Int32Array(capacity);
    this.site = new Int32Array(capacity);
    this.address = new Float64Array(capacity);
  }

  /** Adds a row; the caller has seen to it that there is room. */
  append(
    timeNs: number,
    cpu: number,
    op: number,
    cls: number,
    object: number,
    size: number,
    constraint: number,
    site: number,
    address: number,
  ): void {
    const row = this.length++;
    this.timeNs[row] = timeNs;
    this.cpu[row] = cpu;
    this.op[row] = op;
    this.cls[row] = cls;
    this.object[row] = object;
    this.size[row] = size;
    this.constraint[row] = constraint;
    this.site[row] = site;
    this.address[row] = address;
  }

  clear(): void {
    this.length = 0;
  }
}
