import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AMD64_REVISIONS, amd64Bases, amd64Layout } from '../../src/layout/illumos-amd64.js';
import { hexAddress, isSound, TOP_64 } from '../../src/layout/layout.js';
import { inputErrorOf } from '../support/input-error.js';

const GIB = 1n << 30n;
const TIB = 1n << 40n;

describe('what the ticket of 12608 says of 512 GiB', () => {
  it('the quoted line gives the default base itself, not 0xffffff8000000000', () => {
    const { segkpmBase, rawSegkpmBase } = amd64Bases({ physmem: 512n * GIB }, 'quoted');
    expect(hexAddress(segkpmBase)).toBe('0xfffffe0000000000');
    expect(rawSegkpmBase).toBe(segkpmBase);
  });

  it('the quoted line lies above the default base up to 384 GiB, where the code bounds it', () => {
    const quoted = amd64Layout({ physmem: 384n * GIB }, 'quoted');
    const before = amd64Layout({ physmem: 384n * GIB }, 'before-12608');
    expect(base(quoted, 'segkpm')).toBe('0xfffffe8000000000');
    expect(base(before, 'segkpm')).toBe('0xfffffe0000000000');
    expect(quoted.findings.map(({ text }) => text)).toEqual([
      'the formula puts segkpm above its default base 0xfffffe0000000000',
    ]);
    expect(before.findings[0]!.text).toContain('it is bounded to 0xfffffe0000000000');
  });
});

describe('a layout that does not work is flagged', () => {
  it('a heap of less than nothing, and what it overlaps', () => {
    const layout = amd64Layout({ physmem: 20n * TIB }, 'after-12608');
    expect(layout.heap.size).toBeLessThan(0n);
    const kinds = layout.findings.map(({ kind }) => kind);
    expect(kinds).toContain('does not fit');
    expect(kinds).toContain('overlap');
    expect(isSound(layout)).toBe(false);
  });

  it('a red zone in the hole, where nothing bounds the formula', () => {
    const layout = amd64Layout({ physmem: 40n * TIB }, 'quoted');
    expect(layout.findings.map(({ text }) => text).join()).toContain('the non-canonical hole');
  });

  it('a tuned segkvmm that eats the heap', () => {
    const layout = amd64Layout({ physmem: 64n * GIB, segkvmmSize: 2n * TIB }, 'after-12608');
    expect(layout.findings.some(({ kind }) => kind === 'does not fit')).toBe(true);
  });
});

describe('what the kernel does with odd values', () => {
  it('segkpsize out of range is replaced by the default', () => {
    const bases = amd64Bases({ physmem: 64n * GIB, segkpSize: 100n << 20n }, 'after-12608');
    expect(bases.segkpSize).toBe(2n * GIB);
    const layout = amd64Layout({ physmem: 64n * GIB, segkpSize: 100n << 20n }, 'after-12608');
    expect(layout.findings.map(({ text }) => text).join()).toContain('the kernel takes 2 GiB');
  });

  it('memory DR counts before 12609 only', () => {
    const machine = { physmem: 64n * GIB, platformDr: 16n * TIB };
    expect(amd64Bases(machine, 'before-12608').isAdjusted).toBe(true);
    expect(amd64Bases(machine, 'after-12608').isAdjusted).toBe(false);
    const { findings } = amd64Layout(machine, 'after-12608');
    expect(findings.map(({ text }) => text)).toContain('memory DR is ignored since 12609');
  });

  it.each([
    ['no RAM', { physmem: 0n }, 'physmem: 0 bytes cannot be laid out'],
    ['part of a page', { physmem: 4097n }, 'physmem: 4097 bytes cannot be laid out'],
    ['more than processors address', { physmem: 1n << 53n }, 'physmem: '],
    [
      'less address space than RAM',
      { physmem: GIB, physmax: 4096n },
      'physmem: 1073741824 bytes cannot be laid out',
    ],
  ])('%s is refused', (_what, machine, message) => {
    expect(inputErrorOf(() => amd64Layout(machine, 'after-12608'))).toContain(message);
  });
});

describe('whatever the RAM up to 15 TiB', () => {
  it('the segments tile what lies above the tables, in order, without a problem', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: 1n << 16n, max: (15n * TIB) / 4096n }),
        fc.constantFrom('before-12608', 'after-12608' as const),
        (pages, revision) => {
          const layout = amd64Layout(
            { physmem: pages * 4096n },
            revision as (typeof AMD64_REVISIONS)[number],
          );
          expect(isSound(layout)).toBe(true);
          const above = layout.segments.slice(
            layout.segments.findIndex(({ name }) => name === 'valloc tables'),
          );
          let end = above[0]!.base;
          for (const { base: start, size } of above) {
            expect(start).toBe(end);
            end = start + size;
          }
          expect(end).toBe(TOP_64);
        },
      ),
    );
  });
});

function base(layout: ReturnType<typeof amd64Layout>, name: string): string {
  return hexAddress(layout.segments.find((segment) => segment.name === name)!.base);
}
