import { RequestOp, UNCONSTRAINED } from '../core/request.js';
import { type TraceDescription, TraceWriter, type TraceWriterOptions } from './arrow-writer.js';
import type { TraceBlock, TraceConstraint, TraceMetadata } from './trace.js';

/** Slots of a trace that is made from others: the most recently freed first, as in an import. */
class SlotPool {
  private readonly spare: number[] = [];
  private limit = 0;

  take(): number {
    return this.spare.pop() ?? this.limit++;
  }

  release(slot: number): void {
    this.spare.push(slot);
  }
}

/** The rows of one trace on their way into another: objects, constraints and call sites get numbers there. */
export class RowCopier {
  private readonly slots: Int32Array;
  private readonly constraintRows: readonly number[];
  private readonly siteRows: readonly number[];

  constructor(
    metadata: TraceMetadata,
    private readonly target: RowTarget,
  ) {
    this.slots = new Int32Array(metadata.objectLimit).fill(-1);
    this.constraintRows = metadata.constraints.map((row) => target.constraintOf(row));
    this.siteRows = metadata.sites.map((site) => target.siteOf(site));
  }

  /** Whether the object of a row is in the other trace. */
  knows(block: TraceBlock, row: number): boolean {
    return this.slots[block.object[row]!]! >= 0;
  }

  /** Writes a row at another time; an allocation's object is in the other trace from then on. */
  copy(block: TraceBlock, row: number, timeNs: number): void {
    this.write(timeNs, rowOf(block, row));
  }

  /** As `copy`, for a row that was kept. */
  write(timeNs: number, { cpu, op, cls, object: own, size, constraint, site, address }: KeptRow): void {
    const { writer, pool } = this.target;
    if (op === RequestOp.alloc) this.slots[own] = pool.take();
    const object = op === RequestOp.reclaim ? 0 : this.slots[own]!;
    const constraintRow = constraint === UNCONSTRAINED ? UNCONSTRAINED : this.constraintRows[constraint]!;
    const siteRow = site < 0 ? -1 : this.siteRows[site]!;
    writer.append(timeNs, cpu, op, cls, object, size, constraintRow, siteRow, address);
    if (op !== RequestOp.free) return;
    pool.release(object);
    this.slots[own] = -1;
  }
}

/** A row of a trace that outlives its block, all but its time. */
export type KeptRow = Readonly<Record<Exclude<keyof TraceBlock, 'length' | 'timeNs'>, number>>;

/** A row by itself: the columns of a block are used again. */
export function rowOf(block: TraceBlock, row: number): KeptRow {
  return {
    cpu: block.cpu[row]!,
    op: block.op[row]!,
    cls: block.cls[row]!,
    object: block.object[row]!,
    size: block.size[row]!,
    constraint: block.constraint[row]!,
    site: block.site[row]!,
    address: block.address[row]!,
  };
}

/** A trace that is made from the rows of others, with the tables that its rows point into. */
export class RowTarget {
  readonly writer: TraceWriter;
  readonly pool = new SlotPool();
  readonly constraints: TraceConstraint[] = [];
  readonly sites: string[] = [];
  private readonly rowOf = new Map<string, number>();

  constructor(path: string, options: TraceWriterOptions) {
    this.writer = new TraceWriter(path, options);
  }

  constraintOf(constraint: TraceConstraint): number {
    return this.numberOf(`constraint ${JSON.stringify(constraint)}`, () => this.constraints.push(constraint));
  }

  siteOf(site: string): number {
    return this.numberOf(`site ${site}`, () => this.sites.push(site));
  }

  private numberOf(key: string, add: () => number): number {
    const known = this.rowOf.get(key);
    if (known !== undefined) return known;
    const row = add() - 1;
    this.rowOf.set(key, row);
    return row;
  }
}

/** What the made trace says of itself, but for what its maker changes. */
export function descriptionOf(metadata: TraceMetadata, target: RowTarget): TraceDescription {
  const { name, provenance, origin, clock, cpuCount, skipped } = metadata;
  const { constraints, sites } = target;
  return { name, provenance, origin, clock, cpuCount, skipped, constraints, sites };
}

/** The provenance says what was done to the trace. */
export function derived({ provenance, digest }: TraceMetadata, what: string): TraceMetadata['provenance'] {
  return { ...provenance, options: { ...provenance.options, derived: `${what}; from ${digest}` } };
}
