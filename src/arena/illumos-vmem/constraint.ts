import type { Address } from '../../core/address.js';
import { MisuseError } from '../../core/errors.js';
import { type Bytes, isPowerOfTwo } from '../../core/units.js';

/** Refuses arguments of vmem_xalloc on which the kernel panics. @throws MisuseError */
export function checkConstraint(
  arena: { readonly name: string; readonly quantum: Bytes },
  size: Bytes,
  align: Bytes,
  phase: Bytes,
  nocross: Bytes,
  minAddress: Address,
  maxAddress: Address,
): void {
  const { name, quantum } = arena;
  const misaligned = align % quantum !== 0 || phase % quantum !== 0 || nocross % quantum !== 0;
  const odd = !isPowerOfTwo(align) || (nocross !== 0 && !isPowerOfTwo(nocross)) || phase >= align;
  const crossing = nocross !== 0 && (align > nocross || Math.ceil((phase + size) / align) * align > nocross);
  if (!(size > 0) || misaligned || odd || crossing) {
    const args = { size, align, phase, nocross, minAddress, maxAddress };
    throw new MisuseError('bad arguments of xalloc', { arena: name, ...args });
  }
}
