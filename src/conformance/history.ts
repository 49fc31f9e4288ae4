import { RandomStream } from '../core/random.js';
import { RequestClass, UNCONSTRAINED } from '../core/request.js';
import { type Bytes, KIB, MIB } from '../core/units.js';
import type { Client } from './client.js';

/** Histories of one client have seeds below this. */
const SEED_STEP = 1000;

/** A size that clients ask for in the class: odd lengths and whole pages, small and large. */
export function drawSize(stream: RandomStream, cls: number): Bytes {
  switch (cls) {
    case RequestClass.kmem:
      return stream.below(4) === 0 ? 1 + stream.below(100 * KIB) : 1 + stream.below(512);
    case RequestClass.kstack:
      return stream.below(4) === 0 ? 8 * KIB : 16 * KIB;
    case RequestClass.guest:
      return (1 + stream.below(8)) * 2 * MIB;
    default:
      return stream.below(4) === 0 ? 1 + stream.below(64 * KIB) : (1 + stream.below(32)) * 4 * KIB;
  }
}

/** What a random history does. */
export interface HistoryOptions {
  readonly operations: number;
  /** Number of live objects around which the population swings. */
  readonly live: number;
  readonly cpus?: number;
  readonly constraintRows?: number;
  /** After this many operations everything is checked. */
  readonly checkEvery?: number;
}

/** Lets a client allocate and free at random over all classes that its backend serves; returns the addresses. */
export function runHistory(client: Client, seed: number, options: HistoryOptions): number[] {
  const stream = new RandomStream(seed + SEED_STEP * client.seed, 'history');
  const { serves } = client.backend;
  const addresses: number[] = [];
  for (let operation = 0; operation < options.operations; operation++) {
    const cpu = stream.below(options.cpus ?? 1);
    if (stream.below(2 * options.live) < client.live.length) {
      client.free(client.live[stream.below(client.live.length)]!, cpu);
    } else {
      const cls = serves[stream.below(serves.length)]!;
      const rows = cls === RequestClass.va ? (options.constraintRows ?? 0) : 0;
      const constraint = rows === 0 ? UNCONSTRAINED : stream.below(rows);
      addresses.push(client.alloc(cls, drawSize(stream, cls), constraint, cpu)?.address ?? -1);
    }
    if (operation % (options.checkEvery ?? 50) === 0) client.check();
  }
  return addresses;
}
