import type { Address } from '../../core/address.js';
import { type Bytes, KIB } from '../../core/units.js';
import { AllocCaches, createAllocCaches, LARGEST_CACHED } from '../illumos-kmem/alloc-caches.js';
import type { KmemCache } from '../illumos-kmem/cache.js';
import { slabGeometry } from '../illumos-kmem/slab-geometry.js';
import { ABIS } from '../illumos-vmem/abi.js';
import { ArenaFlag, VmFlag } from '../illumos-vmem/flags.js';
import { AllocSource, FirewallSource, type SpanSource } from '../illumos-vmem/span-source.js';
import type { SystemOptions } from '../illumos-vmem/system.js';
import type { HostedArena } from './hosted-arena.js';
import { alignEnd, mustExist } from './kernel-metadata.js';
import { KernelSystem } from './kernel-system.js';

const PAGE = 4 * KIB;

/** Smallest quantum of arenas that structures with pointers come from. */
const WORD = 8;

/** Largest size with quantum caches of the arenas that have any, or that import as if they had. */
const QCACHE_MAX = 8 * PAGE;

/** Arena structures that the kernel's image brings along (vmem0). */
const STATIC_ARENAS = 10;

/** Magazine types: rounds, and alignment of the magazine. Mirrors kmem_magtype, kmem.c [illumos@94ab2e1]. */
const MAGAZINE_TYPES = [
  { rounds: 1, align: 8 },
  { rounds: 3, align: 16 },
  { rounds: 7, align: 32 },
  { rounds: 15, align: 64 },
  { rounds: 31, align: 64 },
  { rounds: 47, align: 64 },
  { rounds: 63, align: 64 },
  { rounds: 95, align: 64 },
  { rounds: 143, align: 64 },
] as const;

/** Bytes of a bufctl with audit fields, of the structures of the defragmenter, and of a log's header. */
const BUFCTL_AUDIT_BYTES = 192;
const DEFRAG_BYTES = 208;
const MOVE_BYTES = 56;
const LOG_HEADER_BYTES = 48;

/** Per CPU: line in a log's header, chunks of the log, and free-list entries. */
const LOG_LINE_BYTES = 64;
const LOG_CHUNK_BYTES = 16 * KIB;
const LOG_INDEX_BYTES = 16;
const LOGS = 3;

/** The first pass of kmem_init has kmem_alloc caches up to this. */
const FIRST_PASS_LARGEST = 32 * KIB;

export interface KernelTreeOptions extends Omit<SystemOptions, 'metadata'> {
  /** Where the kernel heap lies. */
  readonly heap: { readonly base: Address; readonly bytes: Bytes };
  /** Where the kernel's image has its ten arena structures; any range apart from the heap will do. */
  readonly staticArenas: Address;
}

/**
 * The kernel memory tree of illumos as it stands after vmem_init and kmem_init: every arena, cache and structure
 * lies in memory of the tree itself, so what a client gets depends on the structures that earlier requests took.
 * THEORY.md in this folder explains it. The constructor throws MisuseError when the heap is too small for all this.
 * Mirrors vmem_init, vmem.c, and kmem_init, kmem.c [illumos@94ab2e1].
 */
export class KernelTree {
  readonly system: KernelSystem;
  readonly heap: HostedArena;
  /** Where kmem_alloc's caches take their slabs from. */
  readonly kmemDefault: HostedArena;
  private readonly allocCaches: AllocCaches;
  private readonly oversize: HostedArena;

  constructor(options: KernelTreeOptions) {
    this.system = new KernelSystem(options);
    this.heap = this.createHeap(options.heap);
    this.createHostedArenas(options.staticArenas);
    const { msb, log, firewallVa } = this.createKmemArenas();
    this.runFirstPass(msb);
    this.system.kernelMetadata.dropAuditFields();
    this.oversize = this.create('kmem_oversize', PAGE, new AllocSource(firewallVa));
    this.createMetadataCaches(msb);
    const va = this.create('kmem_va', PAGE, new AllocSource(this.heap), { qcacheMax: QCACHE_MAX });
    this.kmemDefault = this.create('kmem_default', PAGE, new AllocSource(va));
    this.allocCaches = new AllocCaches(this.kmemDefault, PAGE, this.system.createCache.bind(this.system));
    for (let count = 0; count < LOGS; count++) this.createLog(log);
    this.createStructureCache('kmem_defrag_cache', DEFRAG_BYTES, WORD, msb);
    this.createStructureCache('kmem_move_cache', MOVE_BYTES, WORD, msb);
  }

  /** kmem_alloc of `size` > 0 bytes. Returns NO_ADDRESS when exhausted. */
  kmemAlloc(size: Bytes, flags: number): Address {
    if (size > LARGEST_CACHED) return this.oversize.alloc(size, flags);
    return this.allocCaches.cacheFor(size).alloc(flags);
  }

  /** kmem_free of what `kmemAlloc` returned for a size of the same cache, or of the same size. */
  kmemFree(address: Address, size: Bytes): void {
    if (size > LARGEST_CACHED) this.oversize.free(address, size);
    else this.allocCaches.cacheFor(size).free(address);
  }

  private createHeap({ base, bytes }: KernelTreeOptions['heap']): HostedArena {
    const heap = this.createStatic('heap', PAGE, null, { flags: ArenaFlag.POPULATOR });
    heap.addSpan(base, bytes);
    return heap;
  }

  /** The rest of vmem_init. The first five arenas are entered into the arena of arena structures afterwards. */
  private createHostedArenas(staticArenas: Address): void {
    const { sources } = this.system.kernelMetadata;
    const metadata = this.createStatic('vmem_metadata', PAGE, new AllocSource(this.heap), {
      qcacheMax: QCACHE_MAX,
      flags: ArenaFlag.POPULATOR | ArenaFlag.NO_QCACHE,
    });
    const source = new AllocSource(metadata);
    sources.vmemSeg = this.createStatic('vmem_seg', PAGE, source, { flags: ArenaFlag.POPULATOR });
    sources.vmemHash = this.createStatic('vmem_hash', WORD, source);
    const arenas = this.createStatic('vmem_vmem', 1, source);
    sources.vmemVmem = arenas;
    const { arena: bytes } = ABIS.lp64;
    arenas.addSpan(staticArenas, STATIC_ARENAS * bytes);
    const flags = VmFlag.NOSLEEP | VmFlag.BESTFIT | VmFlag.PANIC;
    this.system.arenas.forEach((_arena, index) => {
      const structure = staticArenas + index * bytes;
      arenas.xalloc(bytes, 1, 0, 0, structure, structure + bytes, flags);
    });
  }

  private createKmemArenas() {
    const { sources } = this.system.kernelMetadata;
    const metadata = this.create('kmem_metadata', PAGE, new AllocSource(this.heap), {
      qcacheMax: QCACHE_MAX,
      flags: ArenaFlag.NO_QCACHE,
    });
    const source = new AllocSource(metadata);
    const msb = this.create('kmem_msb', PAGE, source);
    sources.kmemCache = this.create('kmem_cache', WORD, source);
    sources.kmemHash = this.create('kmem_hash', WORD, source);
    const log = this.create('kmem_log', WORD, new AllocSource(this.heap));
    const firewallVa = this.create('kmem_firewall_va', PAGE, new FirewallSource(this.heap, PAGE));
    this.create('kmem_firewall', PAGE, new AllocSource(firewallVa));
    return { msb, log, firewallVa };
  }

  /** Caches that serve until the kernel has read its settings; then all are destroyed, the last first. */
  private runFirstPass(msb: HostedArena): void {
    const { system } = this;
    const oversize = this.create('kmem_oversize', PAGE, new AllocSource(this.heap));
    this.createMetadataCaches(msb);
    createAllocCaches(msb, PAGE, system.createCache.bind(system), FIRST_PASS_LARGEST);
    for (const cache of [...system.caches].reverse()) system.destroyCache(cache);
    system.destroyArena(oversize);
  }

  /** The caches of magazines, slab structures and bufctls. */
  private createMetadataCaches(msb: HostedArena): void {
    const { sources } = this.system.kernelMetadata;
    const { pointer, slab, bufctl } = ABIS.lp64;
    sources.magazines = new Map(
      MAGAZINE_TYPES.map(({ rounds, align }) => {
        const bytes = (rounds + 1) * pointer;
        return [rounds, this.createStructureCache(`kmem_magazine_${rounds}`, bytes, align, msb)];
      }),
    );
    sources.slabs = this.createStructureCache('kmem_slab_cache', slab, WORD, msb);
    sources.bufctls = this.createStructureCache('kmem_bufctl_cache', bufctl, WORD, msb);
    this.createStructureCache('kmem_bufctl_audit_cache', BUFCTL_AUDIT_BYTES, WORD, msb);
  }

  /** A cache that must do without bufctls, because it is itself needed to make them or may be. */
  private createStructureCache(name: string, bytes: Bytes, align: Bytes, msb: HostedArena): KmemCache {
    const geometry = slabGeometry(bytes, align, PAGE, { mayHash: false });
    return this.system.createCache(name, bytes, geometry, msb);
  }

  /** A transaction log: header, chunks, list of free chunks. */
  private createLog(log: HostedArena): void {
    const { cpus } = this.system;
    mustExist(alignEnd(log, LOG_HEADER_BYTES + LOG_LINE_BYTES * cpus));
    mustExist(log.alloc(LOG_CHUNK_BYTES * cpus, 0));
    mustExist(log.alloc(LOG_INDEX_BYTES * cpus, 0));
  }

  private create(
    name: string,
    quantum: Bytes,
    source: SpanSource,
    { qcacheMax = 0, flags = 0 } = {},
  ): HostedArena {
    return this.system.createArena({ name, quantum, qcacheMax, flags, source });
  }

  private createStatic(
    name: string,
    quantum: Bytes,
    source: SpanSource | null,
    { qcacheMax = 0, flags = 0 } = {},
  ): HostedArena {
    return this.system.createStaticArena({ name, quantum, qcacheMax, flags, source });
  }
}
