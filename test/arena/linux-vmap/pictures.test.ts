import { describe, expect, it } from 'vitest';
import { MisuseError } from '../../../src/core/errors.js';
import { VmapPicture } from '../../support/vmap-picture.js';

const oneCpu = () => new VmapPicture(16);
const twoCpus = () => new VmapPicture(16, 2);

describe('placement', () => {
  it('LowestFit', () =>
    void oneCpu()
      .alloc(3, 0)
      .alloc(2, 3)
      .alloc(2, 5)
      .free(3)
      .drain(1)
      .alloc(1, 3)
      .expect('[aaab.cc.........]'));
  it('TooLargeForTheLowestHole', () =>
    void oneCpu().alloc(2, 0).alloc(2, 2).free(0).drain(1).alloc(3, 4).expect('[..aabbb.........]'));
  it('Aligned', () => void oneCpu().alloc(1, 0).alloc(5, 4, 4).alloc(5, 9).expect('[a...bbbbbccccc..]'));
  it('LastPageIsNeverGivenOut', () => void oneCpu().alloc(16, null).alloc(15, 0).alloc(1, null));
  it('Window', () =>
    void oneCpu().allocWithin(4, 8, 2, 4).allocWithin(4, 8, 3, null).expect('[....aa..........]'));
  it('WindowAsLongAsTheRequest', () =>
    void oneCpu().alloc(4, 0).allocWithin(4, 8, 4, 4, 4).expect('[aaaabbbb........]'));
  // Holes of four pages at 4 and 12: neither is enough for the worst alignment, and the walk tests the upper one first.
  it('AlignedHoleThatTheWalkHappensToTest', () =>
    void new VmapPicture(64)
      .alloc(4, 0)
      .alloc(4, 4)
      .alloc(4, 8)
      .alloc(4, 12)
      .alloc(4, 16)
      .free(4, 12)
      .drain(2)
      .alloc(4, 12, 4)
      .alloc(4, 4, 4));
});

describe('lazy frees', () => {
  it('FreedRangeWaits', () => void oneCpu().alloc(2, 0).free(0).alloc(2, 2).expect('[~~aa............]'));
  it('DrainedRangeIsUsedAgain', () =>
    void oneCpu().alloc(2, 0).free(0).drain(1).alloc(2, 0).expect('[aa..............]'));
  it('NeighboursAreJoined', () =>
    void oneCpu().alloc(2, 0).alloc(2, 2).alloc(2, 4).free(0, 4).drain(2).free(2).drain(1).alloc(15, 0));
  it('FailingRequestReclaims', () =>
    void oneCpu().alloc(8, 0).free(0).alloc(12, 0).expect('[aaaaaaaaaaaa....]'));
});

describe('pools', () => {
  it('PurgedAreaIsPooled', () => void twoCpus().alloc(2, 0).free(0).drain(1).expect('[==..............]'));
  it('PoolServesItsSizeAlone', () =>
    void twoCpus().alloc(2, 0).free(0).drain(1).alloc(1, 2).alloc(2, 0).expect('[aab.............]'));
  it('PoolOfAnotherCpu', () =>
    void twoCpus().alloc(2, 0).free(0).drain(1).alloc(2, 2, 1, 1).expect('[==aa............]'));
  it('HighestAddressFirst', () =>
    void twoCpus().alloc(2, 0).alloc(2, 2).alloc(2, 4).free(2, 0, 4).drain(3).alloc(2, 4).alloc(2, 2));
  it('NotAlignedGoesLast', () =>
    void twoCpus()
      .alloc(2, 0)
      .alloc(2, 2)
      .free(0, 2)
      .drain(2)
      .alloc(2, 4, 4)
      .alloc(2, 0, 4)
      .expect('[aa==bb..........]'));
  it('ShortPoolDecaysWhole', () =>
    void twoCpus()
      .alloc(2, 0)
      .alloc(2, 2)
      .free(0, 2)
      .drain(2)
      .expect('[====............]')
      .drain(0)
      .expect('[................]'));
  it('QuarterOfALongerPool', () =>
    void twoCpus()
      .alloc(2, 0)
      .alloc(2, 2)
      .alloc(2, 4)
      .alloc(2, 6)
      .free(0, 2, 4, 6)
      .drain(4)
      .drain(0)
      .expect('[======..........]'));
  it('Shrinker', () =>
    void twoCpus().alloc(2, 0).alloc(1, 2).free(0).drain(1).free(2).shrink().expect('[..~.............]'));
  it('FullPassPoolsNothing', () =>
    void twoCpus().alloc(2, 0).free(0).reclaim(1).expect('[................]'));
  it('OtherWindowsAreNotPooled', () =>
    void twoCpus().allocWithin(4, 8, 2, 4).free(4).drain(1).expect('[................]'));
});

describe('per-CPU chunks', () => {
  it('TopDown', () => void oneCpu().congruent([0, 4], 2, 2, [8, 12]).expect('[........aa..bb..]'));
  it('RoundStartsAgainBelow', () =>
    void oneCpu().allocWithin(8, 10, 2, 8).congruent([0, 4], 2, 2, [6, 10]).expect('[......aabbcc....]'));
  it('NoRoom', () => void oneCpu().alloc(8, 0).congruent([0, 8], 2, 2, []));
});

it('what is not in use cannot be freed', () => {
  const picture = oneCpu().alloc(2, 0);
  expect(() => picture.free(1)).toThrow(MisuseError);
  picture.free(0);
  expect(() => picture.free(0)).toThrow('no area in use starts here [name=vmap');
  expect(() => picture.alloc(1, null, 3)).toThrow('bad request');
});
