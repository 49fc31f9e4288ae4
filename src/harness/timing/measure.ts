import { Bench } from 'tinybench';
import { Simulation } from '../../core/simulation.js';
import type { Nanoseconds } from '../../core/units.js';
import { connect, drive } from '../cell.js';
import { type CellPlan, createBackend, createWorkload } from '../plan.js';
import type { Registries } from '../registries.js';
import type { CheckedPort } from '../request-port.js';
import { Sampler } from '../sampler.js';
import { type ClockReading, cpuNs, readClocks, resolutionNs, wallNs } from './clocks.js';

/** What one process measures: replays of a cell. Can be sent to it. */
export interface TimingJob {
  readonly plan: CellPlan;
  /** Requests of the workload in one replay. */
  readonly events: number;
  /** Whether figures are recorded and probes sampled, as in an exact run. */
  readonly metrics: boolean;
  /** Fewest replays that are measured. */
  readonly samples: number;
  /** CPU time for measured replays with their preparation, in milliseconds; warm-up takes at least as much before. */
  readonly timeMs: number;
}

/** Time of one whole replay. */
export interface RawSample {
  readonly warmUp: boolean;
  readonly wallNs: number;
  readonly cpuNs: number;
}

/** What one process found. */
export interface Measurement {
  /** In the order in which they were taken, warm-up first. */
  readonly samples: readonly RawSample[];
  readonly wallResolutionNs: number;
  readonly cpuResolutionNs: number;
  /** Simulated time at the end of the replay. */
  readonly durationNs: Nanoseconds;
  /** See CheckedPort; undefined where metrics are off. */
  readonly placementDigest: string | undefined;
}

/**
 * V8 has compiled a replay for good after some half a million events. Counted in work, not in time: on a busy machine
 * time goes by without any.
 */
const WARM_UP_EVENTS = 1_000_000;
const FEWEST_WARM_UPS = 2;
const MOST_WARM_UPS = 200;

/**
 * Times whole replays of a cell in this process, which should do nothing else: see docs/timing.md. Building
 * workload, backend and port is outside the measured part.
 * Not: a garbage collection before each replay, so that none falls into it. V8 drops machine code in full collections,
 * and replays then were found to take two to twenty times as long.
 * @throws InputError where the workload breaks the rules of the port or its input is damaged.
 */
export function measureReplays(job: TimingJob, registries: Registries): Measurement {
  const samples: RawSample[] = [];
  const wallResolutionNs = resolutionNs(wallNs);
  const cpuResolutionNs = resolutionNs(cpuNs);
  let warmUp = true;
  let begunNs = 0;
  let replay: TimedReplay | undefined;
  const bench = new Bench({
    time: job.timeMs,
    iterations: job.samples,
    warmupTime: job.timeMs,
    warmupIterations: warmUps(job.events),
    throws: true,
  });
  const measured = (): object => {
    const sample = { warmUp, ...replay!.time() };
    samples.push(sample);
    // The budget is for all that a replay costs, by the clock that other programs do not advance.
    return { overriddenDuration: sample.wallNs / 1e6, overriddenIterationCost: (cpuNs() - begunNs) / 1e6 };
  };
  bench.add(job.plan.id, measured, {
    async: false,
    beforeEach: (mode) => {
      warmUp = mode === 'warmup';
      begunNs = cpuNs();
      replay = new TimedReplay(job, registries);
    },
  });
  bench.runSync();
  return { samples, wallResolutionNs, cpuResolutionNs, ...replay!.outcome() };
}

/** Replays before the first that is measured, by the events of each. */
export function warmUps(events: number): number {
  const wanted = Math.ceil(WARM_UP_EVENTS / Math.max(1, events));
  return Math.min(MOST_WARM_UPS, Math.max(FEWEST_WARM_UPS, wanted));
}

/** A replay that is built and waits to be run. */
class TimedReplay {
  private readonly plan: CellPlan;
  private readonly metrics: boolean;
  private readonly simulation: Simulation;
  private readonly workload: ReturnType<typeof createWorkload>;
  private readonly port: CheckedPort;
  private readonly sampler: Sampler | undefined;

  constructor({ plan, metrics }: TimingJob, registries: Registries) {
    this.plan = plan;
    this.metrics = metrics;
    this.simulation = new Simulation(plan.cpus);
    this.workload = createWorkload(plan.workload, plan.seed, registries);
    const backend = createBackend(plan.backend, this.workload, this.simulation, registries);
    this.port = connect(this.workload, backend, plan.cpus, metrics, this.simulation);
    const run = { simulation: this.simulation, backend, requests: this.port.figures };
    this.sampler = metrics ? new Sampler(run, plan.samples, this.workload.durationNs) : undefined;
  }

  /** Runs it to its end, once. */
  time(): ClockReading {
    const { plan, workload, simulation, port, sampler } = this;
    const start = readClocks();
    sampler?.start(simulation);
    drive(plan, workload, simulation, port);
    sampler?.finish();
    const end = readClocks();
    return { wallNs: end.wallNs - start.wallNs, cpuNs: end.cpuNs - start.cpuNs };
  }

  outcome(): Pick<Measurement, 'durationNs' | 'placementDigest'> {
    const { metrics, port, simulation } = this;
    return { durationNs: simulation.now, placementDigest: metrics ? port.placementDigest : undefined };
  }
}
