import { Type } from '@sinclair/typebox';
import { ABIS } from '../arena/illumos-vmem/abi.js';
import { VmemSystem } from '../arena/illumos-vmem/system.js';
import { VmemView } from '../arena/illumos-vmem/view.js';
import type { ArenaView } from '../arena/view.js';
import { type Address, AddressSpace } from '../core/address.js';
import { InputError, MisuseError } from '../core/errors.js';
import { REQUEST_CLASS_NAMES, RequestClass } from '../core/request.js';
import { type EventHandler, Priority, type Simulation } from '../core/simulation.js';
import { type Bytes, MIB, roundUp, SECOND } from '../core/units.js';
import type { Backend, BackendDefinition, BackendEnvironment, Parameters } from './contract.js';
import {
  createGuestArena,
  GUEST_PARAMETERS,
  GuestSegments,
  MOST_GUEST_ADDRESSES,
  physmemOf,
} from './guest-segments.js';
import { powerOfTwo } from './illumos-stack.js';
import { parseBase, requireConstraints } from './placement.js';

const TICK = 15 * SECOND;

const PARAMETERS = Type.Object(
  {
    ...GUEST_PARAMETERS,
    overprovision: Type.Number({
      default: 4,
      description: 'addresses per byte of RAM: the arena is so many times physmem (default: that of 12608)',
    }),
    guest_quantum: Type.Number({
      format: 'bytes',
      default: MIB,
      description: 'quantum of both arenas, a power of two from 4 KiB up',
    }),
    arena_base: Type.Union([Type.String(), Type.Number()], {
      default: '0xffff900000000000',
      description: 'first address of kvmm_arena: room for any of them, which the layout has not',
    }),
    abi: Type.Union([Type.Literal('lp64'), Type.Literal('ilp32')], {
      default: 'lp64',
      description: 'structure sizes for the metadata: of the 64-bit or the 32-bit kernel',
    }),
  },
  { additionalProperties: false },
);

/**
 * Guest memory in a segment of its own: kvmm_arena → vmm_alloc_arena, without quantum caches. Every import is one segment of
 * a guest and every free gives it back, so kvmm_arena alone decides where guests lie [illumos@04909c8].
 */
class IllumosSegkvmm implements Backend, EventHandler {
  readonly serves = [RequestClass.guest];
  readonly arenas: readonly ArenaView[];
  readonly guests: GuestSegments;
  private readonly system: VmemSystem;
  private readonly simulation: Simulation;
  private readonly handler: number;

  constructor(parameters: Parameters, { simulation, constraints }: BackendEnvironment) {
    requireConstraints(constraints);
    const quantum = powerOfTwo(parameters, 'guest_quantum', 4096);
    const { cpus, locks } = simulation;
    this.system = new VmemSystem({ space: AddressSpace.canonical, cpus, locks });
    const plain = { quantum, qcacheMax: 0, flags: 0, source: null };
    const kvmm = this.system.createArena({ name: 'kvmm_arena', ...plain });
    const size = arenaSize(parameters, quantum);
    kvmm.addSpan(parseBase(parameters.arena_base as string | number, size, quantum, 'arena_base'), size);
    const segments = createGuestArena(this.system, kvmm, quantum, parameters);
    this.guests = new GuestSegments(segments, constraints, simulation, parameters);
    const abi = ABIS[parameters.abi as keyof typeof ABIS];
    this.arenas = this.system.arenas.map((arena) => new VmemView(arena, [], abi, cpus));
    this.simulation = simulation;
    this.handler = simulation.register(this);
    simulation.schedule(TICK, Priority.timer, this.handler);
  }

  alloc(cls: number, size: Bytes, constraint: number, cpu: number): Address {
    requireGuest(cls);
    this.system.cpu = cpu;
    return this.guests.alloc(size, constraint);
  }

  free(cls: number, address: Address, size: Bytes, _constraint: number, cpu: number): void {
    requireGuest(cls);
    this.system.cpu = cpu;
    this.guests.free(address, size);
  }

  footprint(_cls: number, size: Bytes): Bytes {
    return this.guests.footprint(size);
  }

  rootsOf(): readonly ArenaView[] {
    return this.arenas.slice(0, 1);
  }

  workDone(): number {
    return this.system.work.steps;
  }

  /** Nothing is cached. */
  reap(): void {}

  check(): void {
    for (const arena of this.arenas) arena.check();
  }

  /** vmem_update every 15 s. */
  fire(): void {
    this.system.vmemUpdate();
    this.simulation.schedule(this.simulation.now + TICK, Priority.timer, this.handler);
  }
}

function requireGuest(cls: number): void {
  if (cls === RequestClass.guest) return;
  throw new MisuseError('request of a class that is not served', { cls: REQUEST_CLASS_NAMES[cls] ?? cls });
}

/** @throws InputError for an arena that holds nothing, or more than can be followed. */
function arenaSize(parameters: Parameters, quantum: Bytes): Bytes {
  const factor = Number(parameters.overprovision);
  // To the nearest byte: 1.1 × 100 GiB is a little above 110 GiB in doubles, which must not cost a quantum.
  const size = roundUp(Math.round(physmemOf(parameters) * factor), quantum);
  if (factor > 0 && size > 0 && size <= MOST_GUEST_ADDRESSES) return size;
  throw new InputError(`${factor} times physmem`, {
    field: 'overprovision',
    allowed: 'what gives from 1 byte to 64 TiB of addresses',
  });
}

/** The arena that illumos change 12608 gave to bhyve. */
export const illumosSegkvmm: BackendDefinition = {
  name: 'illumos-segkvmm',
  summary: 'guest memory of bhyve on illumos until 2021: an arena of its own, several times as large as RAM',
  heldBy: ['illumos-vmem'],
  parameters: PARAMETERS,
  create: (parameters, environment) => new IllumosSegkvmm(parameters, environment),
};
