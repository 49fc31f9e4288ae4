import { Type } from '@sinclair/typebox';
import { Attribute, MapFlag } from '../arena/uvm-map/flags.js';
import type { ByteSource, RangeSource } from '../arena/uvm-map/map-pages.js';
import { ANYWHERE } from '../arena/uvm-map/space-search.js';
import type { UvmMap } from '../arena/uvm-map/uvm-map.js';
import type { UvmSystem, UvmSystemOptions } from '../arena/uvm-map/uvm-system.js';
import type { ArenaView } from '../arena/view.js';
import { type Address, NO_ADDRESS } from '../core/address.js';
import { InputError } from '../core/errors.js';
import { type ConstraintTable, RequestClass, UNCONSTRAINED } from '../core/request.js';
import type { Simulation } from '../core/simulation.js';
import { type Bytes, GIB, MIB, roundUp, SECOND } from '../core/units.js';
import type { Backend, BackendEnvironment, Parameters } from './contract.js';
import { parseBase, requireConstraints } from './placement.js';
import { abiParameter } from './two-arenas.js';

const PAGE: Bytes = 4096;

/** Parameters of every NetBSD whose kernel memory is in maps. */
export const NETBSD_MAP_PARAMETERS = {
  arena_base: Type.Union([Type.String(), Type.Number()], {
    default: '0xffff800000000000',
    description: 'first address of kernel_map, a multiple of the page (default: that of NetBSD on amd64)',
  }),
  arena_size: Type.Number({
    format: 'bytes',
    default: 8 * GIB,
    description: 'bytes of kernel_map, submaps included (an assumption)',
  }),
  image_size: Type.Number({
    format: 'bytes',
    default: 16 * MIB,
    description: 'bytes of the kernel image at the base of kernel_map',
  }),
  kmem_map_size: Type.Number({
    format: 'bytes',
    default: GIB,
    description:
      'bytes of kmem_map, the submap for malloc(9), interrupts and structures, without its pages of entries',
  }),
  merge: Type.Boolean({
    default: true,
    description: 'whether ranges that touch share an entry, as in the kernel',
  }),
  pageable_quantum: Type.Boolean({
    default: true,
    description:
      'whether pageable ranges come from uvm_km_alloc, which keeps the entry of each for its free; otherwise from uvm_map, whose frees reserve entries and allocate those that they need',
  }),
  abi: abiParameter('sizes of the structures, which decide where pages of entries go: of amd64 or of i386'),
} as const;

/** What stands above the maps of one NetBSD. */
export interface MapLayers {
  readonly uvm: UvmSystem;
  readonly kmem: ByteSource;
  readonly malloc: ByteSource;
  /** Pages of pool(9): of pools that interrupts do not use, from kernel_map, and of those that they use. */
  readonly poolPages: RangeSource;
  readonly interruptPages: RangeSource;
  /** CPU that the running code is on. */
  cpu: number;
  reclaim(): void;
}

/** @throws InputError naming the parameter that is wrong. */
export function mapOptions(
  values: Parameters,
  { simulation }: BackendEnvironment,
): Omit<UvmSystemOptions, 'abi'> {
  const size = pages(values, 'arena_size');
  const imageBytes = pages(values, 'image_size');
  const kmemMapPages = pages(values, 'kmem_map_size') / PAGE;
  // A page of entries serves at least 28 pages; and some room for malloc's record of pages, and for boot.
  const needed = imageBytes + Math.ceil((kmemMapPages * 30) / 28) * PAGE + MIB;
  if (size < needed) {
    throw new InputError(`${size} bytes do not hold the image and kmem_map`, {
      field: 'arena_size',
      allowed: `at least ${needed}`,
    });
  }
  const base = parseBase(values.arena_base as string | number, size, PAGE, 'arena_base');
  const { locks } = simulation;
  return {
    base,
    limit: base + size,
    imageBytes,
    kmemMapPages,
    submaps: [],
    locks,
    merge: values.merge === true,
  };
}

function pages(values: Parameters, field: string): Bytes {
  const value = Number(values[field]);
  if (value > 0 && value % PAGE === 0 && value <= 2 ** 47) return value;
  throw new InputError(`${value} bytes are no whole pages`, {
    field,
    allowed: `multiples of ${PAGE} up to 2^47`,
  });
}

/**
 * A NetBSD whose kernel memory is in maps. kmem and malloc are kmem(9) and malloc(9) of the layers; poolPage is a page of a
 * pool in kernel_map, interrupt one of a pool in kmem_map, both through KVA caches as far as these serve the length; va and
 * kstack (a u-area: no guard page) are wired ranges of kernel_map, and pageable a pageable one, each a call of uvm_km_alloc.
 *
 * A constrained request is a range of kernel_map (of malloc or interrupt: of kmem_map). Of constraints a map knows alignment,
 * and a hint; what lies above the bound then is given back and refused. Phase and nocross it does not know: refused.
 */
export class NetbsdMaps implements Backend {
  readonly serves = [
    RequestClass.kmem,
    RequestClass.kstack,
    RequestClass.va,
    RequestClass.malloc,
    RequestClass.poolPage,
    RequestClass.interrupt,
    RequestClass.pageable,
  ];
  readonly arenas: readonly ArenaView[];
  private readonly simulation: Simulation;
  private readonly constraints: ConstraintTable;
  private readonly pageableFlags: number;

  /** `more`: arenas on top of the maps. */
  constructor(
    private readonly layers: MapLayers,
    more: readonly ArenaView[],
    values: Parameters,
    { simulation, constraints }: BackendEnvironment,
  ) {
    requireConstraints(constraints);
    this.arenas = [...layers.uvm.maps, ...more];
    this.simulation = simulation;
    this.constraints = constraints;
    this.pageableFlags = values.pageable_quantum === true ? MapFlag.quantum : 0;
  }

  alloc(cls: number, size: Bytes, constraint: number, cpu: number): Address {
    this.arrive(cpu);
    if (constraint !== UNCONSTRAINED) return this.allocConstrained(cls, size, constraint);
    const { layers } = this;
    switch (cls) {
      case RequestClass.kmem:
        return layers.kmem.alloc(size);
      case RequestClass.malloc:
        return layers.malloc.alloc(size);
      case RequestClass.poolPage:
        return layers.poolPages.alloc(roundUp(size, PAGE));
      case RequestClass.interrupt:
        return layers.interruptPages.alloc(roundUp(size, PAGE));
      default:
        return this.mapRange(cls, size, 0, ANYWHERE);
    }
  }

  free(cls: number, address: Address, size: Bytes, constraint: number, cpu: number): void {
    this.arrive(cpu);
    const { layers } = this;
    if (constraint !== UNCONSTRAINED) this.unmapRange(cls, address, size);
    else if (cls === RequestClass.kmem) layers.kmem.free(address, size);
    else if (cls === RequestClass.malloc) layers.malloc.free(address, size);
    else if (cls === RequestClass.poolPage) layers.poolPages.free(address, roundUp(size, PAGE));
    else if (cls === RequestClass.interrupt) layers.interruptPages.free(address, roundUp(size, PAGE));
    else this.unmapRange(cls, address, size);
  }

  footprint(cls: number, size: Bytes): Bytes {
    if (cls === RequestClass.kmem) return this.layers.kmem.bytesFor(size);
    if (cls === RequestClass.malloc) return this.layers.malloc.bytesFor(size);
    return roundUp(size, PAGE);
  }

  rootsOf(cls: number): readonly ArenaView[] {
    return [this.mapOf(cls)];
  }

  workDone(): number {
    let steps = 0;
    for (const { figures } of this.arenas) steps += figures.searches + figures.lookups;
    return steps;
  }

  reap(): void {
    this.arrive(0);
    this.layers.reclaim();
  }

  check(): void {
    for (const arena of this.arenas) arena.check();
  }

  private arrive(cpu: number): void {
    this.layers.cpu = cpu;
    this.layers.uvm.uptime = Math.floor(this.simulation.now / SECOND);
  }

  private mapOf(cls: number): UvmMap {
    const { kernelMap, kmemMap } = this.layers.uvm;
    return cls === RequestClass.malloc || cls === RequestClass.interrupt ? kmemMap : kernelMap;
  }

  /** uvm_km_alloc; pageable ranges are of the kernel object. */
  private mapRange(cls: number, size: Bytes, align: Bytes, hint: Address): Address {
    const isPageable = cls === RequestClass.pageable;
    const flags = isPageable ? this.pageableFlags : MapFlag.quantum;
    const attributes = isPageable ? Attribute.allAccess | Attribute.object : Attribute.allAccess;
    return this.mapOf(cls).map(roundUp(size, PAGE), align, hint, flags, attributes);
  }

  private unmapRange(cls: number, address: Address, size: Bytes): void {
    const isQuantum = cls !== RequestClass.pageable || this.pageableFlags !== 0;
    this.mapOf(cls).unmap(address, roundUp(size, PAGE), isQuantum);
  }

  private allocConstrained(cls: number, size: Bytes, row: number): Address {
    const { align, phase, nocross, minAddress, maxAddress } = this.constraints;
    if (phase[row] !== 0 || nocross[row] !== 0) return NO_ADDRESS;
    const hint = roundUp(minAddress[row]!, PAGE);
    const address = this.mapRange(cls, size, align[row]! <= PAGE ? 0 : align[row]!, hint);
    if (address === NO_ADDRESS || maxAddress[row] === 0 || address + size <= maxAddress[row]!) return address;
    this.unmapRange(cls, address, size);
    return NO_ADDRESS;
  }
}
