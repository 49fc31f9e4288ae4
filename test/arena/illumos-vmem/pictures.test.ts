import { describe, expect, it } from 'vitest';
import { ArenaFlag, VmFlag } from '../../../src/arena/illumos-vmem/flags.js';
import { AllocSource } from '../../../src/arena/illumos-vmem/span-source.js';
import { at, draw, Picture } from '../../support/picture.js';
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
} from '../../support/vmem-picture.js';

describe('instant fit', () => {
  it('LastFreedIsFirstUsed', () => {
    drawn('INSTANTFIT', '[#bb#cc#]').free(at(4), 2).free(at(1), 2).alloc(2, at(1)).expect('[abbc..d]');
  });
  it('PowerOfTwoUsesItsOwnList', () => {
    drawn('INSTANTFIT', '[..#........]').alloc(2, at(0)).expect('[aab........]');
  });
  it('OtherSizesSkipTheListThatMightFit', () => {
    drawn('INSTANTFIT', '[...#........]').alloc(3, at(4)).expect('[...abbb.....]');
  });
  it('MightFitListOnlyWhenNothingLarger', () => {
    drawn('INSTANTFIT', '[...#]').alloc(3, at(0)).expect('[aaab]');
  });
  it('ConstrainedRequestMayFailBesideAFit', () => {
    drawn('INSTANTFIT', '[...#........]').refuse(3, exactly(0, 3));
    drawn('BESTFIT', '[...#........]').alloc(3, at(0), exactly(0, 3));
  });
  it('ShortcutKeepsListPlace', () => {
    drawn('INSTANTFIT', '[...#...#]').alloc(1, at(0), exactly(0, 1)).alloc(1, at(4)).expect('[a..bc..d]');
  });
  it('NoShortcutIntoALowerList', () => {
    drawn('INSTANTFIT', '[....#....#]').alloc(1, at(5), exactly(5, 1)).alloc(2, at(6)).expect('[....abcc.d]');
  });
  it('RightRemainderBeforeLeft', () => {
    drawn('INSTANTFIT', '[.......]').alloc(1, at(3), exactly(3, 1)).alloc(1, at(0)).expect('[a..b...]');
  });
  it('NeighboursCoalesceOnBothSides', () => {
    drawn('INSTANTFIT', '[.aabb.]').free(at(1), 2).expect('[...aa.]').free(at(3), 2).expect('[......]');
  });
});

describe('best fit', () => {
  it('ExactFitInMiddle', () => {
    drawn('BESTFIT', '[...#..#...]').alloc(2, at(4)).expect('[...abbc...]');
  });
  it('SmallestOfTheFirstListWithAFit', () => {
    drawn('BESTFIT', '[.......#.....#......]').alloc(4, at(8)).expect('[.......abbbb.c......]');
  });
  it('BestFitTieGoesToMostRecentlyFreed', () => {
    drawn('BESTFIT', '[#bbb#ccc#]').free(at(5), 3).free(at(1), 3).alloc(2, at(1)).expect('[abb.c...d]');
  });
});

describe('first fit', () => {
  it('FirstFitIsListOrderNotAddressOrder', () => {
    drawn('FIRSTFIT', '[#bbb#ccc#]').free(at(1), 3).free(at(5), 3).alloc(2, at(5)).expect('[a...bcc.d]');
  });
  it('FirstFitBeginsWithTheListThatMightFit', () => {
    drawn('FIRSTFIT', '[...#........]').alloc(3, at(0)).expect('[aaab........]');
  });
});

describe('next fit', () => {
  it('GoesOnBehindTheLast', () => {
    drawn('NEXTFIT', '[#.....]')
      .alloc(1, at(1))
      .alloc(1, at(2))
      .free(at(1), 1)
      .alloc(1, at(3))
      .expect('[a.bc..]');
  });
  it('RotorBlocksCoalescing', () => {
    drawn('NEXTFIT', '[.....]').alloc(1, at(0)).alloc(1, at(1)).free(at(1), 1).expect('[a.,,,]');
  });
  it('FullCircleJoinsWhatTheRotorParted', () => {
    drawn('NEXTFIT', '[.....]')
      .alloc(1, at(0))
      .alloc(1, at(1))
      .free(at(1), 1)
      .alloc(4, at(1))
      .expect('[abbbb]');
  });
  it('RotorMakesAWholeSpanRequestFail', () => {
    const parted = drawn('NEXTFIT', '[....]').alloc(1, at(0)).alloc(1, at(1)).free(at(0), 1).free(at(1), 1);
    parted.expect('[..,,]').alloc(4, at(0)).expect('[aaaa]');
  });
  it('NextFitWinsOverTheOtherPolicies', () => {
    const arena = newArena(newSystem());
    arena.addSpan(BASE, 8 * QUANTUM);
    const { NOSLEEP, BESTFIT, NEXTFIT, ENDALLOC } = VmFlag;
    expect(arena.alloc(QUANTUM, NOSLEEP | BESTFIT | NEXTFIT | ENDALLOC)).toBe(BASE);
    expect(arena.searches).toBeGreaterThan(0);
  });
});

describe('constraints', () => {
  it('EndAllocTakesTheEnd', () => {
    drawn('ENDALLOC', '[.....]').alloc(2, at(3)).expect('[...aa]');
  });
  it('EndAllocIgnoresMaxaddr', () => {
    drawn('ENDALLOC', '[........]').alloc(1, at(7), { maxAddress: bound(4) });
  });
  it('EndAllocKeepsAlignmentAndPhase', () => {
    const constraint = { align: 4 * QUANTUM, phase: QUANTUM };
    drawn('ENDALLOC', '[........]').alloc(1, at(5), constraint).expect('[.....a..]');
  });
  it('MaxaddrIsExclusive', () => {
    drawn('BESTFIT', '[........]')
      .refuse(2, { maxAddress: bound(1) })
      .alloc(1, at(0), { maxAddress: bound(1) });
  });
  it('MinaddrIsInclusive', () => {
    drawn('BESTFIT', '[........]')
      .alloc(2, at(6), { minAddress: bound(6) })
      .refuse(1, { minAddress: bound(6) });
  });
  it('NocrossKeepsPhase', () => {
    const constraint = { align: 2 * QUANTUM, phase: QUANTUM, nocross: 8 * QUANTUM, minAddress: bound(6) };
    drawn('INSTANTFIT', '[................]').alloc(3, at(9), constraint).expect('[.........aaa....]');
  });
  it('NocrossAllowsAnEndOnTheBoundary', () => {
    const constraint = { nocross: 8 * QUANTUM, minAddress: bound(5) };
    drawn('INSTANTFIT', '[................]').alloc(3, at(5), constraint).expect('[.....aaa........]');
  });
});

describe('spans', () => {
  it('AdjacentSpansDoNotCoalesce', () => {
    const adjacent = spans('BESTFIT', [0, 2], [2, 2]).refuse(3).alloc(2, at(2)).alloc(2, at(0));
    adjacent.free(at(0), 2).free(at(2), 2).expect('[..][..]').refuse(3);
  });
  it('SpansKeepTheOrderOfCreation', () => {
    spans('NEXTFIT', [8, 2], [0, 2]).alloc(1, at(8)).alloc(2, at(0)).expect('[aa][b.]');
  });
});

/** A heap of 32 quanta and an arena over it that imports at least 4 quanta at a time. */
function importing(policy: Policy, returnsSpans = true) {
  const system = newSystem();
  const heap = newArena(system, { name: 'heap' });
  heap.addSpan(BASE, 32 * QUANTUM);
  const source = new AllocSource(heap, { returnsSpans });
  const child = newArena(system, { name: 'child', source, flags: ArenaFlag.NO_QCACHE });
  return { picture: new Picture(subjectOf(child, policy)), child, heap: () => draw(viewOf(heap)) };
}

describe('imported spans', () => {
  it('EmptySpanGoesBackAtOnce', () => {
    const { picture, heap } = importing('INSTANTFIT');
    picture.alloc(1, at(0)).expect('[a...]').alloc(1, at(1)).free(at(0), 1).expect('[.a..]');
    expect(heap()).toBe(`[aaaa${'.'.repeat(28)}]`);
    picture.free(at(1), 1).expect('');
    expect(heap()).toBe(`[${'.'.repeat(32)}]`);
  });
  it('SpanNotReleasedWithoutFreeFunction', () => {
    const { picture, heap } = importing('INSTANTFIT', false);
    picture.alloc(1, at(0)).free(at(0), 1).expect('[....]');
    expect(heap()).toBe(`[aaaa${'.'.repeat(28)}]`);
  });
  it('RotorKeepsAnEmptySpan', () => {
    const { picture, child } = importing('NEXTFIT');
    picture.alloc(1, at(0)).alloc(1, at(1)).free(at(0), 1).free(at(1), 1).expect('[..,,]');
    expect(child.releases).toBe(0);
  });
  it('RotorAdvanceReleasesSpan', () => {
    const { picture, child } = importing('NEXTFIT');
    picture.alloc(3, at(0)).alloc(3, at(4)).alloc(1, at(3)).free(at(3), 1).free(at(0), 3);
    picture.expect('[....][aaa.]').alloc(1, at(7)).expect('[aaab]');
    expect([child.releases, child.imports]).toEqual([1, 2]);
  });
  it('ConstrainedRequestsDoNotImport', () => {
    const { picture } = importing('INSTANTFIT');
    picture
      .refuse(1, { maxAddress: bound(32) })
      .refuse(1, { nocross: 4 * QUANTUM })
      .expect('');
  });
});
