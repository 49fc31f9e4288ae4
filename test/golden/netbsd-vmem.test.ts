import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findCases, SHIPPED_CASES } from '../../src/harness/golden/find-cases.js';
import { GoldenCase } from '../../src/harness/golden/golden-case.js';
import { netbsdVmemOracle } from '../../src/harness/golden/netbsd-vmem.js';
import { verifyCase } from '../../src/harness/golden/verify.js';
import { sharedPath } from '../support/shared.js';

const shipped = join(SHIPPED_CASES, 'netbsd-vmem');
const shared = sharedPath('golden/netbsd-vmem');

function named(directories: readonly string[]): (readonly [string, string])[] {
  return directories.map((directory) => [basename(directory), directory] as const);
}

describe('NetBSD vmem is exact on the shipped vectors', () => {
  it('of which there are 22', () => {
    expect(findCases(shipped)).toHaveLength(22);
  });

  it.each(named(findCases(shipped)))('%s', (_name, directory) => {
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

describe.skipIf(shared === undefined)('beside the shared vectors', () => {
  it.each(named(findCases(shipped)))('%s is shipped as it is there', (name, directory) => {
    expect(readdirSync(directory)).toEqual(readdirSync(join(shared!, name)));
    for (const file of readdirSync(directory)) {
      const isSame = readFileSync(join(directory, file)).equals(readFileSync(join(shared!, name, file)));
      expect([file, isSame]).toEqual([file, true]);
    }
  });

  it.each(['speed-1m-noq', 'speed-1m-q16'])('%s passes', (name) => {
    const golden = new GoldenCase(join(shared!, name));
    expect(verifyCase(golden, netbsdVmemOracle)).toBeUndefined();
  });
});
