const BARS = '▁▂▃▄▅▆▇█';

/**
 * Figures as a line of bars of a given length, from 0 or the least to the largest. Each bar is the largest figure of its
 * part, so that peaks stay; where there are fewer figures than bars, each has one.
 */
export function sparkLine(values: readonly number[], length: number): string {
  if (values.length === 0) return '';
  const count = Math.min(length, values.length);
  const parts = Array.from({ length: count }, (_, index) => {
    const from = Math.floor((index * values.length) / count);
    const to = Math.floor(((index + 1) * values.length) / count);
    return Math.max(...values.slice(from, to));
  });
  const low = Math.min(0, ...values);
  const range = Math.max(...values) - low;
  return parts
    .map(
      (value) =>
        BARS[range === 0 ? 0 : Math.min(BARS.length - 1, Math.floor(((value - low) / range) * BARS.length))],
    )
    .join('');
}
