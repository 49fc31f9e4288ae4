import type { Address } from '../../core/address.js';
import type { Bytes } from '../../core/units.js';

/**
 * Lowest start at or above `from` of `bytes` that is aligned to `align` behind `phase` and does not cross a multiple of
 * `nocross` behind it. All are powers of two, so a division is exact; nothing wraps below 2^53 (D5).
 * Mirrors vmem_fit, subr_vmem.c [netbsd@b7a6451].
 */
export function place(from: Address, bytes: Bytes, align: Bytes, phase: Bytes, nocross: Bytes): Address {
  const start = Math.ceil((from - phase) / align) * align + phase;
  if (nocross === 0) return start;
  const crosses = Math.floor(start / nocross) !== Math.floor((start + (bytes - 1)) / nocross);
  return crosses ? Math.ceil((start - phase) / nocross) * nocross + phase : start;
}
