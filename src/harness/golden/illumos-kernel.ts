import { Type } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import { KernelTree } from '../../arena/illumos-kernel/kernel-tree.js';
import type { SystemOptions } from '../../arena/illumos-vmem/system.js';
import { InputError } from '../../core/errors.js';
import type { GoldenCase } from './golden-case.js';

/** Name by which operations of kernel-tree cases address kmem_alloc and kmem_free. */
export const KMEM = 'kmem';

/** Stand-in of the oracle for the address of the kernel image's arena structures. */
const STATIC_ARENAS = 0xffff_ffff_fbc0_0000n;

const KernelHeap = Type.Object({
  base: Type.String({ pattern: '^0x[0-9a-f]+$' }),
  size: Type.Number({ exclusiveMinimum: 0 }),
  quantum: Type.Literal(4096),
});

/** Whether the arenas of a case are made by the kernel's own start-up. */
export function hasKernelTree(golden: GoldenCase): boolean {
  const builtin = golden.description.builtin_arenas;
  return Array.isArray(builtin) && builtin.length > 0;
}

/**
 * The kernel tree that a case begins with.
 * @throws InputError when case.json does not say where the heap is.
 */
export function startKernelTree(golden: GoldenCase, options: SystemOptions): KernelTree {
  const heap = golden.description.kernel_heap;
  if (!Value.Check(KernelHeap, heap)) {
    const file = golden.path('case.json');
    throw new InputError('not the description of a heap', {
      file,
      field: 'kernel_heap',
      allowed: 'base, size and a quantum of 4096',
    });
  }
  const { space } = options;
  return new KernelTree({
    ...options,
    heap: { base: space.toNumber(BigInt(heap.base)), bytes: heap.size },
    staticArenas: space.toNumber(STATIC_ARENAS),
  });
}
