/** Ranks of values from 1, doubled: values that are equal share the mean of their ranks, and twice a mean is an integer. */
export function doubledRanks(values: readonly number[]): number[] {
  const order = values.map((_, index) => index).sort((a, b) => values[a]! - values[b]!);
  const ranks = new Array<number>(values.length);
  for (let first = 0; first < order.length; ) {
    const end = endOfTie(order, values, first);
    // Ranks first + 1 to end, of which twice the mean is the sum of the outer two.
    for (let at = first; at < end; at++) ranks[order[at]!] = first + 1 + end;
    first = end;
  }
  return ranks;
}

/** Σ (t³ − t) over the groups of t equal values, the term by which ties narrow the variance of a sum of ranks. */
export function tieTerm(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const order = sorted.map((_, index) => index);
  let sum = 0;
  for (let first = 0; first < order.length; ) {
    const end = endOfTie(order, sorted, first);
    sum += (end - first) ** 3 - (end - first);
    first = end;
  }
  return sum;
}

function endOfTie(order: readonly number[], values: readonly number[], first: number): number {
  let end = first + 1;
  while (end < order.length && values[order[end]!] === values[order[first]!]) end++;
  return end;
}
