import type { Address } from '../../core/address.js';
import { MisuseError } from '../../core/errors.js';
import type { Bytes } from '../../core/units.js';
import type { VmemArena } from './arena.js';
import { VmemFlag } from './flags.js';
import { LAST_ADDRESS } from './placement.js';
import { NO_TAG } from './tags.js';
import { type CpuHost, type ItemSource, ZoneCache } from './zone-cache.js';

/** No arena has quantum caches for more quanta than this (VMEM_QCACHE_IDX_MAX). */
export const MAX_CACHED_QUANTA = 16;

/** Lowest address that a cache may hold: UMA's answer 0 means that there is none. */
const LOWEST_CACHED = 1;

/**
 * The quantum caches of an arena: a UMA zone cache for each size up to 16 quanta.
 * Mirrors qc_init, qc_import, qc_release and qc_drain, subr_vmem.c [freebsd@5cb586b].
 */
export class QuantumCaches {
  /** Largest size that they serve; 0 without them. */
  readonly most: Bytes;
  /** The cache for n quanta is at n - 1. */
  readonly caches: readonly ZoneCache[];
  private readonly perQuantum: number;

  constructor(arena: VmemArena, qcacheMax: Bytes, host: CpuHost) {
    const { quantum } = arena;
    const quanta = Math.min(Math.floor(qcacheMax / quantum), MAX_CACHED_QUANTA);
    this.most = quanta * quantum;
    this.perQuantum = 1 / quantum;
    this.caches = Array.from({ length: quanta }, (_, index) => {
      const itemBytes = (index + 1) * quantum;
      const spec = { name: `${arena.name}-${itemBytes}`, itemBytes };
      return new ZoneCache(spec, new SegmentSource(arena, itemBytes), host);
    });
  }

  /** `size` > 0, at most `most`. NO_ADDRESS if the cache could not import. */
  get(size: Bytes, flags: number): Address {
    return this.caches[Math.ceil(size * this.perQuantum) - 1]!.get(flags | VmemFlag.NOWAIT);
  }

  put(address: Address, size: Bytes): void {
    this.caches[Math.ceil(size * this.perQuantum) - 1]!.put(address);
  }

  /** What a failing allocation does: the lists of all zones are emptied, the buckets of CPUs stay. */
  drain(): void {
    for (let index = 0; index < this.caches.length; index++) this.caches[index]!.drain();
  }

  /** The same, and the buckets of all CPUs. */
  drainCpus(): void {
    for (const cache of this.caches) cache.drainCpus();
  }
}

/** Segments of one size, as items of a zone. */
class SegmentSource implements ItemSource {
  constructor(
    private readonly arena: VmemArena,
    private readonly size: Bytes,
  ) {}

  /** @throws MisuseError for next fit: the kernel asserts, since the lowest address is bounded here. */
  importItem(store: Float64Array, index: number, flags: number): boolean {
    const { arena, size } = this;
    if ((flags & VmemFlag.NEXTFIT) !== 0) {
      throw new MisuseError('next fit through a quantum cache', { arena: arena.name, size, flags });
    }
    const tag = arena.hasAddressZero
      ? arena.xallocTag(size, 0, 0, 0, LOWEST_CACHED, LAST_ADDRESS, flags)
      : arena.allocTag(size, flags);
    if (tag === NO_TAG) return false;
    store[index] = arena.tags.start[tag]!;
    return true;
  }

  releaseItem(store: Float64Array, index: number): void {
    this.arena.xfree(store[index]!, this.size);
  }
}
