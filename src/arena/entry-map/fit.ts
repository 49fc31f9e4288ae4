import { type Address, NO_ADDRESS } from '../../core/address.js';
import type { ConstraintTable } from '../../core/request.js';
import { type Bytes, roundUp } from '../../core/units.js';

/**
 * Lowest address in [low, high) at which `size` bytes meet row `row` of `constraints` and a multiple of `quantum`;
 * NO_ADDRESS if there is none. Exact for alignments and nocross values that are powers of two, as
 * vmem_xalloc(9) demands them; a phase that is no multiple of the quantum is never met.
 */
export function lowestFit(
  low: Address,
  high: Address,
  size: Bytes,
  quantum: Bytes,
  constraints: ConstraintTable,
  row: number,
): Address {
  const align = Math.max(constraints.align[row]!, quantum);
  const phase = constraints.align[row] === 0 ? 0 : constraints.phase[row]!;
  const nocross = constraints.nocross[row]!;
  const minimum = constraints.minAddress[row]!;
  const maximum = constraints.maxAddress[row]!;
  const end = maximum !== 0 && maximum < high ? maximum : high;
  if (phase % quantum !== 0) return NO_ADDRESS;
  let address = congruentFrom(minimum > low ? minimum : low, align, phase);
  if (nocross !== 0 && straddles(address, size, nocross)) {
    address = congruentFrom(roundUp(address, nocross), align, phase);
    // The offset from the boundary is now the smallest there is: if the range straddles still, it always does.
    if (straddles(address, size, nocross)) return NO_ADDRESS;
  }
  return address + size <= end ? address : NO_ADDRESS;
}

/** Smallest address from `low` on that leaves the remainder `phase` when divided by `align`. */
function congruentFrom(low: Address, align: Bytes, phase: Bytes): Address {
  const past = (low % align) - phase;
  if (past === 0) return low;
  return past < 0 ? low - past : low - past + align;
}

function straddles(address: Address, size: Bytes, nocross: Bytes): boolean {
  return (address % nocross) + size > nocross;
}
