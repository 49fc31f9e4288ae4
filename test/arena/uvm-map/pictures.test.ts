import { describe, expect, it } from 'vitest';
import { MapPicture } from '../../support/uvm-picture.js';

const empty = () => new MapPicture(12);
const Q = { words: 'q' };
const N = { words: 'n' };

describe('placement', () => {
  it('EntryPageTakesTheLowestHoleFirst', () => void empty().enter(2, 1).expect('[Kaa.........]', 0, 27));
  it('LowestFit', () => void empty().enter(5, 1).unmap(2, 2).enter(1, 2).expect('[Kaa.bb......]', 0, 26));
  it('TooLargeForTheLowestHole', () =>
    void empty().enter(5, 1).unmap(2, 2).enter(3, 6).expect('[Ka..bbbbb...]', 0, 26));
  it('Aligned', () => void empty().enter(1, 1).enter(2, 4, { align: 4 }).expect('[Ka..bb......]', 0, 26));
  it('AlignedFitInTheHoleBelow', () =>
    void empty()
      .enter(9, 1)
      .unmap(3, 4)
      .enter(2, 4, { align: 4, ...N })
      .expect('[Kaa.bb.ccc..]', 0, 25));
  it('HintInAHole', () => void empty().enter(1, 6, { hint: 6 }).expect('[K.....a.....]', 0, 27));
  it('HintIsAlignedUp', () =>
    void empty().enter(1, 8, { hint: 6, align: 4 }).expect('[K.......a...]', 0, 27));
  it('HintInAnEntryGoesToItsEnd', () =>
    void empty()
      .enter(3, 1)
      .enter(1, 4, { hint: 2, ...N })
      .expect('[Kaaab.......]', 0, 26));
  it('HintGoesOnToALaterHole', () =>
    void empty()
      .enter(9, 1)
      .unmap(7, 1)
      .enter(2, 10, { hint: 7, ...N })
      .expect('[Kaaaaaa.bbcc]', 0, 25));
  it('NothingBelowTheHintIsTried', () =>
    void empty().enter(4, null, { hint: 9 }).expect('[K...........]', 0, 28));
  it('Fixed', () =>
    void empty().enter(2, 5, { hint: 5, words: 'f' }).enter(2, null, { hint: 6, words: 'f' }));
  it('FixedPastTheLimit', () => void empty().enter(2, null, { hint: 11, words: 'f' }));
  it('Full', () => void empty().enter(11, 1).enter(1, null).expect('[Kaaaaaaaaaaa]', 0, 27));
});

describe('merging', () => {
  it('Back', () => void empty().enter(1, 1).enter(2, 2).expect('[Kaaa........]', 0, 27));
  it('Forward', () =>
    void empty()
      .enter(4, 1)
      .unmap(1, 2)
      .enter(1, 2, { hint: 2, words: 'f' })
      .expect('[K.aaa.......]', 0, 27));
  it('BothSides', () =>
    void empty()
      .enter(3, 1)
      .unmap(2, 1)
      .expect('[Ka.b........]', 0, 26)
      .enter(1, 2)
      .expect('[Kaaa........]', 0, 27));
  it('QuantumEntriesAreKept', () =>
    void empty().enter(1, 1, Q).enter(2, 2, Q).expect('[Kaaa........]', 1, 26));
  it('AndUsedForSplits', () =>
    void empty()
      .enter(1, 1, Q)
      .enter(1, 2, Q)
      .enter(1, 3, Q)
      .expect('[Kaaa........]', 2, 25)
      .unmap(2, 1, 'q')
      .expect('[Ka.b........]', 0, 26)
      .enter(1, 2, Q)
      .expect('[Kaaa........]', 2, 25));
  it('NoMerge', () => void empty().enter(1, 1, N).enter(1, 2, N).enter(1, 3).expect('[Kabc........]', 0, 25));
  it('NotWithQuantum', () => void empty().enter(1, 1, Q).enter(1, 2).expect('[Kab.........]', 0, 26));
  it('NotWithOtherProtection', () =>
    void empty().enter(1, 1).enter(1, 2, { words: 'r' }).expect('[Kab.........]', 0, 26));
  it('NotWithAnObject', () =>
    void empty().enter(1, 1).enter(1, 2, { words: 'o' }).expect('[Kab.........]', 0, 26));
});

describe('bits of entries from entry pages', () => {
  it('StayWhenTheEntryIsUsedAgain', () =>
    void empty().enter(1, 1, N).unmap(1, 1).enter(1, 1).enter(1, 2).expect('[Kab.........]', 0, 26));
  it('AreNotCopiedToThePartsOfASplit', () =>
    void empty().enter(3, 1, N).unmap(2, 1).enter(1, 2).expect('[Kaaa........]', 0, 27));
});

describe('splitting', () => {
  it('AtTheStart', () => void empty().enter(3, 1).unmap(1, 1).expect('[K.aa........]', 0, 27));
  it('AtTheEnd', () => void empty().enter(3, 1).unmap(3, 1).expect('[Kaa.........]', 0, 27));
  it('InTheMiddle', () => void empty().enter(3, 1).unmap(2, 1).expect('[Ka.b........]', 0, 26));
  it('AcrossEntriesAndHoles', () =>
    void empty()
      .enter(3, 1)
      .enter(1, 6, { hint: 6 })
      .enter(3, 8, { hint: 8 })
      .unmap(2, 7)
      .expect('[Ka.......bb.]', 0, 26));
  it('HolesThatBecomeOneAreCounted', () => {
    const merges = (picture: MapPicture) => picture.map.figures.merges;
    expect(merges(empty().enter(5, 1).unmap(3, 1))).toBe(0);
    expect(merges(empty().enter(5, 1).unmap(5, 1))).toBe(1);
    expect(merges(empty().enter(5, 1).unmap(3, 1).unmap(4, 2))).toBe(2);
  });
  it('IsCounted', () => {
    const { figures } = empty().enter(5, 1).unmap(2, 1).unmap(5, 1).unmap(1, 1).map;
    expect([figures.entriesForSplits, figures.entriesReserved, figures.hangs]).toEqual([3, 6, 0]);
  });
});

describe('pages of entries', () => {
  const page = (entries: number) => `K${'abcdefghijklmnopqrstuvwxyzab'.slice(0, entries)}`;
  const large = () => new MapPicture(34);

  it('AreMadeWhenTheLastEntryIsOut', () => {
    const picture = large()
      .fill(28)
      .expect(`[${page(28)}.....]`, 0, 0);
    picture.fill(1).expect(`[${page(28)}Kc...]`, 0, 27);
  });
  it('OneStaysThoughItIsEmpty', () => void empty().enter(1, 1).unmap(1, 1).expect('[K...........]', 0, 28));
  it('OneThatIsEmptyGoesIfAnotherHasFreeEntries', () =>
    void large()
      .fill(29)
      .unmap(5, 1)
      .expect(`[Kabcd.${'efghijklmnopqrstuvwxyza'}Kb...]`, 0, 28)
      .unmap(30, 1)
      .expect(`[Kabcd.${'efghijklmnopqrstuvwxyza'}.....]`, 0, 1));
});
