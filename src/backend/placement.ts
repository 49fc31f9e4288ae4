import { type Address, AddressSpace } from '../core/address.js';
import { InputError } from '../core/errors.js';
import type { ConstraintTable } from '../core/request.js';
import { type Bytes, isPowerOfTwo } from '../core/units.js';

/**
 * First address of an arena from the parameter `field`: hexadecimal or decimal text, or an exact number.
 * @throws InputError if the text is no address, the address is no multiple of `alignment`, or the `size` bytes from
 * there on leave the canonical kernel or user half.
 */
export function parseBase(base: string | number, size: Bytes, alignment: Bytes, field: string): Address {
  const allowed = `a canonical address such as 0xffffc90000000000, a multiple of ${alignment}`;
  const exact = typeof base === 'string' ? /^(0x[0-9a-f]+|\d+)$/i.test(base) : Number.isSafeInteger(base);
  if (!exact)
    throw new InputError(`'${base}' is not an exact address; quote large numbers`, { field, allowed });
  const first = BigInt(base);
  if (first % BigInt(alignment) !== 0n) throw new InputError(`'${base}' is not aligned`, { field, allowed });
  const end = first + BigInt(size);
  const half = 1n << 63n;
  if (end > (first < half ? half : 2n * half)) {
    throw new InputError(`${size} bytes from '${base}' leave the address space`, { field, allowed });
  }
  const space = AddressSpace.canonical;
  const start = space.toNumber(first);
  if (space.endToNumber(end) - start !== size) {
    throw new InputError(`${size} bytes from '${base}' are not all canonical`, { field, allowed });
  }
  return start;
}

/**
 * Checks what vmem_xalloc(9) demands of every row: alignment and nocross are powers of two or 0, and the phase is
 * smaller than the alignment.
 * @throws InputError naming the first row that is not so.
 */
export function requireConstraints(constraints: ConstraintTable): void {
  for (let row = 0; row < constraints.length; row++) {
    requirePower(constraints.align[row]!, row, 'align');
    requirePower(constraints.nocross[row]!, row, 'nocross');
    const phase = constraints.phase[row]!;
    if (!(phase >= 0 && phase < Math.max(1, constraints.align[row]!))) {
      throw new InputError(`constraint ${row} has phase ${phase}`, {
        field: 'phase',
        allowed: 'an integer from 0 up, below align',
      });
    }
  }
}

/**
 * vmem_xalloc panics on a phase or a nocross boundary that is no multiple of the quantum.
 * @throws InputError naming the first row that has one.
 */
export function requireQuanta(constraints: ConstraintTable, quantum: Bytes): void {
  for (const field of ['phase', 'nocross'] as const) {
    const row = constraints[field].findIndex((value) => value % quantum !== 0);
    if (row < 0) continue;
    const allowed = `multiples of the quantum, ${quantum}`;
    throw new InputError(`constraint ${row} has ${field} ${constraints[field][row]}`, { field, allowed });
  }
}

/**
 * The table for ranges that begin `lead` bytes before the address that the rows speak of (a guard page in front).
 * A nocross row then holds for the lead too, which is stricter than asked.
 */
export function withLead(constraints: ConstraintTable, lead: Bytes): ConstraintTable {
  return {
    ...constraints,
    phase: constraints.phase.map((phase, row) => {
      const align = constraints.align[row]!;
      return align === 0 ? 0 : (((phase - lead) % align) + align) % align;
    }),
    minAddress: constraints.minAddress.map((minimum) => Math.max(0, minimum - lead)),
  };
}

function requirePower(value: number, row: number, field: string): void {
  if (value === 0 || (Number.isInteger(value) && isPowerOfTwo(value))) return;
  throw new InputError(`constraint ${row} has ${field} ${value}`, { field, allowed: '0 or a power of two' });
}

/** Which part of row `row` the range [address, address + size) does not meet, in words; '' if it meets all. */
export function unmetConstraint(
  constraints: ConstraintTable,
  row: number,
  address: Address,
  size: Bytes,
): string {
  const align = constraints.align[row]!;
  const nocross = constraints.nocross[row]!;
  const minimum = constraints.minAddress[row]!;
  const maximum = constraints.maxAddress[row]!;
  if (align !== 0 && address % align !== constraints.phase[row]) {
    return `modulo ${align} it is ${address % align}, not ${constraints.phase[row]}`;
  }
  if (address < minimum) return `it begins below ${AddressSpace.canonical.format(minimum)}`;
  if (maximum !== 0 && address + size > maximum)
    return `it ends above ${AddressSpace.canonical.format(maximum)}`;
  if (nocross !== 0 && (address % nocross) + size > nocross) return `it straddles a multiple of ${nocross}`;
  return '';
}
