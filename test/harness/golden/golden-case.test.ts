import { mkdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { NO_ADDRESS } from '../../../src/core/address.js';
import { findCases, resolveCases, SHIPPED_CASES } from '../../../src/harness/golden/find-cases.js';
import { GoldenCase } from '../../../src/harness/golden/golden-case.js';
import { illumosVmemOracle } from '../../../src/harness/golden/illumos-vmem.js';
import { NO_RESULT } from '../../../src/harness/golden/operations.js';
import { dumpAt, verifyCase } from '../../../src/harness/golden/verify.js';
import { CaseCopy, temporaryDirectory } from '../../support/case-copy.js';
import { arenaOf, type CaseScript, operationOf, writeReferenceCase } from '../../support/reference-case.js';

const request = { op: 'alloc', arena: 'root', flags: 'NOSLEEP' } as const;

/** A case of eight operations in 16 quanta at 2^63, and 4 more that are added at the very top. */
const SCRIPT: CaseScript = {
  name: 'eight',
  arenas: [arenaOf({ name: 'root', base: `0x${(2n ** 63n).toString(16)}`, size: 256, quantum: 16 })],
  *operations() {
    yield operationOf({ ...request, id: 7, size: 100n });
    yield operationOf({ op: 'add', arena: 'root', size: 64n, min: 2n ** 64n - 64n });
    yield operationOf({ ...request, id: 8, size: 1000n });
    yield operationOf({ op: 'free', arena: 'root', id: 7 });
    yield operationOf({ op: 'update' });
    yield operationOf({ ...request, op: 'xalloc', id: 9, size: 64n, min: 2n ** 64n - 64n });
    yield operationOf({ op: 'xfree', arena: 'root', id: 9 });
    yield operationOf({ ...request, id: 7, size: 48n });
  },
};

function eight(): GoldenCase {
  return new GoldenCase(writeReferenceCase(temporaryDirectory(), SCRIPT));
}

describe('the operations of a golden case', () => {
  it('are columns; a free has the size and the slot of its allocation', () => {
    const { operations } = eight();
    const names = [...operations.op].map((op) => operations.opNames[op]);
    expect(names).toEqual(['alloc', 'add', 'alloc', 'free', 'update', 'xalloc', 'xfree', 'alloc']);
    expect([...operations.size]).toEqual([100, 64, 1000, 100, 0, 64, 64, 48]);
    expect([...operations.slot]).toEqual([0, -1, 1, 0, -1, 0, 0, 0]);
    expect(operations.slotLimit).toBe(2);
  });

  it('have addresses in a space that holds the spans added on the way', () => {
    const { space, result, minAddress } = eight().operations;
    expect(space.format(result[0]!)).toBe('0x8000000000000000');
    expect([result[2], result[3]]).toEqual([NO_ADDRESS, NO_RESULT]);
    expect(space.format(result[5]!)).toBe('0xffffffffffffffc0');
    expect([minAddress[1], minAddress[5]]).toEqual([result[1], result[5]]);
  });

  it('are verified with every table', () => {
    expect(verifyCase(eight(), illumosVmemOracle)).toBeUndefined();
  });

  it('can be replayed up to any of them, a wrong result notwithstanding', () => {
    const golden = new GoldenCase(
      new CaseCopy('tiny-mixedpolicy').editField('ops.csv.gz', 2, 'result', 'ENOMEM').directory,
    );
    expect(verifyCase(golden, illumosVmemOracle)).toMatchObject({
      seq: 1,
      what: 'result',
      wanted: 'ENOMEM',
      got: '0x10000',
    });
    expect(dumpAt(golden, illumosVmemOracle, 2)).toContain('alloc 0x10060 467');
  });
});

describe('golden cases', () => {
  it('are found at any depth, in the order of their paths', () => {
    const directory = temporaryDirectory();
    for (const parent of ['z', 'a/b']) {
      mkdirSync(join(directory, parent), { recursive: true });
      writeReferenceCase(join(directory, parent), SCRIPT);
    }
    expect(findCases(directory)).toEqual([join(directory, 'a/b/eight'), join(directory, 'z/eight')]);
  });

  it('are resolved by name or by oracle and name', () => {
    const [byName] = resolveCases('idspace');
    expect(resolveCases('illumos-vmem/idspace')).toEqual([byName]);
    expect(findCases(SHIPPED_CASES).map((path) => basename(path))).toContain('idspace');
  });
});
