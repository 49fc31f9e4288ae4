import { Type } from '@sinclair/typebox';
import {
  type ArenaFigures,
  type ArenaView,
  type CacheFigures,
  TagType,
  type TagVisitor,
} from '../../src/arena/view.js';
import type { Backend, BackendDefinition, BackendEnvironment } from '../../src/backend/contract.js';
import { type Address, NO_ADDRESS } from '../../src/core/address.js';
import { InputError, InvariantError } from '../../src/core/errors.js';
import { constraintTable, RequestClass, type RequestPort } from '../../src/core/request.js';
import { type EventHandler, Priority, type Simulation } from '../../src/core/simulation.js';
import { roundUp } from '../../src/core/units.js';
import type { Registries } from '../../src/harness/registries.js';
import type { Workload } from '../../src/workload/contract.js';
import type { WorkloadDefinition } from '../../src/workload/registry.js';

/** A cache that nobody uses. */
const TOY_CACHE: CacheFigures = {
  name: 'toy_32',
  kind: 'quantum',
  arena: 'toy',
  bufferBytes: 32,
  slabBytes: 128,
  slabs: 1,
  buffers: 4,
  buffersInUse: 2,
  buffersInMagazines: 1,
  magazines: 1,
  allocs: 4,
  magazineHits: 3,
  frees: 2,
};

/** First fit over a sorted list of segments: slow, small and right. */
export class ToyArena implements ArenaView {
  readonly name = 'toy';
  readonly source = null;
  readonly caches: readonly CacheFigures[] = [TOY_CACHE];
  readonly quantum: number;
  readonly size: number;
  /** Allocated segments in address order. */
  readonly segments: { start: number; size: number }[] = [];
  searches = 0;
  allocs = 0;
  frees = 0;
  /** Highest end so far; the first allocation is at 0. */
  private reach = 0;

  constructor(size: number, quantum: number) {
    this.size = size;
    this.quantum = quantum;
  }

  get figures(): ArenaFigures {
    const inUseBytes = this.segments.reduce((sum, segment) => sum + segment.size, 0);
    const holes = this.holes().length;
    const zero = {
      importBytes: 0,
      waits: 0,
      fails: 0,
      lookups: 0,
      splits: 0,
      merges: 0,
      imports: 0,
      releases: 0,
    };
    return {
      ...zero,
      totalBytes: this.size,
      inUseBytes,
      spanTags: 1,
      freeTags: holes,
      allocTags: this.segments.length,
      allocs: this.allocs,
      frees: this.frees,
      searches: this.searches,
      hashBuckets: 0,
      reachBytes: this.reach,
    };
  }

  place(size: number): Address {
    const fit = this.holes().find((hole) => {
      this.searches++;
      return hole.size >= size;
    });
    if (fit === undefined) return NO_ADDRESS;
    this.allocs++;
    this.reach = Math.max(this.reach, fit.start + size);
    this.segments.push({ start: fit.start, size });
    this.segments.sort((a, b) => a.start - b.start);
    return fit.start;
  }

  remove(start: Address): void {
    this.frees++;
    this.segments.splice(
      this.segments.findIndex((segment) => segment.start === start),
      1,
    );
  }

  largestFree(): number {
    return this.holes().reduce((largest, hole) => Math.max(largest, hole.size), 0);
  }

  freeBytes(): number {
    return this.holes().reduce((sum, hole) => sum + hole.size, 0);
  }

  metadataBytes(): number {
    return 64 * (1 + this.segments.length);
  }

  walk(visit: TagVisitor): void {
    visit(TagType.span, 0, this.size);
    const tags = [
      ...this.holes().map((hole) => ({ ...hole, type: TagType.free })),
      ...this.segments.map((segment) => ({ ...segment, type: TagType.alloc })),
    ];
    for (const tag of tags.sort((a, b) => a.start - b.start)) visit(tag.type, tag.start, tag.size);
  }

  check(): void {
    let end = 0;
    for (const { start, size } of this.segments) {
      if (start < end) throw new InvariantError('segments overlap');
      end = start + size;
    }
  }

  private holes(): { start: number; size: number }[] {
    const holes = [];
    let end = 0;
    for (const segment of [...this.segments, { start: this.size, size: 0 }]) {
      if (segment.start > end) holes.push({ start: end, size: segment.start - end });
      end = segment.start + segment.size;
    }
    return holes;
  }
}

/** Serves kmem and va from one ToyArena. */
export class ToyBackend implements Backend {
  readonly serves = [RequestClass.kmem, RequestClass.va];
  readonly arena: ToyArena;
  readonly arenas: readonly ArenaView[];

  constructor(size = 65_536, quantum = 16) {
    this.arena = new ToyArena(size, quantum);
    this.arenas = [this.arena];
  }

  alloc(cls: number, size: number): Address {
    return this.arena.place(this.footprint(cls, size));
  }

  free(_cls: number, address: Address): void {
    this.arena.remove(address);
  }

  footprint(_cls: number, size: number): number {
    return roundUp(size, this.arena.quantum);
  }

  /** The figures of a ToyArena are made up when they are read: too slow for every request. */
  workDone(): number {
    return this.arena.searches;
  }

  reap(): void {}

  check(): void {
    this.arena.check();
  }
}

const toyBackend: BackendDefinition = {
  name: 'toy-fit',
  summary: 'first fit over a list',
  heldBy: [],
  parameters: Type.Object({
    size: Type.Integer({ format: 'bytes', default: 65_536, minimum: 1, description: 'Arena.' }),
    quantum: Type.Union([Type.Integer(), Type.String()], {
      format: 'bytes',
      default: '16B',
      description: 'Unit.',
    }),
    policy: Type.Union([Type.Literal('first'), Type.Literal('best')], {
      default: 'first',
      description: 'Fit.',
    }),
    merge: Type.Boolean({ default: true, description: 'Merging.' }),
    base: Type.Union([Type.String(), Type.Number()], { default: '0x0', description: 'First address.' }),
  }),
  create({ size, quantum }, _environment: BackendEnvironment) {
    if (Number(size) < 4096)
      throw new InputError('arena too small', { field: 'size', allowed: 'at least 4KiB' });
    return new ToyBackend(Number(size), Number(quantum));
  },
};

/** Allocates and frees in a seeded pattern; every fourth request is of a class that ToyBackend does not serve. */
class ToyWorkload implements Workload, EventHandler {
  readonly name = 'toy-load';
  readonly objectLimit = 16;
  readonly cpus = 2;
  readonly classes = [RequestClass.kmem, RequestClass.guest];
  readonly constraints = constraintTable([]);
  readonly durationNs: number;
  readonly provenance: Record<string, unknown>;
  private readonly live = new Array<boolean>(16).fill(false);
  readonly events: number;
  private readonly block: number;
  private state: number;
  private simulation!: Simulation;
  private port!: RequestPort;
  private handler = 0;

  constructor(events: number, block: number, seed: number, note: string) {
    this.events = events;
    this.block = block;
    this.state = seed + 1;
    this.durationNs = events * 10;
    this.provenance = { note };
  }

  start(simulation: Simulation, port: RequestPort): void {
    this.simulation = simulation;
    this.port = port;
    this.handler = simulation.register(this);
    simulation.workloadStarted();
    simulation.schedule(10, Priority.request, this.handler, 1);
  }

  /** Delivers up to `block` events itself where the order allows it. */
  fire(first: number): void {
    for (let event = first; ; event++) {
      this.request(event);
      if (event === this.events) {
        this.simulation.workloadFinished();
        return;
      }
      const next = (event + 1) * 10;
      if (event + 1 - first >= this.block || !this.simulation.mayRunAhead(next, Priority.request)) {
        this.simulation.schedule(next, Priority.request, this.handler, event + 1);
        return;
      }
      this.simulation.advance(next);
    }
  }

  private request(event: number): void {
    this.state = (this.state * 48_271) % 2_147_483_647;
    const object = this.state % 16;
    if (this.live[object]) this.port.free(object, 0);
    else {
      const cls = event % 4 === 0 ? RequestClass.guest : RequestClass.kmem;
      this.port.alloc(object, cls, 1 + (this.state % 9000), -1, event % 2);
    }
    this.live[object] = !this.live[object];
  }
}

const toyWorkload: WorkloadDefinition = {
  name: 'toy-load',
  summary: 'seeded toy load',
  parameters: Type.Object({
    events: Type.Integer({ minimum: 1, default: 400, description: 'Requests.' }),
    block: Type.Integer({ minimum: 1, default: 64, description: 'Events delivered in a row.' }),
    note: Type.String({ format: 'path', default: 'none', description: 'A file.' }),
    classes: Type.Array(Type.String(), { default: ['kmem'], description: 'Classes.' }),
  }),
  create: ({ events, block }, seed) => new ToyWorkload(Number(events), Number(block), seed, 'toy'),
};

/** Frees what it never allocated. */
const brokenWorkload: WorkloadDefinition = {
  name: 'broken-load',
  summary: 'frees an object that it never allocated',
  parameters: Type.Object({}),
  create: () => ({
    name: 'broken-load',
    objectLimit: 4,
    cpus: 1,
    classes: [RequestClass.kmem],
    constraints: constraintTable([]),
    durationNs: 10,
    provenance: {},
    start: (_simulation, port) => port.free(3, 0),
  }),
};

/** Registries of toys, for tests of the harness that must not depend on any real model. */
export const TOYS: Registries = { workloads: [toyWorkload, brokenWorkload], backends: [toyBackend] };
