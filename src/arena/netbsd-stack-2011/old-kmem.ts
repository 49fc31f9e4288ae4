import type { Address } from '../../core/address.js';
import type { Bytes } from '../../core/units.js';
import { type ArenaHost, VmemArena } from '../netbsd-vmem/arena.js';
import { VmFlag } from '../netbsd-vmem/flags.js';
import type { SpanSource } from '../netbsd-vmem/span-source.js';
import type { ByteSource } from '../uvm-map/map-pages.js';

/** Sizes with a quantum cache, in quanta. */
const CACHED_QUANTA = 32;

/**
 * kmem(9) of NetBSD 5.2: an arena of bytes, which imports whole pages.
 * Mirrors kmem_init, kmem_alloc and kmem_free, subr_kmem.c [netbsd@301a139]; spec §2.7.
 */
export class OldKmem implements ByteSource {
  readonly arena: VmemArena;

  /** `quantum`: the alignment that any object may need, a pointer's. */
  constructor(quantum: Bytes, source: SpanSource, host: ArenaHost) {
    const qcacheMax = CACHED_QUANTA * quantum;
    this.arena = new VmemArena({ name: 'kmem', quantum, qcacheMax, flags: 0, source }, host);
  }

  alloc(size: Bytes): Address {
    return this.arena.alloc(size, VmFlag.INSTANTFIT | VmFlag.NOSLEEP);
  }

  free(address: Address, size: Bytes): void {
    this.arena.free(address, size);
  }

  bytesFor(size: Bytes): Bytes {
    const { arena } = this;
    const bytes = arena.roundUp(size);
    if (size > arena.qcacheMax) return bytes;
    return arena.quantumCaches[bytes / arena.quantum - 1]!.pool.geometry.itemBytes;
  }
}
