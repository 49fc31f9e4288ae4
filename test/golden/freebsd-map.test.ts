import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findCases, SHIPPED_CASES } from '../../src/harness/golden/find-cases.js';
import { freebsdMapOracle } from '../../src/harness/golden/freebsd-map.js';
import { GoldenCase } from '../../src/harness/golden/golden-case.js';
import { verifyCase } from '../../src/harness/golden/verify.js';
import { CaseCopy } from '../support/case-copy.js';
import { runCli } from '../support/run-cli.js';
import { sharedPath } from '../support/shared.js';
import { casesAreShippedAsIn, namedCases } from '../support/shipped-cases.js';

const shipped = join(SHIPPED_CASES, 'freebsd-map');
const shared = sharedPath('golden/freebsd-map');

describe("FreeBSD's map is exact on the shipped vectors", () => {
  it('of which there are 6, the last gap among them', () => {
    const names = findCases(shipped).map((path) => basename(path));
    expect(names).toHaveLength(6);
    expect(names).toContain('map-last-gap-quirk');
  });

  it.each(namedCases(findCases(shipped)))('%s, in all columns', (_name, directory) => {
    const golden = new GoldenCase(directory);
    expect(freebsdMapOracle.skipReason(golden)).toBeUndefined();
    expect(freebsdMapOracle.unmodelled(golden)).toEqual({});
    expect(verifyCase(golden, freebsdMapOracle)).toBeUndefined();
  });
});

describe("a damaged case of FreeBSD's map", () => {
  const damages: readonly (readonly [string, (copy: CaseCopy) => CaseCopy, string])[] = [
    ['another result', (copy) => copy.editField('ops.csv.gz', 5, 'result', '0xfffffe0000200000'), 'FAILED'],
    [
      'another number of entries',
      (copy) => copy.editField('checkpoints.csv', 5, 'entries', '7'),
      'checkpoints.csv map entries',
    ],
    [
      'an unknown operation',
      (copy) => copy.editField('ops.csv.gz', 4, 'op', 'grow'),
      "4: op: unknown operation 'grow' (allowed: alloc, xalloc, free, insert)",
    ],
    [
      'an unknown mode',
      (copy) => copy.editField('ops.csv.gz', 3, 'flags', 'SOME:3'),
      "3: flags: unknown flags 'SOME:3' (allowed: ANY, SUPER, ALIGN or FIXED",
    ],
    ['an unknown map', (copy) => copy.editField('ops.csv.gz', 2, 'arena', 'kmem'), '2: arena: no known map'],
    [
      'an insertion without id',
      (copy) => copy.editField('ops.csv.gz', 2, 'id', ''),
      '2: id: no allocation (allowed: the id of an allocation)',
    ],
    [
      'a map without end',
      (copy) => copy.edit('case.json', (text) => text.replace('"max"', '"most"')),
      'case.json: /arenas/0/base',
    ],
  ];

  it.each(damages)('%s is noticed', async (_what, damage, message) => {
    const copy = damage(new CaseCopy('map-last-gap-quirk', 'freebsd-map'));
    const { exitCode, stdout } = await runCli(['verify', copy.directory]);
    expect(stdout).toContain(message);
    expect(exitCode).not.toBe(0);
  });

  it('can be looked at up to an operation', async () => {
    const { stdout } = await runCli(['verify', join(shipped, 'map-last-gap-quirk'), '--until', '1']);
    expect(stdout).toContain(
      'map map: 1 entries, root 0\n  entry 0 0xfffffe0000100000..0xfffffe0000200000 attributes 3, then 65011712 free',
    );
  });
});

describe.skipIf(shared === undefined)('beside the shared vectors', () => {
  it('all are shipped', () => {
    expect(namedCases(findCases(shared!)).map(([name]) => name)).toEqual(
      namedCases(findCases(shipped)).map(([name]) => name),
    );
  });

  casesAreShippedAsIn(() => shared!, shipped);
});
