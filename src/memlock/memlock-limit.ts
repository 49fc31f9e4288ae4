import { type GuestDefinition, isPpc64, type Kib, totalMemory, UNLIMITED } from './guest-definition.js';
import type { RuleSet } from './rule-sets.js';

const GIB: Kib = 1n << 20n;
const U64 = 1n << 64n;

/** One summand of a limit. */
export interface Term {
  readonly name: string;
  /** With the numbers in place. */
  readonly formula: string;
  readonly kib: Kib;
}

/** The limit that libvirt computes for a definition. */
export interface MemlockLimit {
  /** Bytes modulo 2^64; 0 = no need, nothing is set; UNLIMITED = RLIM_INFINITY. */
  readonly bytes: bigint;
  /** Which rule decided. */
  readonly reason: string;
  readonly terms: readonly Term[];
  /** Where unsigned 64-bit arithmetic wrapped: libvirt does not notice. */
  readonly overflows: readonly string[];
}

/** Arithmetic of unsigned 64-bit integers that remembers what did not fit. */
class Words {
  readonly overflows: string[] = [];

  /** The value modulo 2^64. */
  keep(what: string, value: bigint): bigint {
    if (value >= U64) this.overflows.push(`${what}: ${value} wraps to ${value % U64}`);
    return value % U64;
  }
}

/**
 * The limit by a rule set (qemuDomainGetMemLockLimitBytes and what stood in its place before). The definition is taken
 * as it is: sizes are rounded up where the guest starts, see alignedForStart.
 */
export function memlockLimit(guest: GuestDefinition, rules: RuleSet): MemlockLimit {
  const need = needOf(guest, rules);
  if (need === undefined) return { bytes: 0n, reason: 'no need', terms: [], overflows: [] };
  return limitWhereNeeded(guest, rules, need);
}

/** The same where a need is taken for granted, as in an attach before the series. */
export function limitWhereNeeded(guest: GuestDefinition, rules: RuleSet, need: string): MemlockLimit {
  const words = new Words();
  if (isSet(guest.hardLimit)) {
    const terms = [{ name: 'hard limit', formula: 'memtune/hard_limit', kib: guest.hardLimit }];
    return summed('hard limit', terms, words);
  }
  if (rules.lockedIsUnlimited && guest.isLocked) {
    return { bytes: UNLIMITED, reason: 'locked: unlimited', terms: [], overflows: [] };
  }
  if (usesPpc64Formula(guest, rules)) return summed(need, ppc64Terms(guest, rules, words), words);
  return summed(need, genericTerms(guest, rules, words), words);
}

function isSet(hardLimit: Kib | undefined): hardLimit is Kib {
  return hardLimit !== undefined && hardLimit < UNLIMITED;
}

/** Why a limit is needed; undefined where it is not. */
function needOf(guest: GuestDefinition, rules: RuleSet): string | undefined {
  if (rules.hardLimitSuffices && isSet(guest.hardLimit)) return 'hard limit';
  if (guest.isLocked) return 'locked memory';
  const onPpc64 = isPpc64(guest) && (rules.ppc64 === 'always' || (rules.ppc64 !== 'none' && guest.isKvm));
  if (onPpc64) return rules.ppc64 === 'always' ? 'ppc64' : 'ppc64 under KVM';
  return factorOf(guest, rules) > 0 ? 'passed-through devices' : undefined;
}

function usesPpc64Formula(guest: GuestDefinition, { ppc64 }: RuleSet): boolean {
  if (!isPpc64(guest) || ppc64 === 'none') return false;
  return ppc64 !== 'kvm' || guest.isKvm;
}

/** How many times the memory is counted for devices. */
function factorOf(guest: GuestDefinition, rules: RuleSet): number {
  const vfio = guest.pciVfio + (rules.countsMdev ? guest.mdev : 0);
  const ofVfio = rules.countsBehindViommu && guest.hasViommu ? vfio : Math.min(1, vfio);
  const ofNvme = rules.nvme === 'each' ? guest.nvmeDisks : 0;
  const ofVdpa =
    rules.vdpa === 'each'
      ? guest.vdpaInterfaces + guest.vdpaDisks
      : rules.vdpa === 'each interface'
        ? guest.vdpaInterfaces
        : 0;
  const asOne =
    (rules.nvme === 'as one' && guest.nvmeDisks > 0) || (rules.vdpa === 'as one' && guest.vdpaInterfaces > 0);
  const counted = ofVfio + ofNvme + ofVdpa;
  return asOne && vfio === 0 ? counted + 1 : counted;
}

/** Memory once for each device that maps it by itself, and 1 GiB for what QEMU itself has. */
function genericTerms(guest: GuestDefinition, rules: RuleSet, words: Words): Term[] {
  const total = totalMemory(guest);
  const factor = Math.max(1, factorOf(guest, rules));
  const kib = words.keep('factor × memory', BigInt(factor) * total);
  return [
    { name: 'memory', formula: factor === 1 ? `${total}` : `${factor} × ${total}`, kib },
    { name: 'QEMU', formula: '1 GiB', kib: GIB },
  ];
}

/** Page tables, and for devices the windows of DMA (getPPC64MemLockLimitBytes). */
function ppc64Terms(guest: GuestDefinition, rules: RuleSet, words: Words): Term[] {
  const total = totalMemory(guest);
  const most = guest.maxMemory > 0n ? guest.maxMemory : total;
  const phbs = rules.countsPhbs ? BigInt(guest.phbs) : 1n;
  const terms: Term[] = [
    { name: 'hash page table', formula: `${most} / 128`, kib: most / 128n },
    { name: 'TCE tables', formula: `4096 × ${phbs} PHB`, kib: 4096n * phbs },
    { name: 'base', formula: '8192', kib: 8192n },
  ];
  if (rules.knowsNvlink2 && guest.hasNvlink2 && guest.pciVfio > 0) {
    const kib = words.keep('NVLink2 window', most + (phbs << 28n) + 8192n);
    return [...terms, { name: 'NVLink2 window', formula: `${most} + 268435456 × ${phbs} PHB + 8192`, kib }];
  }
  if (!mapsDma(guest, rules)) return terms;
  const small = 2_097_152n * phbs;
  const large = words.keep('DMA window', total + (total / 512n) * phbs + 8192n);
  const formula = `max(2097152 × ${phbs} PHB, ${total} + ${total} / 512 × ${phbs} PHB + 8192)`;
  return [...terms, { name: 'DMA window', formula, kib: small > large ? small : large }];
}

/** Whether a device makes ppc64 set up windows; vhost-vdpa disks do not. */
function mapsDma(guest: GuestDefinition, rules: RuleSet): boolean {
  return (
    guest.pciVfio > 0 ||
    (rules.countsMdevOnPpc64 && guest.mdev > 0) ||
    (rules.nvme !== 'not counted' && guest.nvmeDisks > 0) ||
    (rules.vdpa !== 'not counted' && guest.vdpaInterfaces > 0)
  );
}

function summed(reason: string, terms: readonly Term[], words: Words): MemlockLimit {
  let kib = 0n;
  for (const term of terms) kib = words.keep('sum of KiB', kib + term.kib);
  const bytes = words.keep('KiB to bytes', kib << 10n);
  return { bytes, reason, terms, overflows: words.overflows };
}
