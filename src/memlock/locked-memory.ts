import { type GuestDefinition, isPpc64, totalMemory } from './guest-definition.js';

const MIB = 1n << 20n;

/** ROMs and video memory, which a device can reach as it can RAM. An assumption. */
const ROMS = 17n * MIB;

/** A host bridge's table of 32-bit DMA addresses: 1 GiB in pages of 4 KiB, 8 bytes each, and the page that points to it. */
const WINDOW_TABLE = 2n * MIB + 4096n;

/**
 * Bytes that the process of a running guest has locked, which the kernel holds against its limit: an upper bound, for a guest
 * behind a virtual IOMMU may map less. RAM is locked once for each container of VFIO (one in all without a virtual IOMMU, one
 * per device with it), NVMe disk and vDPA device; on ppc64 once in all, with tables for each host bridge. Guests whose
 * memory is locked as a whole (`<locked/>`) are not known here.
 */
export function lockedMemory(guest: GuestDefinition): bigint {
  const ram = totalMemory(guest) << 10n;
  const vfio = guest.pciVfio + guest.mdev;
  const containers = guest.hasViommu ? vfio : Math.min(1, vfio);
  const mappings = containers + guest.nvmeDisks + guest.vdpaInterfaces + guest.vdpaDisks;
  if (isPpc64(guest) && guest.isKvm) {
    const phbs = BigInt(guest.phbs);
    return phbs * WINDOW_TABLE + (mappings > 0 ? ram + phbs * (ram / 512n) : 0n);
  }
  return ram * BigInt(mappings) + (vfio > 0 ? ROMS : 0n);
}
