import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  ARCHITECTURES,
  alignedForStart,
  PLAIN_GUEST,
  UNLIMITED,
} from '../../src/memlock/guest-definition.js';
import { memlockLimit } from '../../src/memlock/memlock-limit.js';
import { findRuleSet, RULE_SETS } from '../../src/memlock/rule-sets.js';
import { inputErrorOf } from '../support/input-error.js';

const GIB = 1n << 20n;
const today = findRuleSet('today');

describe('the rules of today', () => {
  it.each([
    ['two devices without a vIOMMU', { initial: 8n * GIB, pciVfio: 2 }, 9_663_676_416n],
    ['two devices behind one', { initial: 8n * GIB, pciVfio: 2, hasViommu: true }, 18_253_611_008n],
    ['two NVMe disks and a vDPA interface', { nvmeDisks: 2, vdpaInterfaces: 1 }, (3n + 1n) << 30n],
    ['a hard limit that says "not set"', { hardLimit: UNLIMITED }, 0n],
    ['a hard limit before locked memory', { hardLimit: GIB, isLocked: true }, 1n << 30n],
    ['locked memory', { isLocked: true }, UNLIMITED],
    ['64 GiB on ppc64', { arch: 'ppc64', initial: 64n * GIB }, 549_453_824n],
    ['ppc64 with a vhost-vdpa disk, which maps nothing', { arch: 'ppc64', vdpaDisks: 1 }, 20_971_520n],
    ['ppc64 emulated', { arch: 'ppc64', isKvm: false }, 0n],
    ['s390x with a mediated device', { arch: 's390x', mdev: 1 }, 2n << 30n],
    [
      'NVLink2',
      { arch: 'ppc64', pciVfio: 1, hasNvlink2: true },
      (20_480n + GIB + (1n << 28n) + 8192n) << 10n,
    ],
  ] as const)('%s', (_what, change, bytes) => {
    expect(memlockLimit({ ...PLAIN_GUEST, ...change }, today).bytes).toBe(bytes);
  });
});

describe('what each release brought', () => {
  const limits = (change: object) =>
    RULE_SETS.map((rules) => [rules.name, memlockLimit({ ...PLAIN_GUEST, ...change }, rules).bytes] as const);
  /** Names of the rule sets at which the value changes. */
  const turns = (change: object) =>
    limits(change)
      .filter(([, bytes], index, all) => index === 0 || bytes !== all[index - 1]![1])
      .map(([name]) => name);

  it.each([
    ['a hard limit alone', { hardLimit: GIB }, ['2015-11-11', '3.2.0']],
    ['locked memory', { isLocked: true }, ['2015-11-11', '3.2.0']],
    ['ppc64', { arch: 'ppc64' }, ['2015-11-11', 'posted']],
    ['ppc64 emulated', { arch: 'ppc64', isKvm: false }, ['2015-11-11', 'posted', '2.1.0']],
    [
      'ppc64 emulated with a device',
      { arch: 'ppc64', isKvm: false, pciVfio: 1 },
      ['2015-11-11', 'posted', '3.2.0'],
    ],
    ['ppc64 with two host bridges', { arch: 'ppc64', phbs: 2 }, ['2015-11-11', 'posted', '3.6.0']],
    ['ppc64 with a mediated device', { arch: 'ppc64', mdev: 1 }, ['2015-11-11', 'posted', '7.2.0']],
    ['a mediated device', { mdev: 1 }, ['2015-11-11', '3.2.0']],
    ['two NVMe disks', { nvmeDisks: 2 }, ['2015-11-11', '6.0.0', '9.3.0']],
    ['two vDPA interfaces', { vdpaInterfaces: 2 }, ['2015-11-11', '7.2.0', '8.7.0']],
    ['a vhost-vdpa disk', { vdpaDisks: 1 }, ['2015-11-11', '9.3.0']],
    ['NVLink2', { arch: 'ppc64', pciVfio: 1, hasNvlink2: true }, ['2015-11-11', 'posted', '5.2.0']],
    ['two devices behind a vIOMMU', { pciVfio: 2, hasViommu: true }, ['2015-11-11', '8.7.0']],
  ])('%s', (_what, change, names) => {
    expect(turns(change)).toEqual(names);
  });

  it('a release has the rules of the last one that changed them', () => {
    expect(findRuleSet('4.5.0').name).toBe('3.6.0');
    expect(findRuleSet('11.0.0').name).toBe('9.4.0');
    expect(inputErrorOf(() => findRuleSet('1.2.0'))).toContain('no rules are known of libvirt 1.2.0');
    expect(inputErrorOf(() => findRuleSet('postd'))).toContain("did you mean 'posted'?");
  });
});

describe('arithmetic of unsigned 64-bit integers', () => {
  it('wraps as libvirt does, and is told', () => {
    const guest = { ...PLAIN_GUEST, initial: (1n << 53n) - 1n, vdpaInterfaces: 2 };
    const { bytes, overflows } = memlockLimit(guest, today);
    expect(bytes).toBe(BigInt.asUintN(64, (2n * guest.initial + GIB) << 10n));
    expect(overflows).toHaveLength(1);
  });

  it('the terms add up to the result', () => {
    fc.assert(
      fc.property(
        fc.record({
          arch: fc.constantFrom(...ARCHITECTURES),
          isKvm: fc.boolean(),
          initial: fc.bigInt({ min: 1n, max: (1n << 53n) - 1n }),
          isLocked: fc.boolean(),
          hasViommu: fc.boolean(),
          pciVfio: fc.nat(9),
          mdev: fc.nat(9),
          nvmeDisks: fc.nat(9),
          vdpaInterfaces: fc.nat(9),
          vdpaDisks: fc.nat(9),
          phbs: fc.integer({ min: 1, max: 31 }),
        }),
        fc.constantFrom(...RULE_SETS),
        (change, rules) => {
          const { bytes, terms, overflows } = memlockLimit({ ...PLAIN_GUEST, ...change }, rules);
          const sum = terms.reduce((total, { kib }) => total + kib, 0n) << 10n;
          if (terms.length === 0) expect([0n, UNLIMITED]).toContain(bytes);
          else expect(bytes).toBe(BigInt.asUintN(64, sum));
          expect(overflows.length > 0).toBe(sum >= 1n << 64n);
        },
      ),
    );
  });
});

describe('sizes at start', () => {
  it('are rounded up, DIMMs of x86 to 2 MiB and everything on ppc64 to 256 MiB', () => {
    const odd = { ...PLAIN_GUEST, initial: 1025n, dimms: [1025n], maxMemory: 2049n };
    expect(alignedForStart(odd)).toMatchObject({ initial: 2048n, dimms: [2048n], maxMemory: 3072n });
    expect(alignedForStart({ ...odd, arch: 's390x' })).toMatchObject({ initial: 2048n, dimms: [2048n] });
    const unit = 256n * 1024n;
    expect(alignedForStart({ ...odd, arch: 'ppc64le' })).toMatchObject({ initial: unit, dimms: [unit] });
  });
});
