import { InputError } from '../core/errors.js';
import { unknownName } from '../core/suggest.js';

/** How libvirt of a time decides on the limit, and when it sets it. Each line of text is a fact about the release. */
export interface RuleSet {
  /** The release that brought it, or what it is called. */
  readonly name: string;
  readonly summary: string;
  /** The last release that it was read in, where that says more than the next rule set does. */
  readonly doubt?: string;
  /** A hard limit alone is a reason to set the limit. */
  readonly hardLimitSuffices: boolean;
  /** Locked memory without a hard limit is unlimited; before, it is memory + 1 GiB. */
  readonly lockedIsUnlimited: boolean;
  /** Which guests on ppc64 need a limit without a reason, and whether emulated ones get ppc64's formula too. */
  readonly ppc64: 'none' | 'always' | 'kvm, formula for all' | 'kvm';
  /** More than one PCI host bridge is counted. */
  readonly countsPhbs: boolean;
  readonly knowsNvlink2: boolean;
  readonly countsMdev: boolean;
  /** Mediated devices count in ppc64's formula. */
  readonly countsMdevOnPpc64: boolean;
  readonly nvme: 'not counted' | 'as one' | 'each';
  readonly vdpa: 'not counted' | 'as one' | 'each interface' | 'each';
  /** Devices behind a vIOMMU count each. */
  readonly countsBehindViommu: boolean;
  /** What a new need does to the limit of the process. */
  readonly adjust: 'set' | 'set and restore' | 'raise and restore';
  readonly lowersOnDetach: boolean;
  /** The limit of an attach is computed without looking whether there is a need. */
  readonly attachesWithoutNeed: boolean;
  readonly rollsBack: boolean;
  readonly adjustsForMdev: boolean;
  readonly adjustsForVdpa: boolean;
  readonly adjustsForNvme: boolean;
}

const BEFORE_THE_SERIES: RuleSet = {
  name: '2015-11-11',
  summary: 'before the series: locked memory or a PCI device with VFIO',
  hardLimitSuffices: false,
  lockedIsUnlimited: false,
  ppc64: 'none',
  countsPhbs: false,
  knowsNvlink2: false,
  countsMdev: false,
  countsMdevOnPpc64: false,
  nvme: 'not counted',
  vdpa: 'not counted',
  countsBehindViommu: false,
  adjust: 'set',
  lowersOnDetach: false,
  attachesWithoutNeed: true,
  rollsBack: false,
  adjustsForMdev: false,
  adjustsForVdpa: false,
  adjustsForNvme: false,
};

/** Each release's rules as those of the one before with what it changed. */
function succession(changes: readonly Partial<RuleSet>[]): RuleSet[] {
  const sets = [BEFORE_THE_SERIES];
  for (const change of changes) {
    const { doubt: _doubt, ...before } = sets.at(-1)!;
    sets.push({ ...before, ...change });
  }
  return sets;
}

/** Every rule set, oldest first (libvirt src/qemu/qemu_domain.c, qemu_hotplug.c, by the commits in docs/memlock.md). */
export const RULE_SETS: readonly RuleSet[] = succession([
  {
    name: 'posted',
    summary:
      'the series as posted on 2015-11-18: a limit for ppc64 always; lowered on detach where still needed',
    ppc64: 'always',
    attachesWithoutNeed: false,
    lowersOnDetach: true,
  },
  { name: '1.3.0', summary: 'the series as merged, without lowering on detach', lowersOnDetach: false },
  {
    name: '1.3.1',
    summary: 'the original limit is saved and restored',
    adjust: 'set and restore',
    lowersOnDetach: true,
  },
  { name: '2.1.0', summary: 'ppc64 needs a limit under KVM only', ppc64: 'kvm, formula for all' },
  {
    name: '3.2.0',
    summary: 'a hard limit suffices; locked is unlimited; mediated devices count',
    hardLimitSuffices: true,
    lockedIsUnlimited: true,
    ppc64: 'kvm',
    countsMdev: true,
  },
  { name: '3.6.0', summary: 'PCI host bridges are counted', countsPhbs: true },
  { name: '5.2.0', summary: 'NVLink2 maps 256 GiB more per host bridge', knowsNvlink2: true },
  {
    name: '5.8.0',
    summary: 'a failed attach is rolled back; mediated devices adjust',
    rollsBack: true,
    adjustsForMdev: true,
  },
  { name: '6.0.0', summary: 'NVMe disks count as VFIO', nvme: 'as one' },
  {
    name: '7.2.0',
    summary: 'limits are only raised, and restored at the end; vDPA interfaces count',
    adjust: 'raise and restore',
    vdpa: 'as one',
    countsMdevOnPpc64: true,
    adjustsForVdpa: true,
  },
  {
    name: '8.7.0',
    summary: 'each vDPA device, and each VFIO device behind a vIOMMU, counts',
    doubt: 'its code was not read: taken from its release notes',
    vdpa: 'each interface',
    countsBehindViommu: true,
  },
  { name: '9.3.0', summary: 'NVMe disks and vhost-vdpa sources count each', nvme: 'each', vdpa: 'each' },
  { name: '9.4.0', summary: 'NVMe disks adjust on hot-plug; so to 10.7.0 and in 2026', adjustsForNvme: true },
]);

/** The rules of today. */
export const LATEST_RULES: RuleSet = RULE_SETS.at(-1)!;

/**
 * The rule set of a name (`posted`), of a release (`4.5.0` has those of 3.6.0), or of `today`.
 * @throws InputError where there is none.
 */
export function findRuleSet(name: string): RuleSet {
  if (name === 'today') return LATEST_RULES;
  const named = RULE_SETS.find((set) => set.name === name);
  if (named !== undefined) return named;
  const release = releaseNumber(name);
  if (release === undefined) {
    const known = [...RULE_SETS.map((set) => set.name), 'today'];
    throw unknownName('rule set', name, known, { field: '--rules' });
  }
  const past = RULE_SETS.filter((set) => (releaseNumber(set.name) ?? Number.POSITIVE_INFINITY) <= release).at(
    -1,
  );
  if (past !== undefined) return past;
  throw new InputError(`no rules are known of libvirt ${name}`, {
    field: '--rules',
    allowed: '2015-11-11, posted, a release from 1.3.0 up, today',
  });
}

/** Orders releases; undefined for what is none. */
function releaseNumber(name: string): number | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(name);
  return match === null ? undefined : (Number(match[1]) * 1000 + Number(match[2])) * 1000 + Number(match[3]);
}
