import { type Address, NO_ADDRESS } from '../../core/address.js';
import { InvariantError, MisuseError } from '../../core/errors.js';
import { type Bytes, roundUp } from '../../core/units.js';
import type { KmemCache } from '../illumos-kmem/cache.js';
import type { CacheMetadata } from '../illumos-kmem/slab-structures.js';
import { ABIS } from '../illumos-vmem/abi.js';
import type { VmemArena } from '../illumos-vmem/arena.js';
import { KM_FLAGS, VmFlag } from '../illumos-vmem/flags.js';
import { type ArenaMetadata, type HostedArena, MIN_SPARE_SEGMENTS } from './hosted-arena.js';

/** Segment structures that the kernel's image brings along (vmem_seg0). */
const STATIC_SEGMENTS = 200;

/** Spares that a populator arena keeps for the sake of populating itself (VMEM_POPULATE_RESERVE). */
const POPULATE_RESERVE = 12;

/** Bytes of a segment structure with the audit fields, which all have until kmem_init has read its flags. */
const AUDITED_SEGMENT_BYTES = 232;

/** The arenas and caches that metadata come from; each is there from some point of the start-up on. */
export interface MetadataSources {
  vmemSeg: VmemArena;
  vmemHash: VmemArena;
  vmemVmem: VmemArena;
  kmemCache: VmemArena;
  kmemHash: VmemArena;
  slabs: KmemCache;
  bufctls: KmemCache;
  /** By rounds per magazine. */
  magazines: ReadonlyMap<number, KmemCache>;
}

/**
 * The kernel's own structures, taken from arenas and caches of the same tree: segment structures, hash tables, arena
 * and cache structures, slab structures, bufctls and magazines.
 * Mirrors vmem_populate, vmem_hash_rescale, vmem.c, and kmem_slab_create, kmem_hash_rescale, kmem_magazine_destroy,
 * kmem.c [illumos@94ab2e1].
 */
export class KernelMetadata implements ArenaMetadata, CacheMetadata {
  /** Set by the start-up as the sources come into being. */
  readonly sources: Partial<MetadataSources> = {};
  private readonly cacheBytes: Bytes;
  private segmentBytes: Bytes = AUDITED_SEGMENT_BYTES;
  /** The kernel's vmem_segfree. */
  private pool = STATIC_SEGMENTS;
  private readonly populators: HostedArena[] = [];
  private populating = false;

  constructor(cpus: number) {
    this.cacheBytes = ABIS.lp64.cache + ABIS.lp64.cachePerCpu * cpus;
  }

  /** Segment structures that belong to no arena. */
  get pooledSegments(): number {
    return this.pool;
  }

  /** From now on segment structures come without the audit fields. */
  dropAuditFields(): void {
    this.segmentBytes = ABIS.lp64.segment;
  }

  /** Makes an arena one whose memory segment structures are made of, so that it keeps a reserve of them. */
  addPopulator(arena: HostedArena): void {
    this.populators.push(arena);
    this.populate(arena, 0);
  }

  populate(arena: HostedArena, flags: number): boolean {
    const pooled = Math.min(this.pool, MIN_SPARE_SEGMENTS - arena.spareSegments);
    this.pool -= pooled;
    arena.addSegments(pooled);
    // Who is populating already lives on the reserve.
    if (arena.spareSegments >= MIN_SPARE_SEGMENTS || this.populating) return true;
    this.populating = true;
    const made = this.makeSegments(flags);
    if (made > 0) this.distribute(made, arena);
    this.populating = false;
    return made > 0;
  }

  /** Allocates segment structures. Returns how many, 0 when there is no memory. */
  private makeSegments(flags: number): number {
    const arena = this.source('vmemSeg');
    const wanted = MIN_SPARE_SEGMENTS + this.populators.length * POPULATE_RESERVE;
    const bytes = roundUp(wanted * this.segmentBytes, arena.quantum);
    return arena.alloc(bytes, flags & KM_FLAGS) === NO_ADDRESS ? 0 : Math.floor(bytes / this.segmentBytes);
  }

  /** Restocks the populators, which may have used their reserve, then the arena in need; the rest is for all. */
  private distribute(made: number, arena: HostedArena): void {
    this.pool += made;
    for (const populator of this.populators) this.fill(populator, POPULATE_RESERVE);
    this.fill(arena, MIN_SPARE_SEGMENTS);
  }

  private fill(arena: HostedArena, level: number): void {
    const count = Math.max(0, level - arena.spareSegments);
    this.pool -= count;
    arena.addSegments(count);
  }

  allocSegmentTable(buckets: number): Address {
    return this.source('vmemHash').alloc(buckets * ABIS.lp64.pointer, VmFlag.NOSLEEP);
  }

  freeSegmentTable(table: Address, buckets: number): void {
    this.source('vmemHash').free(table, buckets * ABIS.lp64.pointer);
  }

  /** @throws MisuseError when the heap is too small, as does `allocCache`. */
  allocArena(): Address {
    return mustExist(this.source('vmemVmem').alloc(ABIS.lp64.arena, 0));
  }

  /** Gives the structure of an arena back and its spare segment structures to all. */
  freeArena(arena: HostedArena, structure: Address): void {
    this.pool += arena.spareSegments;
    this.source('vmemVmem').free(structure, ABIS.lp64.arena);
  }

  allocCache(): Address {
    return mustExist(alignEnd(this.source('kmemCache'), this.cacheBytes));
  }

  freeCache(structure: Address): void {
    this.source('kmemCache').xfree(structure, this.cacheBytes);
  }

  allocBufctlTable(buckets: number): Address {
    return this.source('kmemHash').alloc(buckets * ABIS.lp64.pointer, VmFlag.NOSLEEP);
  }

  freeBufctlTable(table: Address, buckets: number): void {
    this.source('kmemHash').free(table, buckets * ABIS.lp64.pointer);
  }

  allocSlab(flags: number): Address {
    return this.source('slabs').alloc(flags);
  }

  freeSlab(structure: Address): void {
    this.source('slabs').free(structure);
  }

  allocBufctl(flags: number): Address {
    return this.source('bufctls').alloc(flags);
  }

  freeBufctl(bufctl: Address): void {
    this.source('bufctls').free(bufctl);
  }

  allocMagazine(rounds: number): Address {
    return this.magazineCache(rounds).alloc(VmFlag.NOSLEEP);
  }

  freeMagazine(magazine: Address, rounds: number): void {
    this.magazineCache(rounds).free(magazine);
  }

  private magazineCache(rounds: number): KmemCache {
    const cache = this.source('magazines').get(rounds);
    if (cache === undefined) throw new InvariantError(`no cache of magazines with ${rounds} rounds`);
    return cache;
  }

  private source<Name extends keyof MetadataSources>(name: Name): MetadataSources[Name] {
    const source = this.sources[name];
    if (source === undefined)
      throw new InvariantError(`metadata wanted from ${name}, which is not there yet`);
    return source;
  }
}

/** Returns an address that there must be: the kernel would sleep for ever. @throws MisuseError */
export function mustExist(structure: Address): Address {
  if (structure === NO_ADDRESS) throw new MisuseError('the heap has no room for the structures', {});
  return structure;
}

/** Line of a CPU cache: what several CPUs use begins at one. */
const CACHE_LINE = 64;

/** `bytes` of an arena that end with a cache line, as kmem takes structures whose tail is per CPU. */
export function alignEnd(arena: VmemArena, bytes: Bytes): Address {
  const phase = (CACHE_LINE - (bytes % CACHE_LINE)) % CACHE_LINE;
  return arena.xalloc(bytes, CACHE_LINE, phase, 0, 0, 0, 0);
}
