import { setImmediate } from 'node:timers/promises';
import { RandomStream } from '../../core/random.js';
import type { CellResult } from '../cell.js';
import type { CellPlan } from '../plan.js';
import type { Measure } from './launch.js';
import type { Measurement } from './measure.js';

/** How cells are timed. */
export interface TimingSettings {
  /** Seed of the order and of the bootstrap. */
  readonly seed: number;
  /** Processes per timed cell, one in each round. */
  readonly rounds: number;
  /** Fewest replays that a process measures. */
  readonly samples: number;
  /** CPU time for measured replays in each process, in milliseconds. */
  readonly timeMs: number;
}

/** What is timed: an exact cell, with or without recording its metrics. */
export interface TimedCell {
  readonly plan: CellPlan;
  /** What its exact run found, which the timed one must find again. */
  readonly exact: Pick<CellResult, 'durationNs' | 'placementDigest'>;
  /** Requests of the workload in one replay. */
  readonly events: number;
  readonly metrics: boolean;
}

/** One process that has measured. */
export interface TimedProcess {
  readonly cell: TimedCell;
  /** From 0. */
  readonly round: number;
  /** Place in its round, from 0. */
  readonly position: number;
  readonly measurement: Measurement;
}

/** A timed cell that could not be timed to the end. */
export interface TimingFailure {
  readonly cell: TimedCell;
  readonly round: number;
  readonly problem: string;
}

/** What was measured, in the order of time. */
export interface TimingRun {
  readonly processes: readonly TimedProcess[];
  readonly failures: readonly TimingFailure[];
}

/** Where and under what control cells are timed. */
export interface TimingControl {
  readonly measure: Measure;
  readonly signal: AbortSignal;
  /** Called before the first process and after each. */
  onProgress(finished: number, processes: number): void;
}

/**
 * Times cells, one process at a time. Each round has every cell once, in an order of its own: what drifts while a
 * run lasts is spread over all cells, and none has a fixed neighbour. A cell that fails is left out of later rounds.
 * @returns undefined if the signal stopped it.
 */
export async function timeCells(
  cells: readonly TimedCell[],
  settings: TimingSettings,
  control: TimingControl,
): Promise<TimingRun | undefined> {
  const processes: TimedProcess[] = [];
  const failures: TimingFailure[] = [];
  const { rounds, samples, timeMs } = settings;
  let finished = 0;
  for (let round = 0; round < rounds; round++) {
    for (const [position, index] of roundOrder(cells.length, settings.seed, round).entries()) {
      control.onProgress(finished++, rounds * cells.length);
      const cell = cells[index]!;
      if (failures.some((failure) => failure.cell === cell)) continue;
      // Lets signals in where the measuring itself does not.
      await setImmediate();
      const { plan, events, metrics } = cell;
      const ended = await control.measure({ plan, events, metrics, samples, timeMs }, control.signal);
      if (ended.end === 'interrupted' || control.signal.aborted) return undefined;
      const problem = ended.end === 'failed' ? ended.problem : differenceFrom(cell, ended.measurement);
      if (problem !== undefined) failures.push({ cell, round, problem });
      else if (ended.end === 'measured') {
        processes.push({ cell, round, position, measurement: ended.measurement });
      }
    }
  }
  control.onProgress(finished, rounds * cells.length);
  return { processes, failures };
}

/** A permutation of 0 … count − 1, each with the same chance (Fisher and Yates), by seed and round alone. */
export function roundOrder(count: number, seed: number, round: number): number[] {
  const stream = new RandomStream(seed, `timing/order/${round}`);
  const order = Array.from({ length: count }, (_, index) => index);
  for (let last = count - 1; last > 0; last--) {
    const other = stream.below(last + 1);
    const moved = order[last]!;
    order[last] = order[other]!;
    order[other] = moved;
  }
  return order;
}

/** A replay that did other work than the exact run must not be compared with it. */
function differenceFrom({ exact }: TimedCell, measurement: Measurement): string | undefined {
  const { durationNs, placementDigest = exact.placementDigest } = measurement;
  if (durationNs === exact.durationNs && placementDigest === exact.placementDigest) return undefined;
  const found = `end at ${durationNs} ns, placement ${placementDigest}`;
  return `the timed replay differs from the exact one: ${found} instead of ${exact.durationNs} ns, ${exact.placementDigest}`;
}
