import { InputError } from '../core/errors.js';
import { REQUEST_CLASS_NAMES, RequestOp } from '../core/request.js';
import type { TraceWriterOptions } from './arrow-writer.js';
import { interruptible } from './interruptible.js';
import type { Trace, TraceBlock, TraceMetadata } from './trace.js';
import { derived, descriptionOf, type KeptRow, RowCopier, RowTarget, rowOf } from './trace-rows.js';

/** Which objects of a trace to keep, by their allocation, and from when to when. */
export interface TraceCut {
  /** Nanoseconds since the trace's origin; what lives then is allocated at the beginning. */
  readonly fromNs: number;
  /** Events from here on are left out. */
  readonly toNs: number;
  /** Numbers of request classes; all if absent. */
  readonly classes?: ReadonlySet<number>;
  readonly cpus?: ReadonlySet<number>;
  /** Bytes, both included. */
  readonly minSize: number;
  readonly maxSize: number;
  /** Every nth object is kept, of those that the rest lets through; 1 for all. */
  readonly oneOf: number;
}

/**
 * Writes the part of a trace. Time 0 is that of `fromNs`.
 * @throws InputError if the output cannot be written or nothing is left; the signal's reason if it gave the cut up.
 */
export async function cutTrace(
  trace: Trace,
  cut: TraceCut,
  output: string,
  options: TraceWriterOptions,
  signal?: AbortSignal,
): Promise<TraceMetadata> {
  const { durationNs } = trace.metadata;
  if (cut.fromNs > durationNs || cut.toNs <= cut.fromNs) {
    const allowed = `times from 0 to ${durationNs} ns, the end behind the beginning`;
    throw new InputError('nothing is left of the trace', { file: trace.path, allowed });
  }
  const target = new RowTarget(output, options);
  try {
    const cutter = new TraceCutter(trace, cut, target);
    for await (const block of interruptible(trace.blocks(), signal)) cutter.block(block);
    cutter.end();
    if (target.writer.eventCount === 0)
      throw new InputError('nothing is left of the trace', { file: trace.path });
    const { metadata } = trace;
    return target.writer.finish({
      ...descriptionOf(metadata, target),
      provenance: derived(metadata, `cut ${describeCut(cut)}`),
      origin: cut.fromNs === 0 ? metadata.origin : `${metadata.origin} + ${cut.fromNs} ns`,
    });
  } finally {
    target.writer.discard();
  }
}

class TraceCutter {
  private readonly copier: RowCopier;
  /** Allocations before the beginning whose objects still live, by slot; written when the time comes. */
  private waiting: Map<number, KeptRow> | undefined = new Map();
  private candidates = 0;

  constructor(
    trace: Trace,
    private readonly cut: TraceCut,
    target: RowTarget,
  ) {
    this.copier = new RowCopier(trace.metadata, target);
  }

  block(block: TraceBlock): void {
    for (let row = 0; row < block.length && block.timeNs[row]! < this.cut.toNs; row++) this.row(block, row);
  }

  end(): void {
    const waiting = this.waiting;
    this.waiting = undefined;
    if (waiting === undefined) return;
    for (const kept of waiting.values()) this.copier.write(0, kept);
  }

  private row(block: TraceBlock, row: number): void {
    const { fromNs } = this.cut;
    const timeNs = block.timeNs[row]! - fromNs;
    const op = block.op[row]!;
    const wanted = op === RequestOp.alloc && this.wants(block, row);
    if (timeNs < 0) {
      if (wanted) this.waiting!.set(block.object[row]!, rowOf(block, row));
      else if (op === RequestOp.free) this.waiting!.delete(block.object[row]!);
      return;
    }
    this.end();
    if (wanted || op === RequestOp.reclaim || (op !== RequestOp.alloc && this.copier.knows(block, row))) {
      this.copier.copy(block, row, timeNs);
    }
  }

  private wants(block: TraceBlock, row: number): boolean {
    const { classes, cpus, minSize, maxSize, oneOf } = this.cut;
    const size = block.size[row]!;
    if (classes !== undefined && !classes.has(block.cls[row]!)) return false;
    if (cpus !== undefined && !cpus.has(block.cpu[row]!)) return false;
    if (size < minSize || size > maxSize) return false;
    return this.candidates++ % oneOf === 0;
  }
}

function describeCut({ fromNs, toNs, classes, cpus, minSize, maxSize, oneOf }: TraceCut): string {
  const to = Number.isFinite(toNs) ? `${toNs} ns` : 'the end';
  const named = classes === undefined ? 'all' : [...classes].map((cls) => REQUEST_CLASS_NAMES[cls]).join(',');
  const on = cpus === undefined ? 'all' : [...cpus].join(',');
  const most = Number.isFinite(maxSize) ? maxSize : 'any';
  return `${fromNs} ns to ${to}, classes ${named}, CPUs ${on}, sizes ${minSize} to ${most}, one object of ${oneOf}`;
}
