import type { RandomStream } from '../../core/random.js';
import { median } from '../statistics.js';

/** A median with the bounds of its interval of confidence, in the unit of the samples. */
export interface MedianInterval {
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

/** Resamples that an interval is made of. */
export const RESAMPLES = 2000;

/** Share of the resamples that is cut off on either side: 2.5 % of 2000. */
const CUT = 50;

/**
 * Median of all samples with its 95 % percentile-bootstrap interval. The bootstrap has two levels, as the samples
 * have: it draws processes first, then as many samples of each. Samples of one process resemble each other, so that
 * drawing from all as if they were independent would give intervals that are too narrow [Kalibera13].
 * @param processes samples of each process; none may be empty.
 */
export function bootstrapMedian(
  processes: readonly (readonly number[])[],
  stream: RandomStream,
): MedianInterval {
  const medians = resampledMedians(processes, stream, RESAMPLES);
  return {
    median: median(Float64Array.from(processes.flat()).sort()),
    low: medians[CUT]!,
    high: medians[RESAMPLES - 1 - CUT]!,
  };
}

/** Medians of `count` resamples, ascending. */
export function resampledMedians(
  processes: readonly (readonly number[])[],
  stream: RandomStream,
  count: number,
): Float64Array {
  return drawMedians(processes, stream, count).sort();
}

/**
 * Medians of `count` resamples in the order in which they were drawn. A resample is kept as how often each sample was
 * drawn, in ascending order of the samples, so that its median is found without sorting it.
 */
export function drawMedians(
  processes: readonly (readonly number[])[],
  stream: RandomStream,
  count: number,
): Float64Array {
  const sorted = Float64Array.from(processes.flat()).sort();
  const rankOf = new Map(Array.from(sorted, (sample, rank) => [sample, rank]));
  const ranks = processes.map((samples) => samples.map((sample) => rankOf.get(sample)!));
  const drawn = new Uint32Array(sorted.length);
  return Float64Array.from({ length: count }, () => {
    drawn.fill(0);
    const total = drawSamples(ranks, stream, drawn);
    return (drawnAt(sorted, drawn, (total - 1) >> 1) + drawnAt(sorted, drawn, total >> 1)) / 2;
  });
}

/** Counts a resample in `drawn`, and returns its size. */
function drawSamples(
  ranks: readonly (readonly number[])[],
  stream: RandomStream,
  drawn: Uint32Array,
): number {
  let total = 0;
  for (let process = 0; process < ranks.length; process++) {
    const from = ranks[stream.below(ranks.length)]!;
    for (let sample = 0; sample < from.length; sample++) {
      const rank = from[stream.below(from.length)]!;
      drawn[rank] = drawn[rank]! + 1;
    }
    total += from.length;
  }
  return total;
}

/** The sample at a place of the resample in ascending order. */
function drawnAt(sorted: Float64Array, drawn: Uint32Array, place: number): number {
  let rank = 0;
  for (let seen = drawn[0]!; seen <= place; seen += drawn[rank]!) rank++;
  return sorted[rank]!;
}
