import type { Address } from '../../core/address.js';
import { MisuseError } from '../../core/errors.js';
import type { Bytes } from '../../core/units.js';
import type { KmemCache, SlabGeometry, SlabSource } from '../illumos-kmem/cache.js';
import type { ArenaSpec } from '../illumos-vmem/arena.js';
import { ArenaFlag } from '../illumos-vmem/flags.js';
import { type SystemOptions, VmemSystem } from '../illumos-vmem/system.js';
import { HostedArena } from './hosted-arena.js';
import { KernelMetadata } from './kernel-metadata.js';

/**
 * A system whose arenas and caches live in memory of its own arenas.
 * Mirrors the metadata part of vmem_create, vmem_destroy, kmem_cache_create and kmem_cache_destroy [illumos@94ab2e1].
 */
export class KernelSystem extends VmemSystem {
  declare readonly arenas: HostedArena[];
  readonly kernelMetadata: KernelMetadata;
  private readonly arenaStructures = new Map<HostedArena, Address>();
  private readonly cacheStructures = new Map<KmemCache, Address>();

  constructor(options: Omit<SystemOptions, 'metadata'>) {
    const metadata = new KernelMetadata(options.cpus);
    super({ ...options, metadata });
    this.kernelMetadata = metadata;
  }

  override createArena(spec: ArenaSpec): HostedArena {
    const structure = this.kernelMetadata.allocArena();
    const arena = this.createStaticArena(spec);
    this.arenaStructures.set(arena, structure);
    return arena;
  }

  /** An arena whose structure is not taken from an arena: the first ones. */
  createStaticArena(spec: ArenaSpec): HostedArena {
    const arena = this.newArena(spec);
    this.arenas.push(arena);
    if ((spec.flags & ArenaFlag.POPULATOR) !== 0) this.kernelMetadata.addPopulator(arena);
    return arena;
  }

  protected override newArena(spec: ArenaSpec): HostedArena {
    return new HostedArena(spec, this, this.kernelMetadata);
  }

  override createCache(
    name: string,
    bufferBytes: Bytes,
    geometry: SlabGeometry,
    source: SlabSource,
    identifiers = false,
  ): KmemCache {
    const structure = this.kernelMetadata.allocCache();
    const cache = super.createCache(name, bufferBytes, geometry, source, identifiers);
    this.cacheStructures.set(cache, structure);
    return cache;
  }

  /** kmem_cache_destroy. @throws MisuseError unless the cache was never used: only the start-up destroys caches. */
  destroyCache(cache: KmemCache): void {
    cache.destroyUnused();
    this.kernelMetadata.freeCache(this.cacheStructures.get(cache)!);
    this.cacheStructures.delete(cache);
    this.caches.splice(this.caches.indexOf(cache), 1);
  }

  /** vmem_destroy. @throws MisuseError unless the arena was never used: only the start-up destroys arenas. */
  destroyArena(arena: HostedArena): void {
    if (arena.spanTags > 0 || arena.quantumCaches.length > 0) {
      throw new MisuseError('destroying an arena that was used', { arena: arena.name });
    }
    this.kernelMetadata.freeArena(arena, this.arenaStructures.get(arena)!);
    this.arenaStructures.delete(arena);
    this.arenas.splice(this.arenas.indexOf(arena), 1);
  }
}
