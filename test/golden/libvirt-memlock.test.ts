import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SHIPPED_CASES } from '../../src/harness/golden/find-cases.js';
import { libvirtMemlockOracle } from '../../src/harness/golden/libvirt-memlock.js';
import { verifyRows } from '../../src/harness/golden/row-oracle.js';
import { RULE_SETS, type RuleSet } from '../../src/memlock/rule-sets.js';
import { sharedPath } from '../support/shared.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const shipped = join(SHIPPED_CASES, 'libvirt-memlock/lifecycle.json');
const shared = sharedPath('golden/libvirt-memlock');

describe('locked-memory limits through the life of a guest', () => {
  it('are those of the vectors, event by event, in seven eras', () => {
    expect(verifyRows(libvirtMemlockOracle, shipped)).toEqual({ rows: 189 });
  });

  it.each(['limit', 'needed', 'orig'])('%s is compared', (field) => {
    const path = join(temporaryFolder(), 'libvirt-memlock', 'lifecycle.json');
    cpSync(shipped, path);
    const document = JSON.parse(readFileSync(path, 'utf8')) as {
      sequences: { eras: Record<string, Record<string, string>[]> }[];
    };
    document.sequences[2]!.eras['7.2.0']![3]![field] = '7';
    writeFileSync(path, JSON.stringify(document));
    const { mismatch } = verifyRows(libvirtMemlockOracle, path);
    expect(mismatch?.where).toBe(`x86-dimm-between, rules 7.2.0, event 3 detach_dimm,2097152: ${field}`);
    expect(mismatch?.wanted).toBe('7');
  });

  it('an event that is unknown is refused', () => {
    const path = join(temporaryFolder(), 'libvirt-memlock', 'lifecycle.json');
    cpSync(shipped, path);
    writeFileSync(path, readFileSync(path, 'utf8').replace('"attach_pci"', '"attach_isa"'));
    expect(() => verifyRows(libvirtMemlockOracle, path)).toThrow("events: unknown event 'attach_isa'");
  });
});

/** Rules with a mistake: which set, what is wrong with it. */
const MISTAKES: readonly (readonly [string, Partial<RuleSet>])[] = [
  ['2015-11-11', { attachesWithoutNeed: false, adjust: 'set and restore' }],
  ['2015-11-11', { lockedIsUnlimited: true }],
  ['posted', { lowersOnDetach: false }],
  ['posted', { ppc64: 'none' }],
  ['1.3.0', { lowersOnDetach: true }],
  ['1.3.1', { adjust: 'set' }],
  ['1.3.1', { adjust: 'raise and restore' }],
  ['1.3.1', { rollsBack: true }],
  ['5.8.0', { rollsBack: false }],
  ['5.8.0', { lockedIsUnlimited: false }],
  ['7.2.0', { adjust: 'set and restore' }],
  ['7.2.0', { countsBehindViommu: true }],
  ['9.4.0', { countsBehindViommu: false }],
  ['9.4.0', { ppc64: 'always', lowersOnDetach: false }],
];

describe('rules with a mistake are noticed by the shipped vectors', () => {
  it.each(MISTAKES)('%s with %j', (name, mistake) => {
    const rules = RULE_SETS.find((set) => set.name === name)!;
    const right = { ...rules };
    try {
      Object.assign(rules, mistake);
      expect(verifyRows(libvirtMemlockOracle, shipped).mismatch).toBeDefined();
    } finally {
      Object.assign(rules, right);
    }
  });
});

describe.skipIf(shared === undefined)('beside the shared vectors', () => {
  it("libvirt's own test cases have libvirt's values, from their facts and from their XML", () => {
    expect(verifyRows(libvirtMemlockOracle, join(shared!, 'cases.json'))).toEqual({ rows: 136 });
  });

  it('lifecycle.json is shipped as it is there', () => {
    expect(readFileSync(shipped).equals(readFileSync(join(shared!, 'lifecycle.json')))).toBe(true);
  });
});
