import type { RandomStream } from '../core/random.js';

const TWO_32 = 2 ** 32;

/**
 * Draws from the exponential distribution of the mean given, rounded down to an integer: the time to the next arrival
 * of a Poisson process, or a lifetime without memory.
 *
 * Von Neumann's comparison method (Various Techniques Used in Connection with Random Digits [Neumann51]): a run of uniform
 * draws that decrease has an odd length with chance 1 − 1/e, and then its first draw is the fraction; each run of even
 * length adds one to the whole part. Words are compared and no logarithm is taken, so every engine draws the same.
 * A draw takes 4.3 words on average.
 */
export function drawExponential(stream: RandomStream, mean: number): number {
  let whole = 0;
  for (;;) {
    const first = stream.uint32();
    if (startsOddRun(stream, first)) return Math.floor(mean * (whole + first / TWO_32));
    whole++;
  }
}

function startsOddRun(stream: RandomStream, first: number): boolean {
  let isOdd = true;
  let previous = first;
  for (let word = stream.uint32(); word < previous; word = stream.uint32()) {
    previous = word;
    isOdd = !isOdd;
  }
  return isOdd;
}
