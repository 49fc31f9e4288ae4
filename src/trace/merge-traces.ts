import { InputError } from '../core/errors.js';
import type { TraceWriterOptions } from './arrow-writer.js';
import type { SkippedEvents, Trace, TraceBlock, TraceMetadata } from './trace.js';
import { derived, descriptionOf, RowCopier, RowTarget } from './trace-rows.js';

/**
 * Writes several traces of one run as one, in the order of time; at one time in the order given.
 * @throws InputError if their clocks differ or cannot be compared, or the output cannot be written.
 */
export function mergeTraces(
  traces: readonly Trace[],
  output: string,
  options: TraceWriterOptions,
): TraceMetadata {
  const origins = traces.map(originNs);
  const first = [...origins].sort((a, b) => (a < b ? -1 : 1))[0]!;
  const clocks = new Set(traces.map(({ metadata }) => metadata.clock));
  if (clocks.size > 1) {
    throw new InputError(`traces of different clocks: ${[...clocks].join('; ')}`, { file: traces[0]!.path });
  }
  const target = new RowTarget(output, options);
  try {
    const sources = traces.map(
      (trace, index) => new MergeSource(trace, Number(origins[index]! - first), target),
    );
    for (let next = earliest(sources); next !== undefined; next = earliest(sources)) next.copyRow();
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

/** Recorded time of a trace's time 0 in nanoseconds. @throws InputError if it is not seconds with a fraction. */
function originNs({ metadata, path }: Trace): bigint {
  const [, whole, fraction] = /^(\d+)\.(\d{1,9})$/.exec(metadata.origin) ?? [];
  if (whole === undefined) {
    throw new InputError(`origin '${metadata.origin}' is no time in seconds`, { file: path });
  }
  return BigInt(whole) * 1_000_000_000n + BigInt(fraction!.padEnd(9, '0'));
}
