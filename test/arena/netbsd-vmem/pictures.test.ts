import { describe, expect, it } from 'vitest';
import { ArenaFlag } from '../../../src/arena/netbsd-vmem/flags.js';
import { AllocSource } from '../../../src/arena/netbsd-vmem/span-source.js';
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
} from '../../support/netbsd-picture.js';
import { at, draw, Picture } from '../../support/picture.js';

describe('instant fit', () => {
  it('LastFreedIsFirstUsed', () => {
    drawn('INSTANTFIT', '[#bb#cc#]').free(at(4), 2).free(at(1), 2).alloc(2, at(1)).expect('[abbc..d]');
  });
  it('OtherSizesSkipTheListThatMightFit', () => {
    drawn('INSTANTFIT', '[...#........]').alloc(3, at(4)).expect('[...abbb.....]');
  });
  it('FallsBackOnTheListThatMightFit', () => {
    drawn('INSTANTFIT', '[...#]').alloc(3, at(0)).expect('[aaab]');
  });
  it('LooksAtHeadsOnlyAndThenAtAll', () => {
    drawn('INSTANTFIT', '[....#....]').alloc(4, at(0), exactly(0, 4)).expect('[aaaab....]');
  });
  it('TheLowestListThatSurelyFitsComesFirst', () => {
    const bounds = { minAddress: bound(0), maxAddress: bound(20) };
    drawn('INSTANTFIT', '[...#........#......]').alloc(3, at(13), bounds).expect('[...a........bccc...]');
  });
});

describe('best fit', () => {
  it('IsNotTheTightest', () => {
    drawn('BESTFIT', '[.......#....#]').free(at(7), 1).expect('[............a]');
    drawn('BESTFIT', '[#bbbbb#cccc#]').free(at(7), 4).free(at(1), 5).alloc(4, at(1)).expect('[abbbb.c....d]');
  });
  it('PassesMembersThatAreTooSmall', () => {
    drawn('BESTFIT', '[#bbbbb#cccc#]').free(at(1), 5).free(at(7), 4).alloc(5, at(1)).expect('[abbbbbc....d]');
  });
});

describe('carving', () => {
  it('TheRestBehindIsListedLastAndSoUsedFirst', () => {
    drawn('INSTANTFIT', '[.....]').alloc(1, at(2), exactly(2, 1)).alloc(1, at(3)).expect('[..ab.]');
  });
  it('NeighboursCoalesceOnBothSides', () => {
    drawn('INSTANTFIT', '[.aabb.]').free(at(1), 2).expect('[...aa.]').free(at(3), 2).expect('[......]');
  });
  it('NoRestNoNewTag', () => {
    const arena = newArena(newSystem());
    arena.addSpan(BASE, 2 * QUANTUM);
    new Picture(subjectOf(arena, 'INSTANTFIT')).alloc(2, at(0)).expect('[aa]');
    expect([arena.splits, arena.spares.count]).toEqual([0, 6]);
  });
});

describe('constraints', () => {
  it('TheUpperBoundIsInclusive', () => {
    drawn('BESTFIT', '[........]')
      .refuse(2, { maxAddress: bound(2) - 1 })
      .alloc(2, at(0), { maxAddress: bound(2) });
  });
  it('AlignWithPhase', () => {
    const constraint = { align: 4 * QUANTUM, phase: QUANTUM };
    drawn('BESTFIT', '[..........]')
      .alloc(2, at(1), constraint)
      .alloc(2, at(5), constraint)
      .expect('[.aa..bb...]');
  });
  it('NocrossAllowsAnEndOnTheBoundary', () => {
    const constraint = { nocross: 8 * QUANTUM, minAddress: bound(5) };
    drawn('INSTANTFIT', '[................]').alloc(3, at(5), constraint).expect('[.....aaa........]');
  });
  it('NocrossKeepsPhase', () => {
    const constraint = { align: 2 * QUANTUM, phase: QUANTUM, nocross: 8 * QUANTUM, minAddress: bound(6) };
    drawn('INSTANTFIT', '[................]').alloc(3, at(9), constraint).expect('[.........aaa....]');
  });
});

describe('spans', () => {
  it('AdjacentSpansDoNotCoalesce', () => {
    const adjacent = spans('BESTFIT', [0, 2], [2, 2]).refuse(3).alloc(2, at(2)).alloc(2, at(0));
    adjacent.free(at(0), 2).free(at(2), 2).expect('[..][..]').refuse(3);
  });
  it('AStaticSpanStays', () => {
    spans('INSTANTFIT', [0, 4]).alloc(4, at(0)).free(at(0), 4).expect('[....]');
  });
});

/** A heap of 64 quanta and an arena that imports from it. */
function importing(policy: Policy, flags = 0) {
  const system = newSystem();
  const heap = newArena(system, { name: 'heap' });
  heap.addSpan(BASE, 64 * QUANTUM);
  const child = newArena(system, { name: 'child', source: new AllocSource(heap), flags });
  return { picture: new Picture(subjectOf(child, policy)), child, heap: () => draw(viewOf(heap)) };
}

describe('imported spans', () => {
  it('AsLargeAsTheRequestAndBackAtOnce', () => {
    const { picture, heap } = importing('INSTANTFIT');
    picture.alloc(3, at(0)).expect('[aaa]').alloc(1, at(3)).expect('[aaa][b]');
    expect(heap()).toBe(`[aaab${'.'.repeat(60)}]`);
    picture.free(at(0), 3).expect('[a]');
    expect(heap()).toBe(`[...a${'.'.repeat(60)}]`);
  });
  it('LargeImportTakesSixteenTimesAsMuch', () => {
    const { picture, heap } = importing('INSTANTFIT', ArenaFlag.LARGEIMPORT);
    picture.alloc(2, at(0)).expect(`[aa${'.'.repeat(30)}]`);
    expect(heap()).toBe(`[${'a'.repeat(32)}${'.'.repeat(32)}]`);
  });
  it('AlignmentBeyondTheQuantumDoesNotImport', () => {
    const { picture, child } = importing('INSTANTFIT');
    picture
      .refuse(1, { align: 2 * QUANTUM })
      .refuse(1, { nocross: 4 * QUANTUM })
      .expect('');
    expect(child.imports).toBe(0);
    picture.alloc(1, at(0), { align: QUANTUM }).expect('[a]');
  });
  it('BoundsImportUntilSomethingFits', () => {
    const { picture, child } = importing('INSTANTFIT');
    picture.alloc(1, at(3), exactly(3, 1)).expect('[.][.][.][a]');
    expect([child.imports, child.spanTags]).toEqual([4, 4]);
    picture.refuse(1, exactly(100, 1));
    expect([child.imports, child.importFails]).toEqual([64, 1]);
  });
});
