import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteNames } from '../../src/trace/byte-names.js';

describe('names in bytes', () => {
  it('get the number of their first appearance, wherever they stand and however long they are', () => {
    const texts = fc.array(fc.string({ maxLength: 30 }), { maxLength: 50 });
    fc.assert(
      fc.property(texts, fc.string({ maxLength: 5 }), fc.string({ maxLength: 5 }), (list, before, behind) => {
        const names = new ByteNames();
        for (const text of [...list, ...list]) {
          const bytes = Uint8Array.from(Buffer.from(before + text + behind));
          const start = Buffer.byteLength(before);
          const id = names.idOf(bytes, start, start + Buffer.byteLength(text));
          expect(id).toBe([...new Set(list)].indexOf(text));
        }
      }),
    );
  });

  it('stay the same while their tables grow, up to the limit', () => {
    const names = new ByteNames(20_000);
    const text = (index: number) =>
      Uint8Array.from(Buffer.from(`some_function+0x${index.toString(16)}/0x10`));
    const idOf = (index: number) => names.idOf(text(index), 0, text(index).length);
    for (let index = 0; index < 20_000; index++) expect(idOf(index)).toBe(index);
    expect(idOf(20_000)).toBe(-1);
    for (let index = 0; index < 20_000; index++) expect(idOf(index)).toBe(index);
    expect(names.names[19_999]).toBe('some_function+0x4e1f/0x10');
  });

  it('are bounded in bytes, too', () => {
    const names = new ByteNames();
    const text = (index: number) => Uint8Array.from(Buffer.alloc(1 << 20, String(index)));
    const ids = Array.from({ length: 20 }, (_, index) => names.idOf(text(index + 10), 0, 1 << 20));
    expect(ids).toEqual([...Array.from({ length: 16 }, (_, id) => id), -1, -1, -1, -1]);
    expect(names.idOf(text(25), 0, 1 << 20)).toBe(15);
  });
});
