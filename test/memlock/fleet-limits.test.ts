import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MisuseError } from '../../src/core/errors.js';
import { FleetLimits } from '../../src/memlock/fleet-limits.js';
import { type GuestDefinition, PLAIN_GUEST } from '../../src/memlock/guest-definition.js';
import { lockedMemory } from '../../src/memlock/locked-memory.js';
import { DEVICE_EVENTS, type GuestEvent, ProcessLimit } from '../../src/memlock/process-limit.js';
import { findRuleSet, RULE_SETS } from '../../src/memlock/rule-sets.js';

const MIB = 1n << 20n;
const GIB = 1n << 30n;
const KIB64 = 65_536n;
const HOUR = 3_600_000_000_000;

describe('locked memory', () => {
  it.each([
    ['nothing passed through', {}, 0n],
    ['one device: RAM and ROMs', { pciVfio: 1 }, GIB + 17n * MIB],
    ['three devices share a container', { pciVfio: 2, mdev: 1 }, GIB + 17n * MIB],
    ['with a virtual IOMMU they do not', { pciVfio: 2, mdev: 1, hasViommu: true }, 3n * GIB + 17n * MIB],
    [
      'each NVMe disk and vDPA device maps by itself',
      { nvmeDisks: 2, vdpaInterfaces: 1, vdpaDisks: 1 },
      4n * GIB,
    ],
    ['DIMMs are RAM', { pciVfio: 1, dimms: [1n << 20n] }, 2n * GIB + 17n * MIB],
    ['ppc64: TCE tables alone', { arch: 'ppc64le', phbs: 2 }, 2n * (2n * MIB + 4096n)],
    [
      'ppc64: RAM once, and windows by host bridge',
      { arch: 'ppc64le', phbs: 2, pciVfio: 2 },
      2n * (2n * MIB + 4096n) + GIB + 2n * 2n * MIB,
    ],
    ['emulated ppc64 as the others', { arch: 'ppc64', isKvm: false, pciVfio: 1 }, GIB + 17n * MIB],
  ] as const)('%s', (_what, guest, bytes) => {
    expect(lockedMemory({ ...PLAIN_GUEST, ...guest })).toBe(bytes);
  });
});

describe('the limits of a fleet over time', () => {
  it('keep an account of a guest whose limit is not lowered after a detach', () => {
    const fleet = new FleetLimits(findRuleSet('1.3.0'), KIB64);
    fleet.start(7, PLAIN_GUEST);
    fleet.advance(HOUR);
    fleet.apply(7, { kind: 'attach_pci' });
    expect(fleet.now).toMatchObject({ limit: 2n * GIB, locked: GIB + 17n * MIB, excess: 0n });
    fleet.advance(3 * HOUR);
    fleet.apply(7, { kind: 'detach_pci' });
    expect(fleet.now).toEqual({
      limit: 2n * GIB,
      needed: KIB64,
      locked: 0n,
      excess: 2n * GIB - KIB64,
      idleExcess: 2n * GIB - KIB64,
    });
    fleet.advance(8 * HOUR);
    fleet.stop(7);
    fleet.advance(9 * HOUR);
    expect(fleet.byteHours('limit')).toBe(KIB64 + 7n * 2n * GIB);
    expect(fleet.byteHours('needed')).toBe(6n * KIB64 + 2n * 2n * GIB);
    expect(fleet.byteHours('locked')).toBe(2n * (GIB + 17n * MIB));
    expect(fleet.byteHours('idleExcess')).toBe(5n * (2n * GIB - KIB64));
    expect([fleet.excessPeak, fleet.guestsWithExcess, fleet.guests]).toEqual([2n * GIB - KIB64, 1, 0]);
    expect(fleet.now.limit).toBe(0n);
  });

  it('tell excess beside a device from excess without one', () => {
    const fleet = new FleetLimits(findRuleSet('7.2.0'), KIB64);
    fleet.start(0, { ...PLAIN_GUEST, pciVfio: 1 });
    fleet.apply(0, { kind: 'attach_dimm', size: 1n << 20n });
    fleet.apply(0, { kind: 'detach_dimm', size: 1n << 20n });
    expect(fleet.now).toMatchObject({ excess: GIB, idleExcess: 0n });
  });

  it('count what would be refused, each operation where it is', () => {
    const refusals = (rules: string, guest: Partial<GuestDefinition>, events: readonly GuestEvent[]) => {
      const fleet = new FleetLimits(findRuleSet(rules), KIB64);
      fleet.start(0, { ...PLAIN_GUEST, ...guest });
      for (const event of events) fleet.apply(0, event);
      return fleet.refused;
    };
    const dimm = { kind: 'attach_dimm', size: 1n << 20n } as const;
    expect(refusals('3.0.0', { mdev: 1 }, [dimm, { kind: 'detach_mdev' }, dimm])).toEqual({
      start: 1,
      attach: 0,
      plug: 1,
    });
    const attach = { kind: 'attach_pci' } as const;
    const behind = { hasViommu: true, initial: 1n << 21n };
    expect(refusals('7.2.0', behind, [attach, attach])).toEqual({ start: 0, attach: 1, plug: 0 });
    expect(refusals('8.7.0', behind, [attach, attach])).toEqual({ start: 0, attach: 0, plug: 0 });
    expect(refusals('5.2.0', {}, [{ kind: 'attach_mdev', isLate: true }]).attach).toBe(0);
  });

  it('refuse what contradicts itself', () => {
    const fleet = new FleetLimits(findRuleSet('today'), KIB64);
    fleet.start(0, PLAIN_GUEST);
    fleet.advance(5);
    expect(() => fleet.start(0, PLAIN_GUEST)).toThrow(MisuseError);
    expect(() => fleet.stop(1)).toThrow(MisuseError);
    expect(() => fleet.apply(1, { kind: 'attach_pci' })).toThrow(MisuseError);
    expect(() => fleet.advance(4)).toThrow(MisuseError);
  });
});

const GUESTS = 3;
const anyEvent = fc.oneof(
  fc.record({ kind: fc.constantFrom(...DEVICE_EVENTS), isLate: fc.boolean() }),
  fc.record({
    kind: fc.constantFrom('attach_dimm', 'detach_dimm'),
    size: fc.constant(524_288n),
    isLate: fc.boolean(),
  }),
);
const anyStep = fc.record({
  guest: fc.nat(GUESTS - 1),
  passed: fc.nat(2 * HOUR),
  event: fc.oneof({ weight: 4, arbitrary: anyEvent }, { weight: 1, arbitrary: fc.constant('turn' as const) }),
});

describe('against a reference that adds everything up again after each step', () => {
  it.each(RULE_SETS.map((rules) => [rules.name, rules] as const))('rules %s', (_name, rules) => {
    const property = fc.property(fc.array(anyStep, { maxLength: 40 }), (steps) => {
      const fleet = new FleetLimits(rules, KIB64);
      const reference = new Map<number, ProcessLimit>();
      let [time, limitTime, excessTime] = [0, 0n, 0n];
      for (const { guest, passed, event } of steps) {
        const sums = [...reference.values()].map((process) => {
          const needed = process.needed > KIB64 ? process.needed : KIB64;
          return [process.limit, process.limit > needed ? process.limit - needed : 0n] as const;
        });
        limitTime += sums.reduce((sum, [limit]) => sum + limit, 0n) * BigInt(passed);
        excessTime += sums.reduce((sum, [, excess]) => sum + excess, 0n) * BigInt(passed);
        time += passed;
        fleet.advance(time);
        const process = reference.get(guest);
        if (event === 'turn') {
          if (process === undefined) fleet.start(guest, PLAIN_GUEST);
          else fleet.stop(guest);
          if (process === undefined) reference.set(guest, new ProcessLimit(PLAIN_GUEST, rules, KIB64));
          else reference.delete(guest);
        } else if (process !== undefined && isPossible(process.guest, event as GuestEvent)) {
          process.apply(event as GuestEvent);
          fleet.apply(guest, event as GuestEvent);
        }
      }
      expect(fleet.byteHours('limit')).toBe(limitTime / BigInt(HOUR));
      expect(fleet.byteHours('excess')).toBe(excessTime / BigInt(HOUR));
      expect(fleet.guests).toBe(reference.size);
    });
    fc.assert(property, { numRuns: 60, seed: 1 });
  });
});

function isPossible(guest: GuestDefinition, { kind }: GuestEvent): boolean {
  if (kind === 'detach_dimm') return guest.dimms.length > 0;
  const counts = { pci: guest.pciVfio, mdev: guest.mdev, vdpa: guest.vdpaInterfaces, nvme: guest.nvmeDisks };
  return !kind.startsWith('detach') || counts[kind.slice(7) as keyof typeof counts] > 0;
}
