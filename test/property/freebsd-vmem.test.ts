import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { VmemArena } from '../../src/arena/freebsd-vmem/arena.js';
import { EndlessScanError } from '../../src/arena/freebsd-vmem/cursor.js';
import { VmemFlag } from '../../src/arena/freebsd-vmem/flags.js';
import { listOrder } from '../../src/arena/freebsd-vmem/inspect.js';
import { LAST_ADDRESS } from '../../src/arena/freebsd-vmem/placement.js';
import { AllocSource } from '../../src/arena/freebsd-vmem/span-source.js';
import { CURSOR } from '../../src/arena/freebsd-vmem/tags.js';
import { AddressSpace, NO_ADDRESS } from '../../src/core/address.js';
import { MisuseError } from '../../src/core/errors.js';
import { newArena, newSystem, QUANTUM, viewOf } from '../support/freebsd-picture.js';
import {
  SlowEndlessScan,
  SlowFreebsdVmem,
  type SlowRequest,
  type SlowStrategy,
} from '../support/slow-freebsd-vmem.js';

const space = AddressSpace.canonical;
const UNIT = BigInt(QUANTUM);
/** Not aligned to more than the quantum, so that alignments do not all fall on the base. */
const BASE = 0xffff_fe00_0000_0030n;
const HIGHEST = 2n ** 64n - 1n;
/** Spans of the heap: one that touches the last, one that touches from below, and one that is apart. */
const SPANS = [
  [64n, 100n],
  [164n, 30n],
  [0n, 64n],
  [300n, 90n],
] as const;
const FLAGS: Readonly<Record<SlowStrategy, number>> = {
  best: VmemFlag.BESTFIT | VmemFlag.NOWAIT,
  first: VmemFlag.FIRSTFIT | VmemFlag.NOWAIT,
  next: VmemFlag.NEXTFIT | VmemFlag.NOWAIT,
};

const stepArbitrary = fc.record({
  onChild: fc.boolean(),
  isFree: fc.boolean(),
  strategy: fc.constantFrom<SlowStrategy>('best', 'first', 'next'),
  quanta: fc.integer({ min: 1, max: 40 }),
  isConstrained: fc.boolean(),
  alignPower: fc.integer({ min: 0, max: 4 }),
  phase: fc.nat({ max: 15 }),
  nocrossPower: fc.integer({ min: 0, max: 7 }),
  min: fc.nat({ max: 500 }),
  max: fc.nat({ max: 500 }),
  pick: fc.nat({ max: 1000 }),
});
type Step = typeof stepArbitrary extends fc.Arbitrary<infer T> ? T : never;

/** The request of a step: legal for vmem_xalloc, at times out of reach. Next fit takes no bounds, whole quanta only. */
function requestOf(step: Step): SlowRequest {
  const isWhole = step.strategy === 'next' || step.pick % 3 > 0;
  const size = BigInt(step.quanta) * UNIT - (isWhole ? 0n : 5n);
  const plain = { size, strategy: step.strategy, align: UNIT, phase: 0n, nocross: 0n, min: 0n, max: HIGHEST };
  if (!step.isConstrained) return plain;
  const align = UNIT << BigInt(step.alignPower);
  const phase = (BigInt(step.phase) * UNIT) % align;
  const wanted = UNIT << BigInt(step.nocrossPower);
  const nocross = wanted > align && (phase % wanted) + size + 5n <= wanted ? wanted : 0n;
  // An import makes room for any alignment, but not for nocross or bounds: those may use up the spare tags (D7).
  if (step.onChild) return { ...plain, align, phase };
  if (step.strategy === 'next') return { ...plain, align, phase, nocross };
  const min = BASE + BigInt(Math.min(step.min, step.max)) * UNIT - 5n;
  const max = BASE + BigInt(Math.max(step.min, step.max)) * UNIT + 4n;
  return { ...plain, align, phase, nocross, min, max };
}

function lines(arena: VmemArena): string[] {
  const names = ['', 'static', 'span', 'free', 'busy', 'cursor'];
  const { tags } = arena;
  return [...listOrder(arena)].map((tag) => {
    const start = tag === CURSOR ? 0n : space.toBigInt(tags.start[tag]!);
    return `${names[tags.type[tag]!]} ${start} ${tags.size[tag]}`;
  });
}

function listLines(arena: VmemArena): string[] {
  const found: string[] = [];
  const { start, size } = arena.tags;
  arena.freeLists.walk((list, tag) => found.push(`${list} ${space.toBigInt(start[tag]!)} ${size[tag]}`));
  return found;
}

type Answer = bigint | null | 'endless';

function ofModel(arena: VmemArena, request: SlowRequest, isConstrained: boolean): Answer {
  const size = Number(request.size);
  const max = request.max === HIGHEST ? LAST_ADDRESS : space.toNumber(request.max);
  const min = request.min === 0n ? 0 : space.toNumber(request.min);
  const flags = FLAGS[request.strategy];
  const { align, phase, nocross } = request;
  try {
    const address = isConstrained
      ? arena.xalloc(size, Number(align), Number(phase), Number(nocross), min, max, flags)
      : arena.alloc(size, flags);
    return address === NO_ADDRESS ? null : space.toBigInt(address);
  } catch (error) {
    if (error instanceof EndlessScanError) return 'endless';
    throw error;
  }
}

function ofReference(slow: SlowFreebsdVmem, request: SlowRequest): Answer {
  try {
    return slow.xalloc(request);
  } catch (error) {
    if (error instanceof SlowEndlessScan) return 'endless';
    throw error;
  }
}

/** A heap and an arena that imports from it, as model and as reference. */
function bothOf(importQuantum: bigint, releases: boolean) {
  const system = newSystem();
  const heap = newArena(system, { name: 'heap' });
  const slowHeap = new SlowFreebsdVmem(UNIT);
  for (const [from, quanta] of SPANS) {
    heap.addSpan(space.toNumber(BASE + from * UNIT), Number(quanta * UNIT));
    slowHeap.addSpan(BASE + from * UNIT, quanta * UNIT);
  }
  const source = new AllocSource(heap, Number(importQuantum), releases);
  const child = newArena(system, { name: 'child', source });
  const slowChild = new SlowFreebsdVmem(UNIT, slowHeap, importQuantum, releases);
  return [
    { arena: heap, slow: slowHeap, view: viewOf(heap) },
    { arena: child, slow: slowChild, view: viewOf(child) },
  ] as const;
}

function agree(steps: readonly Step[], importQuantum: bigint, releases: boolean): void {
  const both = bothOf(importQuantum, releases);
  const live: { of: (typeof both)[number]; address: bigint; size: number }[] = [];
  for (const { view } of both) view.freeSpectrum();
  for (const step of steps) {
    const of = both[step.onChild ? 1 : 0];
    if (!step.isFree) {
      const request = requestOf(step);
      const answer = ofModel(of.arena, request, step.isConstrained);
      expect(answer).toBe(ofReference(of.slow, request));
      if (typeof answer === 'bigint') live.push({ of, address: answer, size: Number(request.size) });
    } else if (live.length > 0) {
      const freed = live.splice(step.pick % live.length, 1)[0]!;
      const address = space.toNumber(freed.address);
      freed.of.arena.xfree(address, freed.size);
      freed.of.slow.free(freed.address);
      expect(() => freed.of.arena.xfree(address, freed.size)).toThrow(MisuseError);
    }
    for (const { arena, slow, view } of both) {
      expect(lines(arena)).toEqual(slow.lines());
      expect(listLines(arena)).toEqual(slow.listLines());
      view.check();
    }
  }
}

describe('FreeBSD vmem agrees with a slow reference on random histories', () => {
  it.each([
    ['spans go back', 8n * UNIT, true],
    ['spans stay', 8n * UNIT, false],
    ['imports as large as the request', UNIT, true],
  ] as const)('%s', (_name, importQuantum, releases) => {
    const histories = fc.array(stepArbitrary, { maxLength: 120, size: 'max' });
    fc.assert(
      fc.property(histories, (steps) => agree(steps, importQuantum, releases)),
      { numRuns: 40, endOnFailure: true, seed: 20260104 },
    );
  });
});
