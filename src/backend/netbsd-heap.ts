import { Type } from '@sinclair/typebox';
import { KmemCaches, LARGEST_CACHED } from '../arena/netbsd-kmem/kmem-caches.js';
import { CountedPool } from '../arena/netbsd-pool/counted-pool.js';
import { poolGeometry } from '../arena/netbsd-pool/geometry.js';
import { ABIS, type Abi } from '../arena/netbsd-vmem/abi.js';
import type { VmemArena } from '../arena/netbsd-vmem/arena.js';
import { ArenaPages } from '../arena/netbsd-vmem/arena-pages.js';
import { VmFlag } from '../arena/netbsd-vmem/flags.js';
import { PAGE_BYTES } from '../arena/netbsd-vmem/metadata.js';
import { AllocSource } from '../arena/netbsd-vmem/span-source.js';
import { VmemSystem } from '../arena/netbsd-vmem/system.js';
import { VmemView } from '../arena/netbsd-vmem/view.js';
import { UVM_ABIS, type UvmAbi } from '../arena/uvm-map/abi.js';
import type { ArenaView } from '../arena/view.js';
import { type Address, AddressSpace, NO_ADDRESS } from '../core/address.js';
import { InputError } from '../core/errors.js';
import { RequestClass, UNCONSTRAINED } from '../core/request.js';
import { type EventHandler, Priority, type Simulation } from '../core/simulation.js';
import { type Bytes, GIB, MIB, roundUp, SECOND } from '../core/units.js';
import type { Backend, BackendEnvironment, Parameters } from './contract.js';
import { KernelMap } from './netbsd-kernel-map.js';
import { MappedRanges, type RangeLayer } from './netbsd-ranges.js';
import { parseBase, requireConstraints } from './placement.js';

/** Parameters of every NetBSD stack in which vmem manages wired memory. */
export const KERNEL_PARAMETERS = {
  kernel_base: Type.Union([Type.String(), Type.Number()], {
    default: '0xffff800000000000',
    description: 'first address of the kernel: its image, then the heap, then the rest of kernel_map',
  }),
  kernel_size: Type.Number({
    format: 'bytes',
    default: 32 * GIB,
    description: 'bytes of kernel address space (assumption)',
  }),
  image_size: Type.Number({
    format: 'bytes',
    default: 16 * MIB,
    description: 'bytes of the kernel image, at the first address (assumption)',
  }),
  abi: Type.Union([Type.Literal('lp64'), Type.Literal('ilp32')], {
    default: 'lp64',
    description: 'structure sizes of amd64 or i386: for the metadata, and for tags and entries per page',
  }),
} as const;

/** Parameters of the stacks whose heap is a part of the kernel. */
export const HEAP_PARAMETERS = {
  ...KERNEL_PARAMETERS,
  physmem: Type.Number({
    format: 'bytes',
    default: 4 * GIB,
    description: 'physical memory: the heap is as large, but at most two thirds of kernel_size',
  }),
} as const;

/** The parameter for quantum caches, in pages. */
export function qcacheParameter(pages: number, arena: string, why: string) {
  return Type.Integer({
    minimum: 0,
    maximum: 16,
    default: pages,
    description: `pages of the largest size with a quantum cache in "${arena}"; 0 = none (default: ${why})`,
  });
}

const REHASH_INTERVAL = 10 * SECOND;

/** A range of addresses; `limit` is exclusive. */
export interface KernelRange {
  readonly base: Address;
  readonly limit: Address;
}

/** The arenas and the map of one stack. */
export interface HeapParts {
  /** All wired memory is in its addresses. */
  readonly root: VmemArena;
  /** kmem(9), malloc(9), pool(9) take pages from it. */
  readonly pages: VmemArena;
  /** Where pages are taken from at interrupt level. */
  readonly interrupt: VmemArena;
  readonly kernelMap: KernelMap;
  /** Serves ranges that are neither: va, kstack, pageable, and whatever has a constraint. */
  readonly ranges: RangeLayer;
}

/**
 * The kernel's addresses behind its image.
 * @throws InputError naming the parameter that is wrong and what it may be.
 */
export function kernelRange(parameters: Parameters): KernelRange {
  const bytes = requirePages(parameters, 'kernel_size', 64 * MIB);
  const imageBytes = requirePages(parameters, 'image_size', PAGE_BYTES);
  if (imageBytes > bytes / 4) {
    const allowed = `at most a quarter of kernel_size, ${bytes / 4}`;
    throw new InputError(`an image of ${imageBytes} bytes leaves no room`, { field: 'image_size', allowed });
  }
  const base = parseBase(parameters.kernel_base as string | number, bytes, PAGE_BYTES, 'kernel_base');
  return { base: base + imageBytes, limit: base + bytes };
}

/**
 * Bytes of the heap at the start of the kernel's range: kmemsize of uvm_km_bootstrap, February 2012 (spec netbsd-vmem-uvm
 * §1.12). @throws InputError naming the parameter that is wrong and what it may be.
 */
export function heapBytesOf(parameters: Parameters): Bytes {
  const physmem = requirePages(parameters, 'physmem', 8 * MIB);
  const most = Math.floor((Number(parameters.kernel_size) * 2) / 3 / PAGE_BYTES) * PAGE_BYTES;
  return Math.min(most, physmem);
}

/** A kernel's vmem before any client, with the root arena over `bytes` from `base`. */
export function bootVmem(
  environment: BackendEnvironment,
  parameters: Parameters,
  root: { readonly name: string; readonly base: Address; readonly bytes: Bytes },
): VmemSystem {
  const { simulation } = environment;
  return new VmemSystem({
    space: AddressSpace.canonical,
    cpus: simulation.cpus,
    locks: simulation.locks,
    abi: abiOf(parameters),
    kmem: root,
  });
}

/** An arena of pages above `source`, with quantum caches for up to `qcachePages`. */
export function pageArena(system: VmemSystem, name: string, source: VmemArena, qcachePages = 0): VmemArena {
  const qcacheMax = qcachePages * PAGE_BYTES;
  return system.createArena({
    name,
    quantum: PAGE_BYTES,
    qcacheMax,
    flags: 0,
    source: new AllocSource(source),
  });
}

/** Sizes of map entries: those of 5.2, or since 2012, when they had one attribute word more. */
export function entryAbi(parameters: Parameters, hasAttributeWord: boolean): UvmAbi {
  const abi: UvmAbi = UVM_ABIS[parameters.abi as keyof typeof UVM_ABIS];
  const word = abiOf(parameters).pointer;
  return hasAttributeWord ? { ...abi, entry: abi.entry + word } : abi;
}

function abiOf(parameters: Parameters): Abi {
  return ABIS[parameters.abi as keyof typeof ABIS];
}

/**
 * What all stacks have in common in which vmem manages the kernel heap: which layer takes what is up to `parts`.
 * kmem and malloc up to a page come from the pool caches of kmem(9), whose pages, and all that is longer, come from
 * `pages`; so do poolPage requests, the pages of other pools. What has a constraint is a range, whatever its class.
 * The pages of map entries are pages of `pages` too.
 *
 * The hash tables follow every 10 seconds (vmem_rehash_all). reap() is pool_cache_reclaim of every cache, those of
 * objects first: what was idle for 10 seconds goes back. Boundary tags come from where NetBSD of 2016 has them (spec
 * netbsd-vmem-uvm §1.8): that of 2012 cuts 73 instead of 72 from a page.
 */
export class NetbsdHeap implements Backend, EventHandler {
  readonly serves = [
    RequestClass.kmem,
    RequestClass.malloc,
    RequestClass.poolPage,
    RequestClass.interrupt,
    RequestClass.va,
    RequestClass.pageable,
    RequestClass.kstack,
  ];
  readonly arenas: readonly ArenaView[];
  private readonly kmem: KmemCaches;
  /** Bytes that malloc(9) puts in front of an object. */
  private readonly mallocHeader: Bytes;
  private readonly simulation: Simulation;
  private readonly handler: number;

  /**
   * `entries` is the pool of the map's entries, with pages of `parts.pages`.
   * @throws InputError for a constraint that vmem_xalloc(9) would not take.
   */
  constructor(
    private readonly system: VmemSystem,
    private readonly parts: HeapParts,
    entries: CountedPool,
    environment: BackendEnvironment,
  ) {
    requireConstraints(environment.constraints);
    this.simulation = environment.simulation;
    this.handler = this.simulation.register(this);
    this.mallocHeader = system.abi.pointer;
    this.kmem = new KmemCaches(system, heapPages(parts.pages));
    this.arenas = [...this.vmemViews(entries), parts.kernelMap];
    this.simulation.schedule(REHASH_INTERVAL, Priority.timer, this.handler);
  }

  alloc(cls: number, size: Bytes, constraint: number, cpu: number): Address {
    this.enterKernel(cpu);
    if (constraint !== UNCONSTRAINED) {
      return this.parts.ranges.xalloc(cls, roundUp(size, PAGE_BYTES), constraint);
    }
    switch (cls) {
      case RequestClass.kmem:
        return this.allocObject(size);
      case RequestClass.malloc: {
        const address = this.allocObject(size + this.mallocHeader);
        return address === NO_ADDRESS ? NO_ADDRESS : address + this.mallocHeader;
      }
      case RequestClass.poolPage:
        return this.parts.pages.alloc(roundUp(size, PAGE_BYTES), VmFlag.NOSLEEP);
      case RequestClass.interrupt:
        return this.parts.interrupt.alloc(roundUp(size, PAGE_BYTES), VmFlag.NOSLEEP);
      default:
        return this.parts.ranges.alloc(cls, roundUp(size, PAGE_BYTES));
    }
  }

  free(cls: number, address: Address, size: Bytes, constraint: number, cpu: number): void {
    this.enterKernel(cpu);
    const pages = roundUp(size, PAGE_BYTES);
    if (constraint !== UNCONSTRAINED) {
      this.parts.ranges.free(cls, address, pages);
      return;
    }
    switch (cls) {
      case RequestClass.kmem:
        this.freeObject(address, size);
        break;
      case RequestClass.malloc:
        this.freeObject(address - this.mallocHeader, size + this.mallocHeader);
        break;
      case RequestClass.poolPage:
        this.parts.pages.free(address, pages);
        break;
      case RequestClass.interrupt:
        this.parts.interrupt.free(address, pages);
        break;
      default:
        this.parts.ranges.free(cls, address, pages);
    }
  }

  /** An object is as large as its cache's, header included; everything else is whole pages. */
  footprint(cls: number, size: Bytes): Bytes {
    const isObject = cls === RequestClass.kmem || cls === RequestClass.malloc;
    const bytes = cls === RequestClass.malloc ? size + this.mallocHeader : size;
    if (!isObject || bytes > LARGEST_CACHED) return roundUp(bytes, PAGE_BYTES);
    return this.kmem.cacheFor(bytes).pool.geometry.itemBytes;
  }

  rootsOf(cls: number): readonly ArenaView[] {
    const name = this.parts.ranges.rootOf(cls) ?? this.parts.root.name;
    return this.arenas.filter((arena) => arena.name === name);
  }

  workDone(): number {
    return this.system.work.steps + this.parts.kernelMap.steps;
  }

  reap(): void {
    this.enterKernel(0);
    for (const cache of this.kmem.caches) cache.reclaim();
    for (const arena of [...this.system.arenas].reverse()) this.system.reclaim(arena);
  }

  check(): void {
    for (const arena of this.arenas) arena.check();
  }

  fire(): void {
    this.system.rehash();
    this.simulation.schedule(this.simulation.now + REHASH_INTERVAL, Priority.timer, this.handler);
  }

  /** The models look at the CPU and at the time in seconds. */
  private enterKernel(cpu: number): void {
    this.system.cpu = cpu;
    this.system.uptime = Math.floor(this.simulation.now / SECOND);
  }

  private allocObject(size: Bytes): Address {
    if (size <= LARGEST_CACHED) return this.kmem.cacheFor(size).get();
    return this.parts.pages.alloc(roundUp(size, PAGE_BYTES), VmFlag.NOSLEEP);
  }

  private freeObject(address: Address, size: Bytes): void {
    if (size <= LARGEST_CACHED) this.kmem.cacheFor(size).put(address);
    else this.parts.pages.free(address, roundUp(size, PAGE_BYTES));
  }

  private vmemViews(entries: CountedPool): VmemView[] {
    const { system, parts, kmem } = this;
    return system.arenas.map((arena) => {
      const objects = arena === parts.pages ? kmem.caches : [];
      const metadata = arena === system.vmemMeta ? system.pools.all : arena === parts.pages ? [entries] : [];
      return new VmemView(arena, system.abi, objects, metadata);
    });
  }
}

/** The kernel image and the heap. */
const STATIC_ENTRIES = 2;

/** A stack whose clients take pages from `pages`, and ranges from `rest`, kernel_map without its static entries. */
export function heapBesideMap(
  system: VmemSystem,
  pages: VmemArena,
  rest: KernelRange,
  abi: UvmAbi,
  environment: BackendEnvironment,
): NetbsdHeap {
  const entries = entryPool(system, pages, abi);
  const kernelMap = new KernelMap({
    ...rest,
    abi,
    entries,
    groups: system.pools.groups,
    staticEntries: STATIC_ENTRIES,
    source: null,
    lock: environment.simulation.locks.create('kernel map'),
  });
  const ranges = new MappedRanges(kernelMap, environment.constraints);
  const parts = { root: system.kmem, pages, interrupt: pages, kernelMap, ranges };
  return new NetbsdHeap(system, parts, entries, environment);
}

/** The pool `vmmpepl` of map entries, with pages of the arena that pools take theirs from. */
export function entryPool(system: VmemSystem, pages: VmemArena, abi: UvmAbi): CountedPool {
  const geometry = poolGeometry({ itemBytes: abi.entry, align: 0, pageBytes: PAGE_BYTES }, system.abi);
  return new CountedPool('vmmpepl', geometry, heapPages(pages), system.pools.headersFor(geometry));
}

function heapPages(arena: VmemArena): ArenaPages {
  return new ArenaPages(arena, PAGE_BYTES, VmFlag.INSTANTFIT | VmFlag.NOSLEEP);
}

function requirePages(parameters: Parameters, field: string, minimum: Bytes): Bytes {
  const value = Number(parameters[field]);
  if (value >= minimum && value % PAGE_BYTES === 0) return value;
  const allowed = `a multiple of ${PAGE_BYTES}, at least ${minimum}`;
  throw new InputError(`${parameters[field]} bytes are no size of it`, { field, allowed });
}
