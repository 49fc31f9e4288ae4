import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findCases, SHIPPED_CASES } from '../../src/harness/golden/find-cases.js';
import { freebsdVmemOracle } from '../../src/harness/golden/freebsd-vmem.js';
import { GoldenCase } from '../../src/harness/golden/golden-case.js';
import { verifyCase } from '../../src/harness/golden/verify.js';
import { CaseCopy } from '../support/case-copy.js';
import { runCli } from '../support/run-cli.js';
import { sharedPath } from '../support/shared.js';
import { casesAreShippedAsIn, namedCases } from '../support/shipped-cases.js';

const shipped = join(SHIPPED_CASES, 'freebsd-vmem');
const shared = sharedPath('golden/freebsd-vmem');

describe('FreeBSD vmem is exact on the shipped vectors', () => {
  it('of which there are 12', () => {
    expect(findCases(shipped)).toHaveLength(12);
  });

  it.each(namedCases(findCases(shipped)))('%s, in all columns', (_name, directory) => {
    const golden = new GoldenCase(directory);
    expect(freebsdVmemOracle.skipReason(golden)).toBeUndefined();
    expect(freebsdVmemOracle.unmodelled(golden)).toEqual({});
    expect(verifyCase(golden, freebsdVmemOracle)).toBeUndefined();
  });
});

describe('a damaged case of FreeBSD vmem', () => {
  const damages: readonly (readonly [string, string, (copy: CaseCopy) => CaseCopy, string])[] = [
    [
      'another result',
      'bestfit-small',
      (copy) => copy.editField('ops.csv.gz', 9, 'result', '0xfffffe0000401000'),
      'FAILED',
    ],
    [
      'another free list',
      'bestfit-small',
      (copy) => copy.editField('checkpoints.csv', 5, 'freelist', '0:1'),
      'checkpoints.csv kva freelist',
    ],
    [
      'another place of the cursor',
      'xalloc-nextfit',
      (copy) => copy.editField('checkpoints.csv', 5, 'cursor_next', 'end'),
      'checkpoints.csv x cursor_next',
    ],
    [
      'an unknown operation',
      'bestfit-small',
      (copy) => copy.editField('ops.csv.gz', 4, 'op', 'grow'),
      "4: op: unknown operation 'grow' (allowed: alloc, free, xalloc, xfree, add, reap, reapcpu, cpu, rehash)",
    ],
    [
      'an unknown flag',
      'bestfit-small',
      (copy) => copy.editField('ops.csv.gz', 3, 'flags', 'INSTANTFIT'),
      "3: flags: unknown flag 'INSTANTFIT' (allowed: BESTFIT, FIRSTFIT, NEXTFIT)",
    ],
    [
      'a CPU that is not there',
      'qcache-4cpu-buffer',
      (copy) => copy.editField('ops.csv.gz', 6, 'size', '4'),
      '6: size: no CPU 4 (allowed: 0 to 3)',
    ],
    [
      'an unknown source',
      'import-release',
      (copy) => copy.edit('case.json', (text) => text.replace('"source": "root"', '"source": "heap"')),
      "rel: unknown source 'heap'",
    ],
    [
      'an unknown way to import',
      'import-release',
      (copy) => copy.edit('case.json', (text) => text.replace('"vmem_xalloc"', '"vmem_yalloc"')),
      'case.json: /arenas/1/import_kind',
    ],
  ];

  it.each(damages)('%s is noticed', async (_what, name, damage, message) => {
    const copy = damage(new CaseCopy(name, 'freebsd-vmem'));
    const { exitCode, stdout } = await runCli(['verify', copy.directory]);
    expect(stdout).toContain(message);
    expect(exitCode).not.toBe(0);
  });

  it('can be looked at up to an operation', async () => {
    const { stdout } = await runCli(['verify', join(shipped, 'bestfit-small'), '--until', '1']);
    expect(stdout).toContain(
      'arena kva: 3 tags, 3 spare, cursor before span:0xfffffe0000400000\n  span (static) 0xfffffe0000400000',
    );
  });
});

describe.skipIf(shared === undefined)('beside the shared vectors', () => {
  casesAreShippedAsIn(() => shared!, shipped);

  const others = shared === undefined ? [] : findCases(shared).filter((path) => !isShipped(path));
  it.each(namedCases(others))('%s passes', (_name, directory) => {
    expect(verifyCase(new GoldenCase(directory), freebsdVmemOracle)).toBeUndefined();
  });
});

function isShipped(directory: string): boolean {
  return readdirSync(shipped).includes(basename(directory));
}
