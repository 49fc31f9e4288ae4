/** Median of numbers in ascending order: of an even number of them, the mean of the two in the middle; NaN of none. */
export function median(sorted: ArrayLike<number>): number {
  const upper = sorted.length >> 1;
  if (sorted.length === 0) return Number.NaN;
  return sorted.length % 2 === 1 ? sorted[upper]! : (sorted[upper - 1]! + sorted[upper]!) / 2;
}
