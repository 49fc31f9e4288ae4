import { InputError } from '../core/errors.js';

/** Lengths in KiB, as libvirt keeps those of a definition: unsigned 64-bit integers. */
export type Kib = bigint;

/** 2^53 − 1 KiB: as a hard limit it means "not set", as a result "unlimited" (VIR_DOMAIN_MEMORY_PARAM_UNLIMITED). */
export const UNLIMITED: Kib = (1n << 53n) - 1n;

/** Architectures whose guests can be described. */
export const ARCHITECTURES = [
  'x86_64',
  'i686',
  'ppc64',
  'ppc64le',
  'aarch64',
  's390x',
  'riscv64',
  'loongarch64',
] as const;
export type Architecture = (typeof ARCHITECTURES)[number];

/** What the limits depend on in a guest's definition. */
export interface GuestDefinition {
  readonly arch: Architecture;
  /** Whether KVM runs it; otherwise the processor is emulated (TCG). */
  readonly isKvm: boolean;
  /** Memory at boot without DIMMs. */
  readonly initial: Kib;
  readonly dimms: readonly Kib[];
  /** maxMemory; 0 where there is none. */
  readonly maxMemory: Kib;
  /** memtune/hard_limit; undefined, or UNLIMITED and above, where it is not set. */
  readonly hardLimit: Kib | undefined;
  /** memoryBacking/locked. */
  readonly isLocked: boolean;
  readonly hasViommu: boolean;
  /** PCI devices passed through with VFIO. */
  readonly pciVfio: number;
  readonly mdev: number;
  /** Whether a GPU among the PCI devices has an NVLink2 bridge. */
  readonly hasNvlink2: boolean;
  /** Disks with an NVMe source in their chain. */
  readonly nvmeDisks: number;
  readonly vdpaInterfaces: number;
  /** vhost-vdpa sources in the chains of disks. */
  readonly vdpaDisks: number;
  /** PCI host bridges of a pseries guest after libvirt has completed the definition. */
  readonly phbs: number;
}

/** A guest with 1 GiB and no devices. */
export const PLAIN_GUEST: GuestDefinition = {
  arch: 'x86_64',
  isKvm: true,
  initial: 1n << 20n,
  dimms: [],
  maxMemory: 0n,
  hardLimit: undefined,
  isLocked: false,
  hasViommu: false,
  pciVfio: 0,
  mdev: 0,
  hasNvlink2: false,
  nvmeDisks: 0,
  vdpaInterfaces: 0,
  vdpaDisks: 0,
  phbs: 1,
};

export function isPpc64({ arch }: GuestDefinition): boolean {
  return arch === 'ppc64' || arch === 'ppc64le';
}

/** Memory with all DIMMs. */
export function totalMemory({ initial, dimms }: GuestDefinition): Kib {
  return dimms.reduce((sum, dimm) => sum + dimm, initial);
}

const MIB: Kib = 1024n;

/** What sizes are rounded up to at start, and a DIMM when it is plugged. */
export function alignment(guest: GuestDefinition): Kib {
  return isPpc64(guest) ? 256n * MIB : MIB;
}

/**
 * The definition as it is when the guest has started (qemuDomainAlignMemorySizes): sizes rounded up to 1 MiB, on ppc64
 * to 256 MiB, DIMMs on x86 to 2 MiB.
 */
export function alignedForStart(guest: GuestDefinition): GuestDefinition {
  const unit = alignment(guest);
  const isX86 = guest.arch === 'x86_64' || guest.arch === 'i686';
  const dimmUnit = isX86 ? 2n * MIB : unit;
  return {
    ...guest,
    initial: roundUpTo(guest.initial, unit),
    dimms: guest.dimms.map((dimm) => roundUpTo(dimm, dimmUnit)),
    maxMemory: roundUpTo(guest.maxMemory, unit),
  };
}

export function roundUpTo(value: Kib, unit: Kib): Kib {
  return ((value + unit - 1n) / unit) * unit;
}

/** @throws InputError for a definition that libvirt refuses. */
export function requireDefinition(guest: GuestDefinition, file?: string): void {
  const place = file === undefined ? {} : { file };
  const total = totalMemory(guest);
  if (total <= 0n || guest.initial <= 0n) {
    throw new InputError('no memory at boot', {
      ...place,
      field: 'memory',
      allowed: 'more than 0, and than all DIMMs',
    });
  }
  if (guest.maxMemory > 0n && guest.maxMemory < total) {
    throw new InputError(`maxMemory ${guest.maxMemory} KiB is less than the ${total} KiB of memory`, {
      ...place,
      field: 'maxMemory',
      allowed: 'none, or at least the memory with all DIMMs',
    });
  }
}
