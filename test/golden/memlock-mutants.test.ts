import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SHIPPED_CASES } from '../../src/harness/golden/find-cases.js';
import { libvirtMemlockOracle } from '../../src/harness/golden/libvirt-memlock.js';
import { verifyRows } from '../../src/harness/golden/row-oracle.js';
import { FleetLimits } from '../../src/memlock/fleet-limits.js';
import { PLAIN_GUEST } from '../../src/memlock/guest-definition.js';
import { findRuleSet } from '../../src/memlock/rule-sets.js';
import { FLEET_MUTANTS, PROCESS_MUTANTS } from '../support/memlock-mutants.js';

const shipped = join(SHIPPED_CASES, 'libvirt-memlock/lifecycle.json');
const HOUR = 3_600_000_000_000;
const GIB = 1n << 30n;
const MIB = 1n << 20n;
const KIB64 = 65_536n;

/** A day of two guests of 1 GiB under the rules of 7.2.0, whose limits are only raised. */
function day(): unknown {
  const fleet = new FleetLimits(findRuleSet('7.2.0'), KIB64);
  const dimm = { size: 1n << 20n } as const;
  fleet.start(0, PLAIN_GUEST);
  fleet.start(1, { ...PLAIN_GUEST, nvmeDisks: 2 });
  fleet.advance(HOUR);
  fleet.apply(0, { kind: 'attach_pci' });
  fleet.apply(0, { kind: 'attach_nvme', isLate: true });
  fleet.apply(0, { kind: 'attach_dimm', ...dimm });
  fleet.apply(1, { kind: 'attach_dimm', ...dimm });
  fleet.apply(1, { kind: 'attach_nvme' });
  fleet.advance(3 * HOUR);
  fleet.apply(0, { kind: 'detach_dimm', ...dimm });
  fleet.advance(4 * HOUR);
  fleet.apply(0, { kind: 'detach_pci' });
  fleet.apply(0, { kind: 'attach_mdev' });
  fleet.apply(0, { kind: 'detach_mdev' });
  const peak = fleet.excessPeak;
  fleet.advance(7 * HOUR);
  fleet.stop(0);
  fleet.stop(1);
  fleet.advance(24 * HOUR);
  return {
    limit: fleet.byteHours('limit'),
    needed: fleet.byteHours('needed'),
    locked: fleet.byteHours('locked'),
    excess: fleet.byteHours('excess'),
    idleExcess: fleet.byteHours('idleExcess'),
    peak,
    refused: fleet.refused,
    guests: fleet.guestsWithExcess,
  };
}

/** By hand: guest 0 has 64 KiB, then 3 GiB for three hours, then 2 GiB for an mdev that goes; guest 1 2 and 3 GiB. */
const DAY = {
  limit: KIB64 + 3n * 3n * GIB + 3n * 2n * GIB + 2n * GIB + 6n * 3n * GIB,
  needed: KIB64 + 2n * 3n * GIB + 2n * GIB + 3n * KIB64 + 2n * GIB + 6n * 3n * GIB,
  locked: 2n * (2n * GIB + 17n * MIB) + GIB + 17n * MIB + 2n * GIB + 6n * 3n * 2n * GIB,
  excess: GIB + 3n * (2n * GIB - KIB64),
  idleExcess: 3n * (2n * GIB - KIB64),
  peak: 2n * GIB - KIB64,
  refused: { start: 0, attach: 1, plug: 1 },
  guests: 1,
};

describe('lives of processes with a mistake are noticed by the shipped vectors', () => {
  it.each(PROCESS_MUTANTS.map((mutant) => [mutant.mistake, mutant] as const))('%s', (_mistake, { apply }) => {
    const undo = apply();
    try {
      expect(verifyRows(libvirtMemlockOracle, shipped).mismatch).toBeDefined();
    } finally {
      undo();
    }
    expect(verifyRows(libvirtMemlockOracle, shipped).mismatch).toBeUndefined();
  });
});

describe('accounts of fleets', () => {
  it('are those of a day that was added up by hand', () => {
    expect(day()).toEqual(DAY);
  });

  it.each(FLEET_MUTANTS.map((mutant) => [mutant.mistake, mutant] as const))(
    'with a mistake are noticed: %s',
    (_mistake, { apply }) => {
      const undo = apply();
      try {
        expect(day()).not.toEqual(DAY);
      } finally {
        undo();
      }
      expect(day()).toEqual(DAY);
    },
  );
});
