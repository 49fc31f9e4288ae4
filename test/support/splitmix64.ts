const MASK = (1n << 64n) - 1n;

/**
 * The generator of the golden cases: splitmix64 (Steele, Lea and Flood 2014, public domain), with the two draws that
 * case.json names.
 */
export class Splitmix64 {
  private state: bigint;

  constructor(seed: number) {
    this.state = BigInt(seed);
  }

  next(): bigint {
    this.state = (this.state + 0x9e3779b97f4a7c15n) & MASK;
    let z = this.state;
    z = ((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n) & MASK;
    z = ((z ^ (z >> 27n)) * 0x94d049bb133111ebn) & MASK;
    return z ^ (z >> 31n);
  }

  /** An integer from 0 to n − 1. */
  below(n: number): number {
    return Number(this.next() % BigInt(n));
  }

  /** A number in [0, 1). */
  unit(): number {
    return Number(this.next() >> 11n) / 2 ** 53;
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)]!;
  }
}
