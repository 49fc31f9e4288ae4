import { InputError } from '../core/errors.js';
import type { TraceWriterOptions } from './arrow-writer.js';
import { pause } from './interruptible.js';
import type { SkippedEvents, Trace, TraceBlock, TraceMetadata } from './trace.js';
import { derived, descriptionOf, RowCopier, RowTarget } from './trace-rows.js';

/**
 * Writes several traces of one run as one, in the order of time; at one time in the order given.
 * @throws InputError if one of them is there twice, their clocks differ or cannot be compared, or the output cannot be written; the signal's reason
 * if it gave the merging up.
 */
export async function mergeTraces(
  traces: readonly Trace[],
  output: string,
  options: TraceWriterOptions,
  signal?: AbortSignal,
): Promise<TraceMetadata> {
  const clocks = new Set(traces.map(({ metadata }) => metadata.clock));
  if (clocks.size > 1) {
    throw new InputError(`traces of different clocks: ${[...clocks].join('; ')}`, { file: traces[0]!.path });
  }
  const origins = traces.map(originNs);
  refuseTwice(traces, origins);
  const first = [...origins].sort((a, b) => (a < b ? -1 : 1))[0]!;
  traces.forEach((trace, index) => {
    refuseTooLate(trace, origins[index]! - first);
  });
  const target = new RowTarget(output, options);
  try {
    const sources = traces.map(
      (trace, index) => new MergeSource(trace, Number(origins[index]! - first), target),
    );
    while (copyBatch(sources)) await pause(signal);
    const start = traces[origins.indexOf(first)]!.metadata;
    return target.writer.finish({
      ...descriptionOf(start, target),
      name: traces.map(({ metadata }) => metadata.name).join('+'),
      provenance: derived(start, `merge of ${traces.map(({ metadata }) => metadata.digest).join(' ')}`),
      cpuCount: Math.max(...traces.map(({ metadata }) => metadata.cpuCount)),
      skipped: addedUp(traces.flatMap(({ metadata }) => metadata.skipped)),
    });
  } finally {
    target.writer.discard();
  }
}

/**
 * A trace merged with itself would have each of its objects twice. The digest leaves the origin out: equal events at
 * other times are another trace.
 * @throws InputError if two have one digest and one origin.
 */
function refuseTwice(traces: readonly Trace[], origins: readonly bigint[]): void {
  const paths = new Map<string, string>();
  for (const [index, { path, metadata }] of traces.entries()) {
    const key = `${metadata.digest} ${origins[index]}`;
    const known = paths.get(key);
    if (known !== undefined) {
      const problem = `the same trace as ${known}: its events would be there twice`;
      throw new InputError(problem, { file: path, allowed: 'different traces of one run' });
    }
    paths.set(key, path);
  }
}

/** Rows between two moments when an interrupt is noticed. */
const BATCH_ROWS = 65_536;

/** Copies the next rows in the order of time; whether there are more. */
function copyBatch(sources: readonly MergeSource[]): boolean {
  let next = earliest(sources);
  for (let rows = 0; next !== undefined && rows < BATCH_ROWS; rows++) {
    next.copyRow();
    next = earliest(sources);
  }
  return next !== undefined;
}

function addedUp(skipped: readonly SkippedEvents[]): SkippedEvents[] {
  const rows = new Map<string, SkippedEvents>();
  for (const row of skipped) {
    const key = `${row.reason} ${row.cls}`;
    const known = rows.get(key);
    rows.set(key, known === undefined ? row : { ...known, count: known.count + row.count });
  }
  return [...rows.values()];
}

/** A trace that is read row by row. */
class MergeSource {
  /** Time in the merged trace of the row to come, Infinity behind the last one. */
  nextNs = Number.POSITIVE_INFINITY;
  private readonly blocks: Iterator<TraceBlock>;
  private readonly copier: RowCopier;
  private block: TraceBlock | undefined;
  private row = -1;

  constructor(
    trace: Trace,
    private readonly shiftNs: number,
    target: RowTarget,
  ) {
    this.blocks = trace.blocks()[Symbol.iterator]();
    this.copier = new RowCopier(trace.metadata, target);
    this.advance();
  }

  copyRow(): void {
    this.copier.copy(this.block!, this.row, this.nextNs);
    this.advance();
  }

  private advance(): void {
    this.row++;
    while (this.block === undefined || this.row === this.block.length) {
      const { done, value } = this.blocks.next();
      if (done === true) {
        this.nextNs = Number.POSITIVE_INFINITY;
        return;
      }
      this.block = value;
      this.row = 0;
    }
    this.nextNs = this.block.timeNs[this.row]! + this.shiftNs;
  }
}

function earliest(sources: readonly MergeSource[]): MergeSource | undefined {
  let found: MergeSource | undefined;
  for (const source of sources) {
    if (source.nextNs < (found?.nextNs ?? Number.POSITIVE_INFINITY)) found = source;
  }
  return found;
}

/** Stamps of seconds, or of the units of a clock; what a cut left out stands behind. */
const ORIGIN = /^(\d+)(?:\.(\d{1,9}))?((?: \+ \d+ ns)*)$/;

/** Recorded time of a trace's time 0 in nanoseconds. @throws InputError if its notation or its clock is not known. */
function originNs({ metadata: { origin, clock }, path }: Trace): bigint {
  const [, whole, fraction, cuts] = ORIGIN.exec(origin) ?? [];
  const unit = unitNs(clock);
  if (whole === undefined || unit === undefined || (fraction !== undefined && unit !== SECOND)) {
    throw new InputError(`origin '${origin}' of clock '${clock}' cannot be compared`, {
      file: path,
      allowed: 'seconds; nanoseconds; bare integers, N ns each; simulated',
    });
  }
  const left = [...cuts!.matchAll(/\d+/g)].reduce((sum, [ns]) => sum + BigInt(ns), 0n);
  return BigInt(whole) * unit + BigInt((fraction ?? '').padEnd(9, '0')) + left;
}

const SECOND = 1_000_000_000n;

/** Nanoseconds of a unit of a clock as importers and generators name it. */
function unitNs(clock: string): bigint | undefined {
  const ticks = /^bare integers, (\d+) ns each$/.exec(clock);
  if (ticks !== null) return BigInt(ticks[1]!);
  if (clock.startsWith('seconds')) return SECOND;
  return clock.startsWith('nanoseconds') || clock === 'simulated' ? 1n : undefined;
}

/** @throws InputError if the end of a trace, moved by so much, is more than a trace can count. */
function refuseTooLate({ metadata, path }: Trace, shiftNs: bigint): void {
  if (shiftNs + BigInt(metadata.durationNs) <= BigInt(Number.MAX_SAFE_INTEGER)) return;
  throw new InputError(`begins ${shiftNs} ns after the first of the traces`, {
    file: path,
    allowed: 'an end within 2^53 ns',
  });
}
