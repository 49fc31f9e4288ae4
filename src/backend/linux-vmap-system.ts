import { Type } from '@sinclair/typebox';
import { PAGE_BYTES } from '../arena/linux-vmap/abi.js';
import { LOWEST_KERNEL_ADDRESS } from '../arena/linux-vmap/nodes.js';
import { VmapView } from '../arena/linux-vmap/view.js';
import { MAIN_WINDOW, Vmap } from '../arena/linux-vmap/vmap.js';
import type { ArenaView } from '../arena/view.js';
import { type Address, NO_ADDRESS } from '../core/address.js';
import { InputError } from '../core/errors.js';
import { type ConstraintTable, RequestClass, UNCONSTRAINED } from '../core/request.js';
import { type EventHandler, Priority, type Simulation } from '../core/simulation.js';
import {
  type Bytes,
  highBit,
  isPowerOfTwo,
  KIB,
  MIB,
  type Nanoseconds,
  roundUp,
  TIB,
} from '../core/units.js';
import type { Backend, BackendEnvironment, Parameters } from './contract.js';
import { parseBase, requireConstraints } from './placement.js';
import { ThreadStacks } from './thread-stacks.js';

const duration = (value: Nanoseconds, description: string) =>
  Type.Number({ format: 'duration', minimum: 0, maximum: 2 ** 52, default: value, description });

/** Parameters of both systems. */
export const VMAP_PARAMETERS = {
  arena_base: Type.Union([Type.String(), Type.Number()], {
    default: '0xffffc90000000000',
    description:
      'first address of the main range (VMALLOC_START of x86-64 with 4-level tables, without KASLR)',
  }),
  arena_size: Type.Number({
    format: 'bytes',
    default: 32 * TIB,
    description: 'bytes of the main range, whole pages (4-level tables of x86-64: 32 TiB)',
  }),
  cpus: Type.Integer({
    minimum: 0,
    maximum: 8192,
    default: 0,
    description:
      'CPUs of the kernel: nodes, limit of waiting pages and kept stacks go by it; 0 = those of the workload',
  }),
  thread_size: Type.Number({
    format: 'bytes',
    default: 16 * KIB,
    description: 'THREAD_SIZE, a power of two: alignment of every stack, and the one size that CPUs keep',
  }),
  guard_pages: Type.Boolean({
    default: true,
    description:
      'whether va and guest get a page more, as vmalloc does; false for recordings of areas, which have it in their sizes',
  }),
  rcu_delay: duration(10e6, 'time from the end of a thread until its stack is free to be kept or given back'),
  purge_delay: duration(0, 'time from the free that exceeds the limit of waiting pages until the purge pass'),
  shrink_interval: duration(
    0,
    'time between runs of the shrinker, which empties all pools; 0 = under pressure only',
  ),
} as const;

const HUGE_PAGE = 2 * MIB;
const Event = { purge: 0, stack: 1, shrink: 2 } as const;

/** A payload holds a ticket and the CPU that freed. */
const CPU_FACTOR = 8192;

/**
 * The kernel address space of Linux 6.12 as vmap manages it: one arena, the main range. va is vmalloc, kstack a thread's
 * stack with its guard page behind it, guest vmalloc with huge pages from 2 MiB up. kmem is another allocator in Linux, over
 * memory that is always mapped, and is not served. Sources: spec linux-vmap §1 to §8; mm/vmalloc.c, kernel/fork.c
 * [linux-6.12.117].
 */
export class LinuxVmapSystem implements Backend, EventHandler {
  readonly serves = [RequestClass.kstack, RequestClass.va, RequestClass.guest];
  readonly arenas: readonly ArenaView[];
  private readonly vmap: Vmap;
  private readonly view: VmapView;
  private readonly threadStacks: ThreadStacks;
  private readonly simulation: Simulation;
  private readonly handler: number;
  private readonly cpus: number;
  private readonly guard: Bytes;
  private readonly threadSize: Bytes;
  private readonly rcuDelay: Nanoseconds;
  private readonly purgeDelay: Nanoseconds;
  private readonly shrinkInterval: Nanoseconds;
  /** Window of each constraint row, -1 where it is none in the main range; and its alignment. */
  private readonly windows: Int32Array;
  private readonly constraints: ConstraintTable;
  private isPurgeQueued = false;

  /** @throws InputError naming the parameter that is wrong and what it may be. */
  constructor(values: Parameters, { simulation, constraints }: BackendEnvironment, nodes?: number) {
    requireConstraints(constraints);
    this.simulation = simulation;
    this.constraints = constraints;
    this.handler = simulation.register(this);
    this.cpus = Number(values.cpus) || simulation.cpus;
    this.guard = values.guard_pages === true ? PAGE_BYTES : 0;
    this.threadSize = requireThreadSize(values);
    this.rcuDelay = Number(values.rcu_delay);
    this.purgeDelay = Number(values.purge_delay);
    this.shrinkInterval = Number(values.shrink_interval);
    const { start, last } = requireMainRange(values);
    const { cpus } = this;
    const options = { name: 'vmalloc', start, last, cpus, locks: simulation.locks };
    this.vmap = new Vmap(nodes === undefined ? options : { ...options, nodes });
    const stackArea = this.threadSize + PAGE_BYTES;
    this.threadStacks = new ThreadStacks('vmalloc', cpus, this.threadSize, stackArea);
    this.view = new VmapView(this.vmap, [this.threadStacks]);
    this.arenas = [this.view];
    this.windows = Int32Array.from({ length: constraints.length }, (_, row) => this.windowOf(row));
    if (this.shrinkInterval > 0) this.scheduleShrinker();
  }

  alloc(cls: number, size: Bytes, constraint: number, cpu: number): Address {
    const processor = cpu % this.cpus;
    const isThread = cls === RequestClass.kstack && roundUp(size, PAGE_BYTES) === this.threadSize;
    if (isThread) this.threadStacks.allocs++;
    if (constraint === UNCONSTRAINED && isThread) {
      const kept = this.threadStacks.take(processor);
      if (kept !== NO_ADDRESS) return kept;
    }
    const address = this.place(cls, size, constraint, processor);
    if (isThread && address !== NO_ADDRESS) this.threadStacks.slabs++;
    return address;
  }

  /** A thread's stack waits for a grace period first. Everything else is free at once, to be purged later. */
  free(cls: number, address: Address, size: Bytes, _constraint: number, cpu: number): void {
    if (cls !== RequestClass.kstack || roundUp(size, PAGE_BYTES) !== this.threadSize) {
      this.release(address);
      return;
    }
    this.threadStacks.frees++;
    const ticket = this.threadStacks.wait(address);
    const at = this.simulation.now + this.rcuDelay;
    const payload = ticket * CPU_FACTOR + (cpu % this.cpus);
    this.simulation.schedule(at, Priority.task, this.handler, Event.stack, payload);
  }

  guardBytes(cls: number): Bytes {
    return cls === RequestClass.kstack ? PAGE_BYTES : this.guard;
  }

  /** Whole pages with the guard page; huge pages from 2 MiB up for guests. */
  footprint(cls: number, size: Bytes): Bytes {
    if (cls === RequestClass.kstack) return roundUp(size, PAGE_BYTES) + PAGE_BYTES;
    return roundUp(size, this.isHuge(cls, size) ? HUGE_PAGE : PAGE_BYTES) + this.guard;
  }

  rootsOf(): readonly ArenaView[] {
    return this.arenas;
  }

  workDone(): number {
    const { searches, lookups } = this.vmap.figures;
    return searches + lookups;
  }

  /** The shrinker: all pools are emptied; what waits for a purge goes on waiting. */
  reap(): void {
    this.vmap.decay(true);
  }

  check(): void {
    this.view.check();
  }

  fire(kind: number, payload: number): void {
    switch (kind) {
      case Event.purge:
        this.isPurgeQueued = false;
        this.vmap.purge(false);
        break;
      case Event.stack:
        this.endGrace(Math.floor(payload / CPU_FACTOR), payload % CPU_FACTOR);
        break;
      default:
        this.vmap.decay(true);
        this.scheduleShrinker();
    }
  }

  /** Places a request anew, in the main range or in the window of its constraint. */
  private place(cls: number, size: Bytes, constraint: number, cpu: number): Address {
    const length = this.footprint(cls, size);
    const own = cls === RequestClass.kstack ? this.threadSize : this.isHuge(cls, size) ? HUGE_PAGE : 1;
    if (constraint === UNCONSTRAINED) return this.vmap.allocAddress(length, own, MAIN_WINDOW, cpu);
    const window = this.windows[constraint]!;
    const nocross = this.constraints.nocross[constraint]!;
    if (window < 0 || (nocross !== 0 && size > nocross)) return NO_ADDRESS;
    const uncrossed = nocross === 0 ? 1 : powerFrom(size);
    const align = Math.max(own, this.constraints.align[constraint]!, uncrossed);
    return this.vmap.allocAddress(length, align, window, cpu);
  }

  private isHuge(cls: number, size: Bytes): boolean {
    return cls === RequestClass.guest && size >= HUGE_PAGE;
  }

  /** After the grace period: the CPU keeps the stack if it has a slot; else a worker frees it. */
  private endGrace(ticket: number, cpu: number): void {
    const address = this.threadStacks.waited(ticket);
    if (this.threadStacks.keep(address, cpu)) return;
    this.threadStacks.slabs--;
    this.release(address);
  }

  private release(address: Address): void {
    const { vmap, simulation } = this;
    vmap.freeAt(address);
    if (this.isPurgeQueued || vmap.lazyPages <= vmap.lazyMax) return;
    this.isPurgeQueued = true;
    simulation.schedule(simulation.now + this.purgeDelay, Priority.task, this.handler, Event.purge);
  }

  private scheduleShrinker(): void {
    const { simulation, shrinkInterval } = this;
    simulation.schedule(simulation.now + shrinkInterval, Priority.timer, this.handler, Event.shrink);
  }

  /** The kernel knows windows and alignments, but no phase: rows with one are refused. */
  private windowOf(row: number): number {
    const { phase, minAddress, maxAddress } = this.constraints;
    const { vmap } = this;
    if (phase[row] !== 0) return -1;
    if (minAddress[row] === 0 && maxAddress[row] === 0) return MAIN_WINDOW;
    const from = roundUp(Math.max(minAddress[row]!, vmap.start, LOWEST_KERNEL_ADDRESS), PAGE_BYTES);
    const to = maxAddress[row] === 0 ? vmap.last : Math.min(maxAddress[row]!, vmap.last);
    return to > from ? vmap.addWindow(from, to) : -1;
  }
}

/** The smallest power of two from `size` up. */
function powerFrom(size: Bytes): Bytes {
  return isPowerOfTwo(size) ? size : 2 ** highBit(size);
}

function requireThreadSize(values: Parameters): Bytes {
  const value = Number(values.thread_size);
  if (value >= PAGE_BYTES && isPowerOfTwo(value)) return value;
  const allowed = `a power of two from ${PAGE_BYTES} up`;
  throw new InputError(`${value} bytes are no stack`, { field: 'thread_size', allowed });
}

function requireMainRange(values: Parameters): { start: Address; last: Address } {
  const size = Number(values.arena_size);
  if (!(size >= PAGE_BYTES && size % PAGE_BYTES === 0)) {
    const allowed = `a multiple of ${PAGE_BYTES}`;
    throw new InputError(`${size} bytes are no main range`, { field: 'arena_size', allowed });
  }
  const start = parseBase(values.arena_base as string | number, size, PAGE_BYTES, 'arena_base');
  if (start >= LOWEST_KERNEL_ADDRESS) return { start, last: start + size - 1 };
  const allowed = 'an address from 0xffff800000000000 up';
  throw new InputError(`'${values.arena_base}' is no address of the kernel half`, {
    field: 'arena_base',
    allowed,
  });
}
