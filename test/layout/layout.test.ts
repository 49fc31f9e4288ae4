import { describe, expect, it } from 'vitest';
import { findProblems, type Segment } from '../../src/layout/layout.js';

function segment(name: string, base: bigint, size: bigint, kind: Segment['kind'] = 'allocator'): Segment {
  return { name, base, size, kind, rule: '' };
}

describe('problems of a layout', () => {
  it('none where segments touch', () => {
    expect(findProblems([segment('a', 0n, 4n), segment('b', 4n, 12n)], 16n)).toEqual([]);
  });

  it('an overlap is named once, with its range, also of segments that are no neighbours', () => {
    const found = findProblems([segment('a', 0n, 9n), segment('b', 2n, 1n), segment('c', 8n, 4n)], 16n);
    expect(found).toEqual([
      { kind: 'overlap', text: 'a and b share 0x2 to 0x3' },
      { kind: 'overlap', text: 'a and c share 0x8 to 0x9' },
    ]);
  });

  it('what enters a red zone is told apart', () => {
    const found = findProblems([segment('a', 0n, 9n), segment('guard', 8n, 4n, 'red zone')], 16n);
    expect(found).toEqual([{ kind: 'red zone', text: 'a reaches into the guard, 0x8 to 0x9' }]);
  });

  it('sizes below zero and ends past the top do not fit', () => {
    const found = findProblems([segment('a', 8n, -4n), segment('b', 12n, 5n)], 16n);
    expect(found.map(({ kind, text }) => `${kind}: ${text}`)).toEqual([
      'does not fit: a would need 4 bytes more than there are',
      'does not fit: b ends at 0x11, past the top',
    ]);
  });
});
