import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findCases, SHIPPED_CASES } from '../../src/harness/golden/find-cases.js';
import { GoldenCase } from '../../src/harness/golden/golden-case.js';
import { netbsdVmemOracle } from '../../src/harness/golden/netbsd-vmem.js';
import { verifyCase } from '../../src/harness/golden/verify.js';
import { CaseCopy } from '../support/case-copy.js';
import { runCli } from '../support/run-cli.js';
import { sharedPath } from '../support/shared.js';
import { casesAreShippedAsIn, namedCases } from '../support/shipped-cases.js';

const shipped = join(SHIPPED_CASES, 'netbsd-vmem');
const shared = sharedPath('golden/netbsd-vmem');

describe('NetBSD vmem is exact on the shipped vectors', () => {
  it('of which there are 22', () => {
    expect(findCases(shipped)).toHaveLength(22);
  });

  it.each(namedCases(findCases(shipped)))('%s', (_name, directory) => {
    const golden = new GoldenCase(directory);
    expect(netbsdVmemOracle.skipReason(golden)).toBeUndefined();
    expect(verifyCase(golden, netbsdVmemOracle)).toBeUndefined();
  });

  it('in all columns, but for the three that the kernel case does not count', () => {
    const left = findCases(shipped).map((directory) => {
      return [
        basename(directory),
        Object.keys(netbsdVmemOracle.unmodelled(new GoldenCase(directory))),
      ] as const;
    });
    expect(left.filter(([, columns]) => columns.length > 0)).toEqual([
      ['kernel-boot', ['imports', 'releases', 'import_failures']],
    ]);
  });
});

describe('a damaged case of NetBSD vmem', () => {
  const damages: readonly (readonly [string, string, (copy: CaseCopy) => CaseCopy, string])[] = [
    [
      'another result',
      'qcache-colour',
      (copy) => copy.editField('ops.csv.gz', 9, 'result', '0x1000'),
      'FAILED',
    ],
    [
      'another number of spare tags',
      'qcache-colour',
      (copy) => copy.editField('checkpoints.csv', 5, 'nfreetags', '1'),
      'checkpoints.csv kva nfreetags',
    ],
    [
      'another item length',
      'qcache-colour',
      (copy) => copy.editField('qcaches.csv', 3, 'pool_item_size', '1'),
      'qcaches.csv row 2',
    ],
    [
      'an unknown operation',
      'qcache-colour',
      (copy) => copy.editField('ops.csv.gz', 4, 'op', 'grow'),
      "4: op: unknown operation 'grow' (allowed: alloc, free, xalloc, xfree, add, reap, rehash)",
    ],
    [
      'an unknown flag',
      'qcache-colour',
      (copy) => copy.editField('ops.csv.gz', 4, 'flags', 'bestfi'),
      "4: flags: unknown flag 'bestfi' (allowed: instantfit, bestfit)",
    ],
    [
      'a free of another length',
      'multispan-add',
      (copy) => copy.edit('ops.csv.gz', (text) => text.replace(/(,free,m,\d+),\d+/, '$1,1')),
      "size: bad value '1' of free",
    ],
    [
      'a reap of nothing',
      'qcache-16',
      (copy) => copy.editField('ops.csv.gz', 3758, 'arena', ''),
      "3758: arena: reap of arena ''",
    ],
    [
      'an unknown source',
      'qcache-16',
      (copy) => copy.edit('case.json', (text) => text.replace('"source": "kmem"', '"source": "heap"')),
      "kva: unknown source 'heap'",
    ],
    [
      'another kernel',
      'kernel-boot',
      (copy) => copy.edit('case.json', (text) => text.replace('"name": "vmem-va"', '"name": "va"')),
      'arenas: not the arenas of a kernel',
    ],
  ];

  it.each(damages)('%s is noticed', async (_what, name, damage, message) => {
    const copy = damage(new CaseCopy(name, 'netbsd-vmem'));
    const { exitCode, stdout } = await runCli(['verify', copy.directory]);
    expect(stdout).toContain(message);
    expect(exitCode).not.toBe(0);
  });

  it('can be looked at up to an operation', async () => {
    const { stdout } = await runCli(['verify', join(shipped, 'qcache-colour'), '--until', '0']);
    expect(stdout).toContain('arena kva: 2 tags, 6 spare\n  span 0xffffc00000000000 262144\n    alloc');
  });
});

describe.skipIf(shared === undefined)('beside the shared vectors', () => {
  casesAreShippedAsIn(() => shared!, shipped);

  it.each(['speed-1m-noq', 'speed-1m-q16'])('%s passes', (name) => {
    const golden = new GoldenCase(join(shared!, name));
    expect(verifyCase(golden, netbsdVmemOracle)).toBeUndefined();
  });
});
