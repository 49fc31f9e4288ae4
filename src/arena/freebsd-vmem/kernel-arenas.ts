import type { Address } from '../../core/address.js';
import { type Bytes, MIB } from '../../core/units.js';
import type { VmemArena } from './arena.js';
import { AlignedSource, StackSlotSource } from './span-source.js';
import type { VmemSystem } from './system.js';

const PAGE_BYTES = 4096;

/** Superpage: imports of kernel arenas are aligned to it. */
const SUPERPAGE_BYTES = 2 * MIB;

/** Import quantum of machines with one memory domain, and with more (spec §1). */
const IMPORT_QUANTUM = 2 * MIB;
const NUMA_IMPORT_QUANTUM = 256 * MIB;

/** What may differ between the arenas of two kernels. */
export interface KernelArenaOptions {
  /** The part of kernel VA that is left after boot. */
  readonly base: Address;
  readonly bytes: Bytes;
  /** Memory domains (NUMA). */
  readonly domains: number;
  /** Largest size with a quantum cache in the arenas of the domains; 0 or absent = none, as in every release. */
  readonly qcacheMax?: Bytes;
  /** With arenas for stacks, as since 2024: pages of a stack and its guard, and where kernel VA starts. */
  readonly stacks?: { readonly slotPages: number; readonly kernelBase: Address };
}

/** The arenas that kernel memory comes from. */
export interface KernelArenas {
  /** Stands for kernel_map: a static arena of the whole range (D3). */
  readonly map: VmemArena;
  /** kernel_arena: KVA without memory, and what the arenas of the domains import. */
  readonly kernel: VmemArena;
  /** Where `kernel` imports from. */
  readonly kernelImports: AlignedSource;
  /** kmem of each domain. */
  readonly domains: readonly VmemArena[];
  /** Kernel stacks of each domain; none before 2024. */
  readonly stacks: readonly VmemArena[];
}

/**
 * Creates the arenas of kernel VA as they stand after boot; none has quantum caches unless asked for, and none but those of stacks gives
 * back what it imported.
 * Mirrors kmem_init, vm_kern.c [freebsd@5cb586b], and for stacks D38852 of 2024 (spec §4, §5).
 */
export function createKernelArenas(system: VmemSystem, options: KernelArenaOptions): KernelArenas {
  const common = { quantum: PAGE_BYTES, qcacheMax: 0 };
  const map = system.createArena({ ...common, name: 'kernel_map', source: null });
  map.addSpan(options.base, options.bytes);
  const quantum = options.domains > 1 ? NUMA_IMPORT_QUANTUM : IMPORT_QUANTUM;
  const kernelImports = new AlignedSource(map, quantum, false, SUPERPAGE_BYTES);
  const kernel = system.createArena({ ...common, name: 'kernel', source: kernelImports });
  const domains = Array.from({ length: options.domains }, (_, domain) => {
    const source = new AlignedSource(kernel, quantum, false, SUPERPAGE_BYTES);
    const qcacheMax = options.qcacheMax ?? 0;
    return system.createArena({ ...common, name: `kernel_dom${domain}`, qcacheMax, source });
  });
  const { stacks: layout } = options;
  const stacks = domains.flatMap((from, domain) => {
    if (layout === undefined) return [];
    const slot = layout.slotPages * PAGE_BYTES;
    const source = new StackSlotSource(from, slot, PAGE_BYTES, layout.kernelBase);
    return [system.createArena({ ...common, name: `kstack_dom${domain}`, source })];
  });
  return { map, kernel, kernelImports, domains, stacks };
}
