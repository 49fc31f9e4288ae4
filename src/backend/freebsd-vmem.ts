import { Type } from '@sinclair/typebox';
import { ABIS } from '../arena/freebsd-vmem/abi.js';
import type { VmemArena } from '../arena/freebsd-vmem/arena.js';
import { VmemFlag } from '../arena/freebsd-vmem/flags.js';
import { createKernelArenas, type KernelArenas } from '../arena/freebsd-vmem/kernel-arenas.js';
import { LAST_ADDRESS } from '../arena/freebsd-vmem/placement.js';
import { VmemSystem } from '../arena/freebsd-vmem/system.js';
import { VmemView } from '../arena/freebsd-vmem/view.js';
import type { ArenaView } from '../arena/view.js';
import { type Address, AddressSpace, NO_ADDRESS } from '../core/address.js';
import { InputError } from '../core/errors.js';
import { type ConstraintTable, RequestClass, UNCONSTRAINED } from '../core/request.js';
import { type EventHandler, Priority, type Simulation } from '../core/simulation.js';
import { type Bytes, roundUp, SECOND } from '../core/units.js';
import type { Backend, BackendDefinition, BackendEnvironment, Parameters } from './contract.js';
import { FREEBSD_PARAMETERS, freebsdRange, GUARD_BYTES, PAGE, stackBytesOf } from './freebsd-kernel.js';
import { requireConstraints, requireQuanta, withLead } from './placement.js';
import { SuperpageExtents } from './superpage-extents.js';

const STRATEGIES = {
  bestfit: VmemFlag.BESTFIT,
  firstfit: VmemFlag.FIRSTFIT,
  nextfit: VmemFlag.NEXTFIT,
} as const;

const REHASH_INTERVAL = 10 * SECOND;
const SUPERPAGE = 2 ** 21;

/**
 * Kernel address space of FreeBSD since 13.0: kernel_map → kernel → kernel_dom0 …, and since 2024 kernel_dom0 → kstack_dom0 ….
 *
 * kmem: kmem_malloc, whole pages of the arena of the CPU's memory domain, or else of the next domain that has any. malloc(9)
 * and UMA, which share pages among small objects, are not modelled: every object takes pages of its own. va and guest: kva_alloc,
 * whole pages of kernel. kstack: of the default size with its guard page from the stack arena of the domain, of other sizes
 * from the domain's arena (vm_thread_alloc_kstack_kva); `stack_kva` puts them elsewhere. All of it by best fit unless `strategy` says otherwise; quantum caches,
 * which no release has here, are those of the domains' arenas.
 *
 * Constrained requests are vmem_xalloc of the class's arena, stacks in that of the domain. No client in the kernel asks for
 * bounds: such a request looks at what kernel has, and then takes its range straight from kernel_map, by best fit.
 * Spec freebsd-vmem-kstack §2–§5.
 */
export const freebsdVmem: BackendDefinition = {
  name: 'freebsd-vmem',
  summary: 'FreeBSD since 13.0: vmem arenas of kernel, memory domains and (2024) stacks over kernel_map',
  heldBy: ['freebsd-vmem', 'freebsd-map'],
  exceptions: [
    {
      promise: 'a reap gives back, and without caches everything is as it was',
      reason: 'kernel and the arenas of the domains have no release function: what they import stays',
    },
  ],
  parameters: Type.Object(
    {
      ...FREEBSD_PARAMETERS,
      strategy: Type.Union([Type.Literal('bestfit'), Type.Literal('firstfit'), Type.Literal('nextfit')], {
        default: 'bestfit',
        description:
          'of all requests (the kernel: bestfit); nextfit fails where the kernel would scan for ever, once its cursor is first',
      }),
      stack_kva: Type.Union([Type.Literal('own'), Type.Literal('kernel'), Type.Literal('domain')], {
        default: 'own',
        description:
          "where the address space of stacks comes from: arenas of their own (2024), kernel beside va (kva_alloc, 2020), or the domains' arenas beside kmem (comparator)",
      }),
      domains: Type.Integer({
        minimum: 1,
        maximum: 8,
        default: 1,
        description: 'memory domains, CPUs in equal blocks; above 1, imports are multiples of 256 MiB, not 2',
      }),
      qcache_max: Type.Integer({
        minimum: 0,
        maximum: 16,
        default: 0,
        description: "pages of the largest size with a quantum cache in the domains' arenas (the kernel: 0)",
      }),
      abi: Type.Union([Type.Literal('13'), Type.Literal('12')], {
        default: '13',
        description: 'structure sizes of amd64 for the metadata: of 13.0 or 12.1',
      }),
    },
    { additionalProperties: false },
  ),
  create: (parameters, environment) => new FreebsdArenas(parameters, environment),
};

class FreebsdArenas implements Backend, EventHandler {
  readonly serves = [RequestClass.kmem, RequestClass.kstack, RequestClass.va, RequestClass.guest];
  readonly arenas: readonly ArenaView[];
  readonly extents: SuperpageExtents;
  private readonly system: VmemSystem;
  private readonly parts: KernelArenas;
  private readonly constraints: ConstraintTable;
  private readonly stackConstraints: ConstraintTable;
  private readonly simulation: Simulation;
  private readonly handler: number;
  private readonly flags: number;
  private readonly stackBytes: Bytes;
  /** Whether stacks are requests of kva_alloc. */
  private readonly stacksFromKernel: boolean;
  private readonly firstSuperpage: number;
  /** By superpage from `firstSuperpage` on: position among the system's arenas of the one whose segments begin there. */
  private readonly owner: Uint8Array;

  /** @throws InputError naming the parameter that is wrong and what it may be. */
  constructor(parameters: Parameters, { simulation, constraints }: BackendEnvironment) {
    requireConstraints(constraints);
    requireQuanta(constraints, PAGE);
    const { base, limit } = freebsdRange(parameters);
    this.simulation = simulation;
    this.constraints = constraints;
    this.stackConstraints = withLead(constraints, GUARD_BYTES);
    this.flags = STRATEGIES[parameters.strategy as keyof typeof STRATEGIES] | VmemFlag.NOWAIT;
    this.stackBytes = stackBytesOf(parameters);
    this.stacksFromKernel = parameters.stack_kva === 'kernel';
    this.extents = new SuperpageExtents(base);
    this.firstSuperpage = Math.floor(base / SUPERPAGE);
    this.owner = new Uint8Array(Math.ceil(limit / SUPERPAGE) - this.firstSuperpage);
    const { cpus, locks } = simulation;
    this.system = new VmemSystem({ space: AddressSpace.canonical, cpus, locks });
    this.parts = createKernelArenas(this.system, {
      base,
      bytes: limit - base,
      domains: Number(parameters.domains),
      qcacheMax: this.qcacheBytes(parameters),
      ...(parameters.stack_kva === 'own' && {
        stacks: { slotPages: (this.stackBytes + GUARD_BYTES) / PAGE, kernelBase: base },
      }),
    });
    if ((this.flags & VmemFlag.NEXTFIT) !== 0) this.moveCursors();
    const abi = ABIS[parameters.abi === '12' ? 12 : 13];
    this.arenas = this.system.arenas.map((arena) => new VmemView(arena, abi, cpus));
    this.handler = simulation.register(this);
    simulation.schedule(simulation.now + REHASH_INTERVAL, Priority.timer, this.handler);
  }

  alloc(cls: number, size: Bytes, constraint: number, cpu: number): Address {
    this.system.cpu = cpu;
    const length = this.footprint(cls, size);
    const isStack = cls === RequestClass.kstack;
    const fromKernel = isStack ? this.stacksFromKernel : cls !== RequestClass.kmem;
    const table = isStack ? this.stackConstraints : this.constraints;
    const start = fromKernel
      ? this.take(this.parts.kernel, length, constraint, table)
      : this.takeFromDomains(cls, length, constraint, table);
    if (start === NO_ADDRESS) return NO_ADDRESS;
    this.extents.add(cls, start, length);
    return start + leadOf(cls);
  }

  free(cls: number, address: Address, size: Bytes, constraint: number, cpu: number): void {
    this.system.cpu = cpu;
    const start = address - leadOf(cls);
    const length = this.footprint(cls, size);
    const arena = this.system.arenas[this.owner[this.superpageOf(start)]!]!;
    this.extents.remove(cls, start, length);
    if (constraint === UNCONSTRAINED) arena.free(start, length);
    else arena.xfree(start, length);
  }

  guardBytes(cls: number): Bytes {
    return -leadOf(cls);
  }

  /** Whole pages; the guard page of a stack included. */
  footprint(cls: number, size: Bytes): Bytes {
    return roundUp(size, PAGE) + leadOf(cls);
  }

  rootsOf(): readonly ArenaView[] {
    return [this.arenas[0]!];
  }

  workDone(): number {
    return this.system.work.steps;
  }

  /** Empties the quantum caches, those of CPUs as well. */
  reap(): void {
    for (const { quantumCaches } of this.parts.domains) quantumCaches.drainCpus();
  }

  check(): void {
    for (const arena of this.arenas) arena.check();
  }

  fire(): void {
    const { simulation } = this;
    this.system.rehash();
    simulation.schedule(simulation.now + REHASH_INTERVAL, Priority.timer, this.handler);
  }

  /** From the domain of the CPU, or else the next one that has any. */
  private takeFromDomains(cls: number, length: Bytes, row: number, constraints: ConstraintTable): Address {
    const { domains } = this.parts;
    const first = Math.floor((this.system.cpu * domains.length) / this.system.cpus);
    for (let tried = 0; tried < domains.length; tried++) {
      const arena = this.arenaOf(cls, length, row, (first + tried) % domains.length);
      const start = this.take(arena, length, row, constraints);
      if (start !== NO_ADDRESS) return start;
    }
    return NO_ADDRESS;
  }

  private take(arena: VmemArena, length: Bytes, row: number, constraints: ConstraintTable): Address {
    if (row === UNCONSTRAINED) return this.owned(arena, arena.alloc(length, this.flags));
    const limit = constraints.nocross[row]!;
    if (limit !== 0 && (constraints.phase[row]! % limit) + length > limit) return NO_ADDRESS;
    if (constraints.minAddress[row] === 0 && constraints.maxAddress[row] === 0) {
      return this.owned(arena, this.xalloc(arena, length, row, constraints, this.flags));
    }
    return this.takeBounded(length, row, constraints);
  }

  /** Imports cannot be told bounds: kernel would import all of kernel_map for a range that it never gets. */
  private takeBounded(length: Bytes, row: number, constraints: ConstraintTable): Address {
    const { kernel, kernelImports, map } = this.parts;
    const last = constraints.maxAddress[row] === 0 ? LAST_ADDRESS : constraints.maxAddress[row]! - 1;
    if (constraints.minAddress[row]! > last) return NO_ADDRESS;
    const flags = VmemFlag.BESTFIT | VmemFlag.NOWAIT;
    kernelImports.isClosed = true;
    const address = this.owned(kernel, this.xalloc(kernel, length, row, constraints, flags));
    kernelImports.isClosed = false;
    if (address !== NO_ADDRESS) return address;
    return this.owned(map, this.xalloc(map, length, row, constraints, flags));
  }

  private xalloc(
    arena: VmemArena,
    length: Bytes,
    row: number,
    constraints: ConstraintTable,
    flags: number,
  ): Address {
    const { align, phase, nocross, minAddress, maxAddress } = constraints;
    const last = maxAddress[row] === 0 ? LAST_ADDRESS : maxAddress[row]! - 1;
    const alignment = Math.max(align[row]!, PAGE);
    return arena.xalloc(length, alignment, phase[row]!, nocross[row]!, minAddress[row]!, last, flags);
  }

  /** Notes whose address it is, as the kernel knows it from the physical page behind it. */
  private owned(arena: VmemArena, address: Address): Address {
    if (address !== NO_ADDRESS) this.owner[this.superpageOf(address)] = this.system.arenas.indexOf(arena);
    return address;
  }

  private superpageOf(address: Address): number {
    return Math.floor(address / SUPERPAGE) - this.firstSuperpage;
  }

  private arenaOf(cls: number, length: Bytes, constraint: number, domain: number): VmemArena {
    const isDefaultStack = cls === RequestClass.kstack && length === this.stackBytes + GUARD_BYTES;
    const { domains, stacks } = this.parts;
    if (!isDefaultStack || constraint !== UNCONSTRAINED || stacks.length === 0) return domains[domain]!;
    return stacks[domain]!;
  }

  /**
   * A next fit of which nothing is found never ends while the cursor is at the head of the list, where it is in a new
   * arena. So each arena keeps two pages from boot on, the second of them by next fit.
   */
  private moveCursors(): void {
    const { map, kernel, domains } = this.parts;
    for (const arena of [map, kernel, ...domains]) {
      arena.alloc(PAGE, VmemFlag.BESTFIT | VmemFlag.NOWAIT);
      arena.alloc(PAGE, VmemFlag.NEXTFIT | VmemFlag.NOWAIT);
    }
  }

  private qcacheBytes(parameters: Parameters): Bytes {
    const pages = Number(parameters.qcache_max);
    if (pages === 0 || (this.flags & VmemFlag.NEXTFIT) === 0) return pages * PAGE;
    throw new InputError('quantum caches are not filled by next fit: the kernel asserts that they are not', {
      field: 'qcache_max',
      allowed: '0 with strategy nextfit',
    });
  }
}

/** Bytes in front of what the client gets. */
function leadOf(cls: number): Bytes {
  return cls === RequestClass.kstack ? GUARD_BYTES : 0;
}
