import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LAST_ADDRESS, type VmemArena } from '../../src/arena/netbsd-vmem/arena.js';
import { checkArena } from '../../src/arena/netbsd-vmem/check.js';
import { ArenaFlag, VmFlag } from '../../src/arena/netbsd-vmem/flags.js';
import { listOrder } from '../../src/arena/netbsd-vmem/inspect.js';
import { AllocSource } from '../../src/arena/netbsd-vmem/span-source.js';
import { AddressSpace, NO_ADDRESS } from '../../src/core/address.js';
import { MisuseError } from '../../src/core/errors.js';
import { newArena, newSystem, QUANTUM } from '../support/netbsd-picture.js';
import { SlowNetbsdVmem, type SlowRequest } from '../support/slow-netbsd-vmem.js';

const space = AddressSpace.canonical;
const UNIT = BigInt(QUANTUM);
/** Not aligned to more than the quantum, so that alignments do not all fall on the base. */
const BASE = 0xffff_c000_0000_0030n;
const HIGHEST = 2n ** 64n - 1n;
/** Spans of the heap: two that touch, listed against their order, and one that is apart. */
const SPANS = [
  [64n, 100n],
  [0n, 64n],
  [300n, 90n],
] as const;

const stepArbitrary = fc.record({
  onChild: fc.boolean(),
  isFree: fc.boolean(),
  isBestFit: fc.boolean(),
  bytes: fc.integer({ min: 1, max: 12 * QUANTUM }),
  isConstrained: fc.boolean(),
  alignPower: fc.integer({ min: 0, max: 4 }),
  phase: fc.nat({ max: 15 }),
  nocrossPower: fc.integer({ min: 0, max: 6 }),
  min: fc.nat({ max: 500 }),
  max: fc.nat({ max: 500 }),
  pick: fc.nat({ max: 1000 }),
});
type Step = typeof stepArbitrary extends fc.Arbitrary<infer T> ? T : never;

/** The constraint of a step: legal for vmem_xalloc, at times out of reach. On the child mostly unbounded. */
function requestOf(step: Step): SlowRequest {
  const size = BigInt(step.bytes);
  const align = UNIT << BigInt(step.alignPower);
  const phase = (BigInt(step.phase) * UNIT) % align;
  const wanted = UNIT << BigInt(step.nocrossPower);
  const rounded = ((size + UNIT - 1n) / UNIT) * UNIT;
  const nocross = wanted > align && (phase % wanted) + rounded <= wanted ? wanted : 0n;
  const isBounded = step.onChild ? step.pick % 16 === 0 : step.pick % 2 === 0;
  const [low, high] = [Math.min(step.min, step.max), Math.max(step.min, step.max)];
  const min = isBounded ? BASE + BigInt(low) * UNIT - 5n : 0n;
  const max = isBounded ? BASE + BigInt(high) * UNIT + 4n : HIGHEST;
  return { size, isBestFit: step.isBestFit, align, phase, nocross, min, max };
}

function lines(arena: VmemArena): string[] {
  const names = ['', 'static', 'span', 'free', 'busy'];
  const { tags } = arena;
  return [...listOrder(arena)].map(
    (tag) => `${names[tags.type[tag]!]} ${space.toBigInt(tags.start[tag]!)} ${tags.size[tag]}`,
  );
}

function listLines(arena: VmemArena): string[] {
  const found: string[] = [];
  const { start, size } = arena.tags;
  arena.freeLists.walk((list, tag) => found.push(`${list} ${space.toBigInt(start[tag]!)} ${size[tag]}`));
  return found;
}

function execute(arena: VmemArena, request: SlowRequest, isConstrained: boolean): bigint | null {
  const flags = VmFlag.NOSLEEP | (request.isBestFit ? VmFlag.BESTFIT : VmFlag.INSTANTFIT);
  const size = Number(request.size);
  const max = request.max === HIGHEST ? LAST_ADDRESS : space.toNumber(request.max);
  const min = request.min === 0n ? 0 : space.toNumber(request.min);
  const { align, phase, nocross } = request;
  const address = isConstrained
    ? arena.xalloc(size, Number(align), Number(phase), Number(nocross), min, max, flags)
    : arena.alloc(size, flags);
  return address === NO_ADDRESS ? null : space.toBigInt(address);
}

/** A heap and an arena that imports from it, as model and as reference. */
function bothOf(importFactor: bigint, granule: bigint) {
  const system = newSystem();
  const heap = newArena(system, { name: 'heap' });
  const slowHeap = new SlowNetbsdVmem(UNIT);
  for (const [from, quanta] of SPANS) {
    heap.addSpan(space.toNumber(BASE + from * UNIT), Number(quanta * UNIT));
    slowHeap.addSpan(BASE + from * UNIT, quanta * UNIT);
  }
  const flags = importFactor === 1n ? 0 : ArenaFlag.LARGEIMPORT;
  const child = newArena(system, { name: 'child', flags, source: new AllocSource(heap, Number(granule)) });
  const slowChild = new SlowNetbsdVmem(UNIT, slowHeap, importFactor, granule);
  return [
    { arena: heap, slow: slowHeap },
    { arena: child, slow: slowChild },
  ] as const;
}

function agree(steps: readonly Step[], importFactor: bigint, granule: bigint): void {
  const both = bothOf(importFactor, granule);
  const live: { of: (typeof both)[number]; address: bigint; size: number }[] = [];
  for (const step of steps) {
    const of = both[step.onChild ? 1 : 0];
    if (!step.isFree) {
      const request = requestOf(step);
      const address = execute(of.arena, request, step.isConstrained);
      const wanted = step.isConstrained
        ? of.slow.xalloc(request)
        : of.slow.alloc(request.size, step.isBestFit);
      expect(address).toBe(wanted);
      if (address !== null) live.push({ of, address, size: step.bytes });
    } else if (live.length > 0) {
      const freed = live.splice(step.pick % live.length, 1)[0]!;
      const address = space.toNumber(freed.address);
      freed.of.arena.xfree(address, freed.size);
      freed.of.slow.free(freed.address);
      expect(() => freed.of.arena.xfree(address, freed.size)).toThrow(MisuseError);
    }
    for (const { arena, slow } of both) {
      expect(lines(arena)).toEqual(slow.lines());
      expect(listLines(arena)).toEqual(slow.listLines());
      checkArena(arena);
    }
  }
}

describe('NetBSD vmem agrees with a slow reference on random histories', () => {
  it.each([
    ['imports as large as the request', 1n, 1n],
    ['imports sixteen times as large', 16n, 1n],
    ['imports in granules of eight quanta', 1n, 8n * UNIT],
  ] as const)('%s', (_name, importFactor, granule) => {
    const histories = fc.array(stepArbitrary, { maxLength: 120, size: 'max' });
    fc.assert(
      fc.property(histories, (steps) => agree(steps, importFactor, granule)),
      { numRuns: 60, seed: 20250104 },
    );
  });
});
