import { Type } from '@sinclair/typebox';
import { AllocCaches } from '../arena/illumos-kmem/alloc-caches.js';
import { ABIS, type Abi } from '../arena/illumos-vmem/abi.js';
import type { VmemArena } from '../arena/illumos-vmem/arena.js';
import { VmFlag } from '../arena/illumos-vmem/flags.js';
import { AllocSource, FirewallSource, type SpanSource } from '../arena/illumos-vmem/span-source.js';
import { VmemSystem } from '../arena/illumos-vmem/system.js';
import { VmemView } from '../arena/illumos-vmem/view.js';
import type { ArenaView } from '../arena/view.js';
import { type Address, AddressSpace, NO_ADDRESS } from '../core/address.js';
import { InputError, MisuseError } from '../core/errors.js';
import { type ConstraintTable, RequestClass, UNCONSTRAINED } from '../core/request.js';
import { type EventHandler, Priority, type Simulation } from '../core/simulation.js';
import { type Bytes, GIB, isPowerOfTwo, KIB, MIB, roundUp, SECOND, TIB } from '../core/units.js';
import type { Backend, BackendEnvironment, Parameters } from './contract.js';
import { parseBase, requireConstraints, requireQuanta } from './placement.js';

/** Parameters that every illumos stack has. */
export const STACK_PARAMETERS = {
  page_size: Type.Number({
    format: 'bytes',
    default: 4096,
    description: 'page, a power of two: stacks, their red zones and va requests are counted in it',
  }),
  quantum: Type.Number({
    format: 'bytes',
    default: 4096,
    description: 'quantum of heap, kmem_va and segkp: a power of two, at least 4096, that divides page_size',
  }),
  arena_base: Type.Union([Type.String(), Type.Number()], {
    default: '0xfffffe0000000000',
    description: 'first address of the arena "heap"',
  }),
  arena_size: Type.Number({
    format: 'bytes',
    default: 512 * GIB,
    description: 'bytes of the arena "heap", which serves va and, through kmem_va, kmem',
  }),
  segkp_size: Type.Number({
    format: 'bytes',
    default: 2 * GIB,
    description: 'bytes of the arena "segkp", which serves kstack (default: that of amd64)',
  }),
  guest_size: Type.Number({
    format: 'bytes',
    default: 8 * TIB,
    description: 'bytes of "kvmm_arena", which serves guest through "vmm_alloc_arena"',
  }),
  guest_quantum: Type.Number({
    format: 'bytes',
    default: MIB,
    description: 'quantum of the guest arenas, a power of two',
  }),
  abi: Type.Union([Type.Literal('lp64'), Type.Literal('ilp32')], {
    default: 'lp64',
    description: 'structure sizes for the metadata: of the 64-bit or the 32-bit kernel',
  }),
} as const;

/** Parameters of the quantum caches, for stacks that have them. */
export const QCACHE_PARAMETERS = {
  qcache_max: Type.Number({
    format: 'bytes',
    default: 32 * KIB,
    description: 'largest size with a quantum cache in kmem_va; 0 = none (default: 8 pages)',
  }),
  segkp_qcache_max: Type.Number({
    format: 'bytes',
    default: 20 * KIB,
    description: 'largest size with a quantum cache in segkp; 0 = none (default: 5 pages)',
  }),
} as const;

/** Addresses of arenas that have no parameter for it: below the heap, apart from each other. */
const SEGKP_BASE = '0xfffffd8000000000';
const GUEST_BASE = '0xfffff00000000000';

/** The kernel of 2021: segkp is a segment of its own, and there are guests. */
const AMD64_PLAN: StackPlan = { segkp: SEGKP_BASE, guests: true };

const HEAP_MINIMUM = MIB;
const TICK = 15 * SECOND;
const Event = { vmemUpdate: 0, kmemUpdate: 1, reap: 2, endThrottle: 3 } as const;

/** The names of an illumos stack's arenas that requests go to. */
interface StackArenas {
  readonly heap: VmemArena;
  readonly kmemOversize: VmemArena;
  readonly segkp: VmemArena;
  /** Of kernels with guests. */
  readonly guest?: VmemArena;
}

/** What is not the same in every illumos kernel. */
export interface StackPlan {
  /** First address of segkp's own span, or `heap` where segkp imports from heap (segkp_fromheap). */
  readonly segkp: string;
  /** Whether there are arenas for guests. */
  readonly guests: boolean;
  /** Largest size of the kmem_alloc caches, bytes. */
  readonly largestCached?: Bytes;
}

/**
 * The kernel address space of illumos as far as its allocators shape it:
 * heap → kmem_va (quantum caches) → kmem_default → kmem_alloc caches, and heap → kmem_firewall_va → kmem_oversize for
 * kmem; heap itself for va; segkp for kstack, best fit, one red-zone page, with a span of its own or importing from heap
 * by its plan; kvmm_arena → vmm_alloc_arena for guest. Constrained requests of any class go to vmem_xalloc of the class's arena.
 *
 * Kernel events: vmem_update and kmem_update every 15 s, kmem_reap as a task after a failed request, then throttled
 * for 15 s. Sources: spec illumos-vmem §11–§13; startup.c, kmem.c, seg_kp.c [illumos@94ab2e1].
 */
export class IllumosStack implements Backend, EventHandler {
  readonly serves: readonly number[];
  readonly arenas: readonly ArenaView[];
  protected readonly system: VmemSystem;
  protected readonly stack: StackArenas;
  private readonly allocCaches: AllocCaches;
  protected readonly page: Bytes;
  private readonly constraints: ConstraintTable;
  private readonly simulation: Simulation;
  private readonly handler: number;

  /** @throws InputError naming the parameter that is wrong and what it may be. */
  constructor(parameters: Parameters, environment: BackendEnvironment, plan = AMD64_PLAN) {
    const { simulation, constraints } = environment;
    requireConstraints(constraints);
    this.simulation = simulation;
    this.constraints = constraints;
    this.handler = simulation.register(this);
    this.page = powerOfTwo(parameters, 'page_size', 4096);
    const quantum = powerOfTwo(parameters, 'quantum', 4096);
    requireQuanta(constraints, quantum);
    if (this.page % quantum !== 0) {
      throw new InputError(`${quantum} does not divide the page`, {
        field: 'quantum',
        allowed: `up to ${this.page}`,
      });
    }
    this.system = new VmemSystem({
      space: AddressSpace.canonical,
      cpus: simulation.cpus,
      locks: simulation.locks,
      onReapQueued: () =>
        this.simulation.schedule(this.simulation.now, Priority.task, this.handler, Event.reap),
    });
    const kmemDefault = this.createHeap(parameters, quantum);
    this.allocCaches = new AllocCaches(
      kmemDefault,
      quantum,
      (name, bytes, geometry, source) => this.system.createCache(name, bytes, geometry, source),
      plan.largestCached,
    );
    this.stack = {
      heap: this.arenaNamed('heap'),
      kmemOversize: this.arenaNamed('kmem_oversize'),
      segkp: this.createSegkp(parameters, quantum, plan.segkp),
      ...(plan.guests ? { guest: this.createGuest(parameters) } : {}),
    };
    const { kmem, kstack, va, guest } = RequestClass;
    this.serves = plan.guests ? [kmem, kstack, va, guest] : [kmem, kstack, va];
    this.arenas = this.createViews(ABIS[parameters.abi as keyof typeof ABIS]);
    simulation.schedule(TICK, Priority.timer, this.handler, Event.vmemUpdate);
    simulation.schedule(TICK, Priority.timer, this.handler, Event.kmemUpdate);
  }

  alloc(cls: number, size: Bytes, constraint: number, cpu: number): Address {
    this.system.cpu = cpu;
    if (constraint !== UNCONSTRAINED) return this.allocConstrained(cls, size, constraint);
    switch (cls) {
      case RequestClass.kmem:
        return size <= this.allocCaches.largest
          ? this.allocCaches.cacheFor(size).alloc(VmFlag.NOSLEEP)
          : this.stack.kmemOversize.alloc(size, VmFlag.NOSLEEP);
      case RequestClass.kstack:
        return this.allocStack(size);
      default:
        return this.arenaOf(cls).alloc(this.footprint(cls, size), VmFlag.NOSLEEP);
    }
  }

  free(cls: number, address: Address, size: Bytes, constraint: number, cpu: number): void {
    this.system.cpu = cpu;
    if (constraint !== UNCONSTRAINED) this.freeConstrained(cls, address, size);
    else if (cls === RequestClass.kmem) {
      if (size <= this.allocCaches.largest) this.allocCaches.cacheFor(size).free(address);
      else this.stack.kmemOversize.free(address, size);
    } else this.arenaOf(cls).free(address - this.lead(cls), this.footprint(cls, size));
  }

  /** Stacks include their red-zone page; objects are as large as their cache's buffers. */
  footprint(cls: number, size: Bytes): Bytes {
    switch (cls) {
      case RequestClass.kmem:
        return size <= this.allocCaches.largest
          ? this.allocCaches.cacheFor(size).geometry.chunkBytes
          : this.stack.kmemOversize.roundUp(size);
      case RequestClass.kstack:
        return roundUp(size, this.page) + this.page;
      case RequestClass.va:
        return roundUp(size, this.page);
      default:
        return this.arenaOf(cls).roundUp(size);
    }
  }

  /** kmem and va come from heap, the stacks from segkp, guests from kvmm_arena. */
  rootsOf(cls: number): readonly ArenaView[] {
    const arena = this.arenaOf(cls);
    const name = arena.source?.arena.name ?? arena.name;
    return this.arenas.filter((view) => view.name === name);
  }

  workDone(): number {
    return this.system.work.steps;
  }

  /** kmem_reap as under memory pressure: what lay idle in the depots since the last tick goes back. */
  reap(): void {
    this.system.reap();
  }

  check(): void {
    for (const arena of this.arenas) arena.check();
  }

  fire(kind: number): void {
    const { simulation, system } = this;
    switch (kind) {
      case Event.vmemUpdate:
        system.vmemUpdate();
        simulation.schedule(simulation.now + TICK, Priority.timer, this.handler, kind);
        break;
      case Event.kmemUpdate:
        system.kmemUpdate();
        simulation.schedule(simulation.now + TICK, Priority.timer, this.handler, kind);
        break;
      case Event.reap:
        system.runReaps();
        simulation.schedule(simulation.now + TICK, Priority.timer, this.handler, Event.endThrottle);
        break;
      default:
        system.endThrottles();
    }
  }

  private allocStack(size: Bytes): Address {
    const length = this.footprint(RequestClass.kstack, size);
    const redZone = this.stack.segkp.alloc(length, VmFlag.NOSLEEP | VmFlag.BESTFIT);
    return redZone === NO_ADDRESS ? NO_ADDRESS : redZone + this.page;
  }

  /** A row that no address can meet, because the request is longer than what it may not cross, is refused. */
  private allocConstrained(cls: number, size: Bytes, row: number): Address {
    const { align, phase, nocross, minAddress, maxAddress } = this.constraints;
    const arena = this.arenaOf(cls);
    const length = this.footprint(cls, size);
    const alignment = Math.max(align[row]!, arena.quantum);
    const lead = this.lead(cls);
    const shift = (((phase[row]! - lead) % alignment) + alignment) % alignment;
    const limit = nocross[row]!;
    if (limit !== 0 && (alignment > limit || roundUp(shift + length, alignment) > limit)) return NO_ADDRESS;
    const minimum = Math.max(0, minAddress[row]! - lead);
    const address = arena.xalloc(length, alignment, shift, limit, minimum, maxAddress[row]!, VmFlag.NOSLEEP);
    return address === NO_ADDRESS ? NO_ADDRESS : address + lead;
  }

  private freeConstrained(cls: number, address: Address, size: Bytes): void {
    this.arenaOf(cls).xfree(address - this.lead(cls), this.footprint(cls, size));
  }

  /** The red zone lies below its stack. */
  guardBytes(cls: number): Bytes {
    return -this.lead(cls);
  }

  /** Bytes in front of what the client gets. */
  private lead(cls: number): Bytes {
    return cls === RequestClass.kstack ? this.page : 0;
  }

  private arenaOf(cls: number): VmemArena {
    switch (cls) {
      case RequestClass.kmem:
      case RequestClass.va:
        return this.stack.heap;
      case RequestClass.kstack:
        return this.stack.segkp;
      default:
        if (cls === RequestClass.guest && this.stack.guest !== undefined) return this.stack.guest;
        throw new MisuseError('request of a class that is not served', { cls });
    }
  }

  /** heap and what hangs on it; returns kmem_default. */
  private createHeap(parameters: Parameters, quantum: Bytes): VmemArena {
    const heap = this.createArena('heap', quantum, null);
    addSpan(heap, parameters, 'arena_size', parameters.arena_base as string | number, HEAP_MINIMUM);
    const firewall = this.createArena('kmem_firewall_va', quantum, new FirewallSource(heap, quantum));
    this.createArena('kmem_oversize', quantum, new AllocSource(firewall));
    const qcacheMax = Number(parameters.qcache_max ?? 0);
    const kmemVa = this.createArena('kmem_va', quantum, new AllocSource(heap), qcacheMax);
    return this.createArena('kmem_default', quantum, new AllocSource(kmemVa));
  }

  private createSegkp(parameters: Parameters, quantum: Bytes, base: string): VmemArena {
    const source = base === 'heap' ? new AllocSource(this.arenaNamed('heap')) : null;
    const segkp = this.createArena('segkp', quantum, source, Number(parameters.segkp_qcache_max ?? 0));
    if (source === null) addSpan(segkp, parameters, 'segkp_size', base, 2 * this.page);
    return segkp;
  }

  /** What serves guest; called while the others are made, before the fields of a subclass are. */
  protected createGuest(parameters: Parameters): VmemArena {
    const quantum = powerOfTwo(parameters, 'guest_quantum', 1);
    const kvmm = this.createArena('kvmm_arena', quantum, null);
    addSpan(kvmm, parameters, 'guest_size', GUEST_BASE, quantum);
    return this.createArena('vmm_alloc_arena', quantum, new AllocSource(kvmm));
  }

  private createArena(name: string, quantum: Bytes, source: SpanSource | null, qcacheMax = 0): VmemArena {
    return this.system.createArena({ name, quantum, qcacheMax, flags: 0, source });
  }

  private createViews(abi: Abi): VmemView[] {
    const { arenas, caches, cpus } = this.system;
    return arenas.map((arena) => {
      return new VmemView(
        arena,
        caches.filter((cache) => cache.source === arena),
        abi,
        cpus,
      );
    });
  }

  protected arenaNamed(name: string): VmemArena {
    return this.system.arenas.find((arena) => arena.name === name)!;
  }
}

/** A parameter that is a power of two. @throws InputError that names it. */
export function powerOfTwo(parameters: Parameters, field: string, minimum: Bytes): Bytes {
  const value = Number(parameters[field]);
  if (Number.isInteger(value) && value >= minimum && isPowerOfTwo(value)) return value;
  throw new InputError(`${parameters[field]} is no power of two`, {
    field,
    allowed: `a power of two from ${minimum}`,
  });
}

function addSpan(
  arena: VmemArena,
  parameters: Parameters,
  field: string,
  base: string | number,
  minimum: Bytes,
): void {
  const size = Number(parameters[field]);
  if (!(size >= minimum && size % arena.quantum === 0)) {
    const allowed = `a multiple of ${arena.quantum}, at least ${minimum}`;
    throw new InputError(`${size} bytes are no arena "${arena.name}"`, { field, allowed });
  }
  arena.addSpan(parseBase(base, size, arena.quantum, field === 'arena_size' ? 'arena_base' : field), size);
}
