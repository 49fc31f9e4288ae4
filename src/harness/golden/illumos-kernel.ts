import { Type } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import { KernelTree } from '../../arena/illumos-kernel/kernel-tree.js';
import type { SystemOptions } from '../../arena/illumos-vmem/system.js';
import { InputError } from '../../core/errors.js';
import { GIB, MIB } from '../../core/units.js';
import type { GoldenCase } from './golden-case.js';

/** Name by which operations of kernel-tree cases address kmem_alloc and kmem_free. */
export const KMEM = 'kmem';

/** Stand-in of the oracle for the address of the kernel image's arena structures. */
const STATIC_ARENAS = 0xffff_ffff_fbc0_0000n;

/** The heap that the oracle gives its kernel; the arenas of all but kernel-tree cases lie elsewhere. */
const ORACLE_HEAP = { base: '0x200000000000', size: 64 * GIB, quantum: 4096 };

/** Room enough for the structures of the start-up, logs for a hundred CPUs included. */
const SMALLEST_HEAP = 16 * MIB;

const KernelHeap = Type.Object({
  base: Type.String({ pattern: '^0x[0-9a-f]+$' }),
  size: Type.Number({ minimum: SMALLEST_HEAP }),
  quantum: Type.Literal(4096),
});

/** Whether the case is about arenas that the kernel's own start-up makes. */
export function isKernelTreeCase(golden: GoldenCase): boolean {
  const builtin = golden.description.builtin_arenas;
  return Array.isArray(builtin) && builtin.length > 0;
}

/**
 * The kernel that a case runs on, as its start-up leaves it.
 * @throws InputError when a kernel-tree case does not say where the heap is.
 */
export function startKernelTree(golden: GoldenCase, options: SystemOptions): KernelTree {
  const heap = isKernelTreeCase(golden) ? golden.description.kernel_heap : ORACLE_HEAP;
  if (!Value.Check(KernelHeap, heap)) {
    throw new InputError('not the description of a heap', {
      file: golden.path('case.json'),
      field: 'kernel_heap',
      allowed: `base, size of at least ${SMALLEST_HEAP} and a quantum of 4096`,
    });
  }
  const { space } = options;
  const base = space.toNumber(BigInt(heap.base));
  // Only kernel-tree cases show this address, and not every space of addresses holds it.
  const staticArenas = isKernelTreeCase(golden) ? space.toNumber(STATIC_ARENAS) : base + heap.size;
  return new KernelTree({ ...options, heap: { base, bytes: heap.size }, staticArenas });
}

/** Whether the oracle's heap has addresses in the case's space. */
export function hasHeapAddresses(golden: GoldenCase): boolean {
  const { space } = golden.operations;
  const base = BigInt(ORACLE_HEAP.base);
  return space.toBigInt(space.clamp(base)) === base;
}
