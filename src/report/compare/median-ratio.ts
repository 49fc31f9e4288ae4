import type { RandomStream } from '../../core/random.js';
import { median } from '../../harness/statistics.js';
import { drawMedians, RESAMPLES } from '../../harness/timing/bootstrap.js';

/** A ratio of medians with the bounds of its 95 % interval. */
export interface RatioInterval {
  readonly ratio: number;
  readonly low: number;
  readonly high: number;
}

/** Share of the resamples that is cut off on either side: 2.5 %. */
const CUT = RESAMPLES / 40;

/**
 * Median of the second side over that of the first, with its 95 % percentile-bootstrap interval. Each side is
 * resampled by itself, processes first and then their samples, as `bootstrapMedian` does it.
 * @param first samples of each process, all above 0; none may be empty.
 */
export function medianRatio(
  first: readonly (readonly number[])[],
  second: readonly (readonly number[])[],
  stream: RandomStream,
): RatioInterval {
  const below = drawMedians(first, stream, RESAMPLES);
  const ratios = drawMedians(second, stream, RESAMPLES)
    .map((above, resample) => above / below[resample]!)
    .sort();
  return {
    ratio: medianOfAll(second) / medianOfAll(first),
    low: ratios[CUT]!,
    high: ratios[RESAMPLES - 1 - CUT]!,
  };
}

function medianOfAll(processes: readonly (readonly number[])[]): number {
  return median(Float64Array.from(processes.flat()).sort());
}
