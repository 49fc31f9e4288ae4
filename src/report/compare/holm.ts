/**
 * p values corrected for their number by Holm's stepwise method [Holm79]: the chance that any of them falls below a bound
 * where there is no difference at all is at most that bound, whatever they have to do with each other.
 */
export function holm(values: readonly number[]): number[] {
  const order = values.map((_, index) => index).sort((a, b) => values[a]! - values[b]!);
  const corrected = new Array<number>(values.length);
  let least = 0;
  for (const [rank, index] of order.entries()) {
    least = Math.min(1, Math.max(least, (values.length - rank) * values[index]!));
    corrected[index] = least;
  }
  return corrected;
}
