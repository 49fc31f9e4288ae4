import { arenaOf, type CaseScript, operationOf } from './reference-case.js';
import type { CaseOperation } from './reference-system.js';
import { Splitmix64 } from './splitmix64.js';

/** Bases whose upper 16 bits differ. */
const BASES = [0xff10_0000_0000_0000n, 0xffff_8000_0000_0000n, 0x7f00_0000_0000n];

/**
 * `live` single quanta in spans far apart, then a tick, then all freed in random order with ticks between. A table of
 * 2^k buckets over a quantum of 2^q looks at the upper 16 bits of an address when 3k + q > 48, which no shipped
 * case reaches.
 */
function* fillAndEmpty(live: number, quantum: bigint): Generator<CaseOperation, void, string> {
  const random = new Splitmix64(live);
  const arena = 'root';
  for (const base of BASES.slice(1)) {
    yield operationOf({ op: 'add', arena, size: BigInt(live) * quantum, min: base });
  }
  const ids = Array.from({ length: live }, (_, id) => id);
  for (const id of ids) {
    const flags = id % 3 === 0 ? 'NOSLEEP|NEXTFIT' : 'NOSLEEP';
    yield operationOf({ op: 'alloc', arena, id, size: quantum * BigInt(1 + random.below(2)), flags });
  }
  yield operationOf({ op: 'update' });
  while (ids.length > 0) {
    const [id] = ids.splice(random.below(ids.length), 1);
    yield operationOf({ op: 'free', arena, id: id! });
    if (ids.length % Math.ceil(live / 4) === 0) yield operationOf({ op: 'update' });
  }
}

/** A case whose hash table gets so large that all 64 bits of addresses decide. */
export function wideHashShape(quantumPower: number, live: number): CaseScript {
  const quantum = 2n ** BigInt(quantumPower);
  return {
    name: `wide-hash-${quantumPower}`,
    arenas: [
      arenaOf({
        name: 'root',
        base: `0x${BASES[0]!.toString(16)}`,
        size: Number(quantum) * live,
        quantum: Number(quantum),
      }),
    ],
    checkpointEvery: Math.ceil(live / 4),
    operations: () => fillAndEmpty(live, quantum),
  };
}
