import { InputError } from '../core/errors.js';
import { RandomStream } from '../core/random.js';
import type { Nanoseconds } from '../core/units.js';
import type { RequestSource } from './request-source.js';

/**
 * Times and CPUs of a source whose operations come at an even pace: operation i takes place at i·mean + jitter,
 * 0 ≤ jitter < mean, on any CPU with the same chance. Times never decrease, their mean distance is exact, and no
 * logarithm decides a result. Time and CPU are drawn from streams of their own, named `<name>/time` and `<name>/cpu`.
 */
export class SteadyPace {
  private index = 0;
  private readonly times: RandomStream;
  private readonly cpuStream: RandomStream;

  constructor(
    private readonly meanIntervalNs: Nanoseconds,
    private readonly cpus: number,
    seed: number,
    name: string,
  ) {
    this.times = new RandomStream(seed, `${name}/time`);
    this.cpuStream = new RandomStream(seed, `${name}/cpu`);
  }

  /** Operations that have been given a time. */
  get operations(): number {
    return this.index;
  }

  /** Gives the source's next operation its time and CPU. */
  step(source: RequestSource): void {
    source.cpu = this.cpus === 1 ? 0 : this.cpuStream.below(this.cpus);
    source.time = this.index++ * this.meanIntervalNs + this.times.below(this.meanIntervalNs);
  }
}

/**
 * Nanoseconds that operations at an even pace take.
 * @throws InputError naming `field` if they are more than the clock can count.
 */
export function steadyDuration(operations: number, meanIntervalNs: Nanoseconds, field: string): Nanoseconds {
  const durationNs = operations * meanIntervalNs;
  if (durationNs <= 2 ** 53) return durationNs;
  throw new InputError(`${operations} operations at ${meanIntervalNs} ns`, {
    field,
    allowed: 'at most 2^53 ns (104 days) in all',
  });
}
