import type { Address } from '../../core/address.js';
import { type Bytes, isPowerOfTwo } from '../../core/units.js';
import { place } from '../netbsd-vmem/placement.js';
import { STRATEGIES, VmemFlag } from './flags.js';

/** Highest address, as an inclusive bound (VMEM_ADDR_MAX). */
export const LAST_ADDRESS: Address = 2 ** 53 - 1;

/**
 * How far behind its start a free segment has room for `bytes` within the inclusive bounds, or -1 if it has none. The
 * test is that of NetBSD's vmem, from which FreeBSD's descends; nothing wraps below 2^53 (D4).
 * Mirrors vmem_fit, subr_vmem.c [freebsd@5cb586b].
 */
export function fitIn(
  start: Address,
  size: Bytes,
  bytes: Bytes,
  align: Bytes,
  phase: Bytes,
  nocross: Bytes,
  minAddress: Address,
  maxAddress: Address,
): Bytes {
  const from = Math.max(start, minAddress);
  const last = Math.min(start + (size - 1), maxAddress);
  if (from > last) return -1;
  const address = place(from, bytes, align, phase, nocross);
  return address <= last && last - address >= bytes - 1 ? address - start : -1;
}

/** Whether the kernel accepts the arguments of vmem_xalloc, which it asserts. Next fit allows no bounds. */
export function isPossible(
  size: Bytes,
  quantum: Bytes,
  align: Bytes,
  phase: Bytes,
  nocross: Bytes,
  minAddress: Address,
  maxAddress: Address,
  flags: number,
): boolean {
  const strategy = flags & STRATEGIES;
  const isBounded = minAddress !== 0 || maxAddress !== LAST_ADDRESS;
  return (
    size > 0 &&
    isPowerOfTwo(align) &&
    align >= quantum &&
    phase % quantum === 0 &&
    phase < align &&
    (nocross === 0 || (isPowerOfTwo(nocross) && nocross >= size)) &&
    minAddress <= maxAddress &&
    isPowerOfTwo(strategy) &&
    !(isBounded && strategy === VmemFlag.NEXTFIT)
  );
}
