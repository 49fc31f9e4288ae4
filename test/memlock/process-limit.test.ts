import { describe, expect, it } from 'vitest';
import { type GuestDefinition, PLAIN_GUEST } from '../../src/memlock/guest-definition.js';
import { type GuestEvent, ProcessLimit } from '../../src/memlock/process-limit.js';
import { findRuleSet } from '../../src/memlock/rule-sets.js';
import { inputErrorOf } from '../support/input-error.js';

const GIB = 1n << 30n;
const KIB64 = 65_536n;

/** The limit after launch and after each event, in GiB where it is not the initial one. */
function limits(
  rules: string,
  guest: Partial<GuestDefinition>,
  events: readonly GuestEvent[],
): (bigint | 'initial')[] {
  const process = new ProcessLimit({ ...PLAIN_GUEST, ...guest }, findRuleSet(rules), KIB64);
  const now = () => (process.limit === KIB64 ? ('initial' as const) : process.limit / GIB);
  const seen = [now()];
  for (const event of events) {
    process.apply(event);
    seen.push(now());
  }
  return seen;
}

describe('devices beside PCI', () => {
  it.each([
    ['mediated, before they adjusted', '5.2.0', 'mdev', ['initial', 'initial', 'initial']],
    ['mediated, which never lower', '5.8.0', 'mdev', ['initial', 2n, 2n]],
    ['vDPA, which never lowers', '9.4.0', 'vdpa', ['initial', 2n, 2n]],
    ['NVMe before hot-plug adjusted', '9.3.0', 'nvme', ['initial', 'initial', 'initial']],
    ['NVMe after', '9.4.0', 'nvme', ['initial', 2n, 'initial']],
  ] as const)('%s', (_what, rules, device, wanted) => {
    const events = [{ kind: `attach_${device}` }, { kind: `detach_${device}` }] as const;
    expect(limits(rules, {}, events)).toEqual(wanted);
  });

  it('a late failure is rolled back only where the rules say so', () => {
    const event = { kind: 'attach_mdev', isLate: true } as const;
    expect(limits('5.8.0', {}, [event])).toEqual(['initial', 'initial']);
    expect(limits('5.2.0', {}, [{ kind: 'attach_pci', isLate: true }])).toEqual(['initial', 2n]);
  });
});

describe('DIMMs', () => {
  it('a plug that fails leaves a raised limit since 7.2.0 where devices need one', () => {
    const events = [{ kind: 'attach_dimm', size: 1n << 20n, isLate: true }] as const;
    expect(limits('7.2.0', { pciVfio: 1 }, events)).toEqual([2n, 3n]);
    expect(limits('5.8.0', { pciVfio: 1 }, events)).toEqual([2n, 2n]);
  });

  it('are rounded up to the unit of hot-plug', () => {
    const process = new ProcessLimit({ ...PLAIN_GUEST, arch: 'ppc64' }, findRuleSet('today'), KIB64);
    process.apply({ kind: 'attach_dimm', size: 1n });
    expect(process.guest.dimms).toEqual([256n * 1024n]);
    process.apply({ kind: 'detach_dimm', size: 1n });
    expect(process.guest.dimms).toEqual([]);
  });
});

describe('what is not there cannot be detached', () => {
  it.each([
    ['a device', { kind: 'detach_pci' }, 'nothing of pciVfio is attached'],
    ['a DIMM', { kind: 'detach_dimm', size: 7n }, 'no DIMM of 7 KiB is plugged'],
  ] as const)('%s', (_what, event, message) => {
    const process = new ProcessLimit(PLAIN_GUEST, findRuleSet('today'), KIB64);
    expect(inputErrorOf(() => process.apply(event))).toContain(message);
  });
});
