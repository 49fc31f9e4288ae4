import { availableParallelism } from 'node:os';
import type { RequestPort } from '../core/request.js';
import type { Bytes } from '../core/units.js';
import { failureOf } from './attempt-cell.js';
import { prepareCell } from './cell.js';
import type { CellPlan } from './plan.js';
import type { Registries } from './registries.js';

/** Cells that are measured at most; they stand for those between them. */
const MOST_MEASURED = 10;
/** How long each is run, in milliseconds of processor time. */
export const BUDGET_MS = 600;
/** Requests between two looks at the clock. */
const LOOK_EVERY = 256;

/** What the beginning of a cell says about the whole. */
export interface CellEstimate {
  readonly id: string;
  /** Milliseconds of processor time for the whole cell; 0 for one that fails. */
  readonly milliseconds: number;
  /** Memory that the part which was run took. */
  readonly bytes: Bytes;
  /** Why it fails, if it failed so far. */
  readonly problem: string | undefined;
}

/** What a run will take, measured on this machine: no exact figure. */
export interface RunEstimate {
  readonly measured: readonly CellEstimate[];
  /** From start to end, on as many threads as there are processors for, if nothing else runs on them. */
  readonly milliseconds: number;
  /** A lower bound: a load may grow beyond what was seen. */
  readonly bytes: Bytes;
}

/** Runs the beginnings of some of the cells, evenly chosen, in this thread, and extrapolates. */
export function estimateRun(
  cells: readonly CellPlan[],
  workers: number,
  registries: Registries,
): RunEstimate {
  const length = Math.min(cells.length, MOST_MEASURED);
  const chosen = Array.from({ length }, (_, index) => cells[Math.floor((index * cells.length) / length)]!);
  // The first cell finds the code cold, which says nothing about a long run: it is run twice.
  for (const cell of chosen.slice(0, 1)) estimateCell(cell, registries);
  const measured = chosen.map((cell) => estimateCell(cell, registries));
  const threads = Math.max(1, Math.min(workers, availableParallelism(), cells.length));
  const times = measured.map(({ milliseconds }) => milliseconds);
  const sum = (times.reduce((total, time) => total + time, 0) * cells.length) / Math.max(1, length);
  const perCell = Math.max(0, ...measured.map(({ bytes }) => bytes));
  return {
    measured,
    milliseconds: Math.max(sum / threads, ...times),
    bytes: process.memoryUsage.rss() + perCell * (threads - 1),
  };
}

function estimateCell(plan: CellPlan, registries: Registries): CellEstimate {
  const { id } = plan;
  const before = memoryInUse();
  const start = processorTime();
  try {
    const milliseconds = runBeginning(plan, registries, start);
    return { id, milliseconds, bytes: Math.max(0, memoryInUse() - before), problem: undefined };
  } catch (error) {
    return { id, milliseconds: 0, bytes: 0, problem: failureOf(error).message };
  }
}

/**
 * Milliseconds for the whole cell: those of its beginning, and for the rest the pace of the second half of that, when
 * the code is warm.
 */
function runBeginning(plan: CellPlan, registries: Registries, start: number): number {
  const { simulation, workload, port, sampler } = prepareCell(plan, registries);
  const { events, durationNs } = workload;
  const share = (requests: number): number =>
    events === undefined ? simulation.now / durationNs : requests / events;
  const timed = new TimedPort(port, share);
  try {
    sampler.start(simulation);
    workload.start(simulation, timed);
    simulation.run();
  } catch (error) {
    if (!(error instanceof TimeIsUp)) throw error;
    return processorTime() - start + timed.remaining;
  }
  return processorTime() - start;
}

/** Thrown out of a simulation to end it. */
class TimeIsUp extends Error {}

/** Passes requests on until the time is up. */
class TimedPort implements RequestPort {
  /** Milliseconds that the rest of the run will take. */
  remaining = 0;
  private requests = 0;
  private readonly begin = processorTime();
  private warmTime = 0;
  private warmShare = 0;

  /** `share` tells how much of the run is done after so many requests, from 0 to 1. */
  constructor(
    private readonly port: RequestPort,
    private readonly share: (requests: number) => number,
  ) {}

  alloc(object: number, cls: number, size: Bytes, constraint: number, cpu: number): boolean {
    this.count();
    return this.port.alloc(object, cls, size, constraint, cpu);
  }

  free(object: number, cpu: number): void {
    this.count();
    this.port.free(object, cpu);
  }

  act(object: number, op: number, amount: Bytes, cpu: number): void {
    this.count();
    this.port.act(object, op, amount, cpu);
  }

  reclaim(cpu: number): void {
    this.count();
    this.port.reclaim(cpu);
  }

  private count(): void {
    this.requests++;
    if (this.requests % LOOK_EVERY === 0) this.look(processorTime());
  }

  private look(now: number): void {
    if (now < this.begin + BUDGET_MS / 2) return;
    const share = Math.min(1, this.share(this.requests));
    if (this.warmTime === 0) {
      this.warmTime = now;
      this.warmShare = share;
    } else if (now >= this.begin + BUDGET_MS && share > this.warmShare) {
      this.remaining = ((now - this.warmTime) * (1 - share)) / (share - this.warmShare);
      throw new TimeIsUp();
    }
  }
}

/**
 * Milliseconds of processor time so far: what other processes take of the machine meanwhile is no property of the run.
 */
function processorTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

function memoryInUse(): Bytes {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
