import { RandomStream } from '../../core/random.js';
import { median } from '../../harness/statistics.js';
import type { ComparedRow } from './compared-row.js';
import { mannWhitney } from './mann-whitney.js';
import { medianRatio } from './median-ratio.js';
import type { Metric, TimingChoice } from './metrics.js';
import { type CellPair, keyOf, type Pairing, type Side } from './side.js';

/** Seed of the resamples: the same comparison has the same bounds each time. */
const SEED = 1;

/** Times per event of each process. */
type Processes = readonly (readonly number[])[];

/** Compares what `--timing` measured. */
export class TimingComparison {
  /** Rows of timing.csv by cell and recording. */
  private readonly read = new Map<Side, ReadonlyMap<string, readonly number[]>>();

  constructor(private readonly pairing: Pairing) {}

  /**
   * Times per event of a pair: the ratio of the medians of all replays with its bootstrap interval, and a Mann-Whitney
   * test of the processes' medians. Replays of one process resemble each other, so that a process is one observation.
   * @returns undefined where a side has no time of the cell, or one that its clock did not resolve.
   * @throws InputError if the table is broken.
   */
  row({ name, timing }: Metric, pair: CellPair): ComparedRow | undefined {
    const old = this.processes(this.pairing.old, pair.old, timing!);
    const new_ = this.processes(this.pairing.new, pair.new, timing!);
    if (!isTimed(old) || !isTimed(new_)) return undefined;
    const { workload, backend, seed } = pair;
    const stream = new RandomStream(SEED, `compare/${keyOf(pair)}/${name}`);
    const { ratio, low, high } = medianRatio(old, new_, stream);
    const { p, effect, shift } = mannWhitney(old.map(medianOf), new_.map(medianOf));
    const medians = [medianOf(old.flat()), medianOf(new_.flat())] as const;
    return {
      workload,
      backend,
      seeds: [seed],
      samples: [old.length, new_.length],
      differing: 1,
      oneSided: 0,
      old: medians[0],
      new: medians[1],
      relative: ratio - 1,
      absolute: shift,
      interval: { of: 'relative', low: low - 1, high: high - 1 },
      p,
      effect,
    };
  }

  private processes(side: Side, cell: CellPair['old'], { clock, recording }: TimingChoice): Processes {
    const table = side.results.table('timing');
    const [times, events] = [table.numbers(clock), table.numbers('events')];
    const [round, warmUp] = [table.numbers('round'), table.numbers('warm_up')];
    const found = new Map<number, number[]>();
    for (const row of this.rowsOf(side).get(processKey(keyOf(cell), recording)) ?? []) {
      if (warmUp[row] === 1) continue;
      const samples = found.get(round[row]!) ?? [];
      samples.push(times[row]! / events[row]!);
      found.set(round[row]!, samples);
    }
    return [...found.values()];
  }

  private rowsOf(side: Side): ReadonlyMap<string, readonly number[]> {
    const stored = this.read.get(side);
    if (stored !== undefined) return stored;
    const table = side.results.table('timing');
    const recording = table.texts('metrics');
    const rows = new Map<string, number[]>();
    for (const cell of table.byCell()) {
      for (let row = cell.from; row < cell.to; row++) {
        const key = processKey(keyOf(cell), recording[row]!);
        const known = rows.get(key) ?? [];
        known.push(row);
        rows.set(key, known);
      }
    }
    this.read.set(side, rows);
    return rows;
  }
}

function processKey(cell: string, recording: string): string {
  return `${recording} ${cell}`;
}

function isTimed(processes: Processes): boolean {
  return processes.length > 0 && processes.every((times) => times.every((time) => time > 0));
}

function medianOf(values: readonly number[]): number {
  return median(Float64Array.from(values).sort());
}
