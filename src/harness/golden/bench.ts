import { Bench } from 'tinybench';
import { InputError } from '../../core/errors.js';
import { median } from '../statistics.js';
import type { GoldenCase } from './golden-case.js';
import type { Oracle, OracleModel } from './oracle.js';

/** Timing of one case. All times are CPU time of the process. */
export interface BenchResult {
  readonly case: string;
  readonly oracle: string;
  readonly operations: number;
  readonly repeats: number;
  /** Medians and extremes over the repeats, nanoseconds per operation. */
  readonly nsPerOp: number;
  readonly minNsPerOp: number;
  readonly maxNsPerOp: number;
  /** Results that differ from the vector; must be 0. */
  readonly mismatches: number;
}

/** A sample shorter than this is made of several replays, for the clock ticks in microseconds. */
const OPERATIONS_PER_SAMPLE = 1_000_000;

/**
 * Replays a case `repeats` times on fresh models with nothing recorded. Setting a model up is not timed. Each
 * result is compared with the vector, which costs the same as storing it would.
 */
export async function benchCase(golden: GoldenCase, oracle: Oracle, repeats: number): Promise<BenchResult> {
  const { operations } = golden;
  if (operations.length === 0) throw new InputError('the case has no operations', { file: golden.directory });
  const replays = Math.max(1, Math.ceil(OPERATIONS_PER_SAMPLE / operations.length));
  const prepared = oracle.prepare(golden);
  let models: OracleModel[] = [];
  let mismatches = 0;
  const bench = new Bench({
    time: 0,
    iterations: repeats,
    warmupTime: 0,
    warmupIterations: 2,
    retainSamples: true,
    throws: true,
    now: cpuMilliseconds,
  });
  bench.add(
    golden.name,
    () => {
      for (const model of models) mismatches += replay(model, operations.length);
    },
    {
      beforeEach: () => {
        models = Array.from({ length: replays }, () => prepared.start(false));
      },
    },
  );
  const [task] = await bench.run();
  const { result } = task!;
  if (!('latency' in result) || result.latency.samples === undefined) {
    throw new Error('the benchmark ended without samples');
  }
  const perOperation = (milliseconds: number) => (milliseconds * 1e6) / (operations.length * replays);
  const samples = result.latency.samples.map(perOperation).sort((a, b) => a - b);
  return {
    case: golden.name,
    oracle: oracle.name,
    operations: operations.length,
    repeats: samples.length,
    nsPerOp: median(samples),
    minNsPerOp: samples[0]!,
    maxNsPerOp: samples[samples.length - 1]!,
    mismatches,
  };
}

function replay(model: OracleModel, length: number): number {
  let mismatches = 0;
  for (let row = model.advance(0, length); row < length; row = model.advance(row + 1, length)) mismatches++;
  return mismatches;
}

function cpuMilliseconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
