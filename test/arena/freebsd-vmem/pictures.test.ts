import { describe, expect, it } from 'vitest';
import { VmemFlag } from '../../../src/arena/freebsd-vmem/flags.js';
import { AlignedSource, AllocSource } from '../../../src/arena/freebsd-vmem/span-source.js';
import { NO_ADDRESS } from '../../../src/core/address.js';
import {
  BASE,
  bound,
  drawn,
  exactly,
  newArena,
  newSystem,
  type Policy,
  QUANTUM,
  spans,
  subjectOf,
  viewOf,
} from '../../support/freebsd-picture.js';
import { at, draw, Picture } from '../../support/picture.js';

describe('first fit', () => {
  it('IsInstantFitAndPassesTheListThatMightFit', () => {
    const wide = `[${'.'.repeat(40)}#${'.'.repeat(70)}]`;
    drawn('FIRSTFIT', wide)
      .alloc(33, at(41))
      .expect(`[${'.'.repeat(40)}a${'b'.repeat(33)}${'.'.repeat(37)}]`);
    drawn('BESTFIT', wide)
      .alloc(33, at(0))
      .expect(`[${'a'.repeat(33)}${'.'.repeat(7)}b${'.'.repeat(70)}]`);
  });
  it('ThirtyTwoQuantaBeginTheirList', () => {
    const narrow = `[${'.'.repeat(40)}#${'.'.repeat(70)}]`;
    drawn('FIRSTFIT', narrow)
      .alloc(32, at(0))
      .expect(`[${'a'.repeat(32)}${'.'.repeat(8)}b${'.'.repeat(70)}]`);
  });
  it('FallsBackOnTheListThatMightFit', () => {
    drawn('FIRSTFIT', `[${'.'.repeat(40)}#]`)
      .alloc(33, at(0))
      .expect(`[${'a'.repeat(33)}${'.'.repeat(7)}b]`);
  });
  it('LooksAtHeadsOnlyAndThenAtAll', () => {
    drawn('FIRSTFIT', '[....#....]').alloc(4, at(0), exactly(0, 4)).expect('[aaaab....]');
  });
});

describe('best fit', () => {
  it('ListsUpTo32QuantaHoldOneSize', () => {
    drawn('BESTFIT', '[...#..#.....]').alloc(2, at(4)).expect('[...abbc.....]');
  });
  it('IsNotTheTightestAbove32Quanta', () => {
    const text = `[${'.'.repeat(34)}#${'.'.repeat(60)}#]`;
    drawn('BESTFIT', text)
      .alloc(33, at(35))
      .expect(`[${'.'.repeat(34)}a${'b'.repeat(33)}${'.'.repeat(27)}c]`);
  });
});

describe('carving', () => {
  it('TheFrontIsListedFirstAndTheRestBehindLast', () => {
    drawn('BESTFIT', '[.....]').alloc(1, at(2), exactly(2, 1)).alloc(1, at(3)).expect('[..ab.]');
  });
  it('NeighboursCoalesceOnBothSides', () => {
    drawn('BESTFIT', '[.aabb.]').free(at(1), 2).expect('[...aa.]').free(at(3), 2).expect('[......]');
  });
});

describe('constraints', () => {
  it('AlignWithPhase', () => {
    const constraint = { align: 4 * QUANTUM, phase: QUANTUM };
    drawn('BESTFIT', '[..........]')
      .alloc(2, at(1), constraint)
      .alloc(2, at(5), constraint)
      .expect('[.aa..bb...]');
  });
  it('NocrossAllowsAnEndOnTheBoundary', () => {
    const constraint = { nocross: 8 * QUANTUM, minAddress: bound(5) };
    drawn('FIRSTFIT', '[................]').alloc(3, at(5), constraint).expect('[.....aaa........]');
  });
  it('NocrossMovesBehindTheBoundary', () => {
    const constraint = { nocross: 8 * QUANTUM, minAddress: bound(6) };
    drawn('BESTFIT', '[................]').alloc(3, at(8), constraint).expect('[........aaa.....]');
  });
});

describe('next fit', () => {
  it('GoesOnBehindTheLastAllocation', () => {
    drawn('NEXTFIT', '[......]').alloc(2, at(0)).free(at(0), 2).alloc(2, at(2)).expect('[..aa..]');
  });
  it('FreesDoNotMergeAcrossTheCursorUntilTheNextRequest', () => {
    drawn('NEXTFIT', '[......]')
      .alloc(3, at(0))
      .free(at(0), 3)
      .expect('[...,,,]')
      .alloc(4, at(0))
      .expect('[aaaa..]');
  });
  it('WrapsToTheFirstTag', () => {
    drawn('NEXTFIT', '[...#]')
      .alloc(1, at(0))
      .alloc(1, at(1))
      .free(at(0), 1)
      .alloc(1, at(2))
      .expect('[.abc]');
    drawn('NEXTFIT', '[...#]').alloc(1, at(0)).alloc(1, at(1)).free(at(0), 1).alloc(1, at(2)).alloc(1, at(0));
  });
});

/** A heap of 64 quanta and an arena that imports from it, four quanta at a time. */
function importing(policy: Policy, releases: boolean) {
  const system = newSystem();
  const heap = newArena(system, { name: 'heap' });
  heap.addSpan(BASE, 64 * QUANTUM);
  const source = new AllocSource(heap, 4 * QUANTUM, releases);
  const child = newArena(system, { name: 'child', source });
  const picture = new Picture(subjectOf(child, policy));
  return { picture, child, heap, drawHeap: () => draw(viewOf(heap)) };
}

describe('imported spans', () => {
  it('OfTheImportQuantumAndBackAtOnce', () => {
    const { picture, drawHeap } = importing('BESTFIT', true);
    picture.alloc(3, at(0)).expect('[aaa.]').alloc(2, at(4)).expect('[aaa.][bb..]');
    expect(drawHeap()).toBe(`[aaaabbbb${'.'.repeat(56)}]`);
    picture.free(at(0), 3).expect('[aa..]');
    expect(drawHeap()).toBe(`[....aaaa${'.'.repeat(56)}]`);
  });
  it('WithoutReleaseTheyStayAndJoin', () => {
    const { picture, child } = importing('BESTFIT', false);
    picture.alloc(3, at(0)).alloc(4, at(3));
    expect([child.spanTags, child.imports, child.freeTags]).toEqual([1, 2, 1]);
    picture.free(at(0), 3).free(at(3), 4);
    expect([child.totalBytes, child.releases, child.freeTags]).toEqual([8 * QUANTUM, 0, 1]);
    expect(viewOf(child).extentBytes()).toBe(0);
  });
  it('TheCursorKeepsASpanUntilTheNextRequestByNextFit', () => {
    const { picture, child } = importing('BESTFIT', true);
    const next = VmemFlag.NEXTFIT | VmemFlag.NOWAIT;
    picture.alloc(1, at(0));
    expect(child.alloc(2 * QUANTUM, next)).toBe(bound(1));
    picture.free(at(0), 1).free(at(1), 2).expect('[...,]');
    expect([child.releases, child.alloc(4 * QUANTUM, next)]).toEqual([0, BASE]);
  });
  it('ALimitStopsImports', () => {
    const system = newSystem();
    const heap = newArena(system, { name: 'heap' });
    heap.addSpan(BASE, 64 * QUANTUM);
    const source = new AllocSource(heap, 4 * QUANTUM, true);
    const child = newArena(system, { name: 'child', source, limit: 7 * QUANTUM });
    new Picture(subjectOf(child, 'BESTFIT')).alloc(4, at(0)).refuse(1);
    expect([child.imports, child.importFails, heap.fails]).toEqual([1, 0, 0]);
  });
  it('AnAlignedRequestAsksForTwoAlignmentsMore', () => {
    const system = newSystem();
    const heap = newArena(system, { name: 'heap' });
    heap.addSpan(BASE, 64 * QUANTUM);
    const source = new AlignedSource(heap, QUANTUM, true, 2 * QUANTUM);
    const child = newArena(system, { name: 'child', source });
    new Picture(subjectOf(child, 'BESTFIT')).alloc(3, at(0), { align: 4 * QUANTUM }).expect('[aaa........]');
  });
});

describe('static spans', () => {
  it('ThatTouchTheLastSegmentJoinIt', () => {
    spans('BESTFIT', [0, 2], [2, 2]).alloc(3, at(0)).free(at(0), 3).alloc(4, at(0));
  });
  it('ThatTouchAnEarlierOneDoNot', () => {
    spans('BESTFIT', [2, 2], [0, 2]).refuse(3).expect('[..][..]');
  });
});

describe('a failing request', () => {
  it('DrainsTheZonesButNotTheBucketsOfCpus, with four spare tags out of sight', () => {
    const page = 4096;
    const arena = newArena(newSystem(), { quantum: page, qcacheMax: page });
    arena.addSpan(BASE, 100 * page);
    const flags = VmemFlag.BESTFIT | VmemFlag.NOWAIT;
    const held = Array.from({ length: 100 }, () => arena.alloc(page, flags));
    expect(held.includes(NO_ADDRESS)).toBe(false);
    for (const address of held) arena.free(address, page);
    expect([arena.allocTags, arena.inUseBytes / page]).toEqual([100, 100]);
    expect(arena.alloc(101 * page, flags)).toBe(NO_ADDRESS);
    expect([arena.allocTags, arena.fails, arena.spares.count]).toEqual([4, 1, 36]);
    arena.quantumCaches.drainCpus();
    expect([arena.allocTags, arena.freeTags, arena.inUseBytes, arena.spares.count]).toEqual([0, 1, 0, 32]);
    viewOf(arena).check();
  });
  it('CallsTheReclaimFunctionAndTriesAgain', () => {
    const system = newSystem();
    const arena = newArena(system, { reclaim: () => arena.free(BASE, 4 * QUANTUM) });
    arena.addSpan(BASE, 4 * QUANTUM);
    const flags = VmemFlag.BESTFIT | VmemFlag.NOWAIT;
    expect(arena.alloc(4 * QUANTUM, flags)).toBe(BASE);
    expect(arena.alloc(2 * QUANTUM, flags)).toBe(BASE);
    expect([arena.fails, arena.allocs]).toEqual([0, 2]);
  });
});
