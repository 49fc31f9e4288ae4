import assert from 'node:assert/strict';
import { type ArenaView, TAG_TYPE_NAMES, TagType } from '../arena/view.js';
import type { Backend, BackendDefinition, Parameters } from '../backend/contract.js';
import { unmetConstraint } from '../backend/placement.js';
import { type Address, AddressSpace, NO_ADDRESS } from '../core/address.js';
import {
  type Constraint,
  type ConstraintTable,
  constraintTable,
  REQUEST_CLASS_NAMES,
  UNCONSTRAINED,
} from '../core/request.js';
import { Simulation } from '../core/simulation.js';
import { type Bytes, parseBytes } from '../core/units.js';
import { requireEqual } from './expectation.js';

/** Processors that ask. */
const CPUS = 4;

/** A live allocation of a Client. */
export interface Live {
  readonly cls: number;
  readonly address: Address;
  readonly size: Bytes;
  readonly constraint: number;
}

/** The definition's parameters with their defaults, and `overrides` on top. */
export function withDefaults(definition: BackendDefinition, overrides: Parameters = {}): Parameters {
  const defaults = Object.entries(definition.parameters.properties).map(([name, schema]) => {
    const value = schema.default;
    return [name, schema.format === 'bytes' && typeof value === 'string' ? parseBytes(value) : value];
  });
  return { ...Object.fromEntries(defaults), ...overrides };
}

/**
 * Asks a backend as the contract allows, and holds each answer against what any allocator must do: the range lies
 * nowhere on a live one, its address meets the constraint, its footprint is no smaller than the request.
 * @throws AssertionError from any method, where the backend has not done so.
 */
export class Client {
  readonly simulation: Simulation;
  readonly backend: Backend;
  /** In address order. */
  readonly live: Live[] = [];
  private readonly constraints: ConstraintTable;

  constructor(
    definition: BackendDefinition,
    parameters: Parameters = {},
    rows: readonly Constraint[] = [],
    readonly seed = 0,
  ) {
    this.simulation = new Simulation(CPUS);
    this.constraints = constraintTable(rows);
    this.backend = definition.create(withDefaults(definition, parameters), {
      simulation: this.simulation,
      constraints: this.constraints,
    });
  }

  /** The allocation, or undefined where the backend is exhausted. */
  alloc(cls: number, size: Bytes, constraint = UNCONSTRAINED, cpu = 0): Live | undefined {
    const address = this.backend.alloc(cls, size, constraint, cpu);
    if (address === NO_ADDRESS) return undefined;
    const live = { cls, address, size, constraint };
    assert.ok(Number.isInteger(address) && address >= 0, `the answer ${address} is no address`);
    const footprint = this.backend.footprint(cls, size);
    assert.ok(footprint >= size, `footprint ${footprint} of ${describeLive(live)}`);
    if (constraint !== UNCONSTRAINED) {
      const unmet = unmetConstraint(this.constraints, constraint, address, size);
      assert.ok(unmet === '', `${describeLive(live)} breaks its constraint: ${unmet}`);
    }
    this.enter(live);
    return live;
  }

  free(live: Live, cpu = 0): void {
    this.live.splice(this.live.indexOf(live), 1);
    this.backend.free(live.cls, live.address, live.size, live.constraint, cpu);
  }

  freeAll(): void {
    for (const live of [...this.live]) this.free(live);
  }

  /** Checks every invariant, and the figures of each arena against its walk. */
  check(): void {
    this.backend.check();
    for (const arena of this.backend.arenas) requireFiguresOfWalk(arena);
  }

  get inUseBytes(): readonly Bytes[] {
    return this.backend.arenas.map((arena) => arena.figures.inUseBytes);
  }

  /**
   * Bytes in use by clients, per arena: segments and buffers of quantum caches, without what caches hold as slabs or
   * in magazines and without what other arenas have imported. A kernel may keep all these after the last free
   * (illumos never empties the magazines that a CPU has loaded).
   */
  get clientBytes(): readonly Bytes[] {
    const { arenas } = this.backend;
    return arenas.map(({ name, figures, caches }) => {
      let bytes = figures.inUseBytes;
      for (const cache of caches) {
        bytes -= cache.slabs * cache.slabBytes;
        if (cache.kind === 'quantum')
          bytes += (cache.buffersInUse - cache.buffersInMagazines) * cache.bufferBytes;
      }
      for (const { source, figures } of arenas) if (source === name) bytes -= figures.importBytes;
      return bytes;
    });
  }

  /** Buffers of object caches that are with clients, neither in a slab nor in a magazine. */
  get clientBuffers(): number {
    const caches = this.backend.arenas
      .flatMap((arena) => arena.caches)
      .filter(({ kind }) => kind === 'object');
    return caches.reduce((sum, cache) => sum + cache.buffersInUse - cache.buffersInMagazines, 0);
  }

  private enter(live: Live): void {
    let low = 0;
    for (let high = this.live.length; low < high; ) {
      const middle = (low + high) >> 1;
      if (this.live[middle]!.address < live.address) low = middle + 1;
      else high = middle;
    }
    requireApart(this.live[low - 1], live);
    requireApart(live, this.live[low]);
    this.live.splice(low, 0, live);
  }
}

/** A live allocation in words. */
export function describeLive({ cls, address, size }: Live): string {
  return `${REQUEST_CLASS_NAMES[cls]} ${size} at ${AddressSpace.canonical.format(address)}`;
}

function requireApart(lower: Live | undefined, upper: Live | undefined): void {
  if (lower === undefined || upper === undefined || lower.address + lower.size <= upper.address) return;
  assert.fail(`overlap: ${describeLive(lower)} and ${describeLive(upper)}`);
}

/** A model for which a tag count has no meaning leaves it 0; all else must agree. */
function requireFiguresOfWalk(arena: ArenaView): void {
  const bytes = [0, 0, 0];
  const tags = [0, 0, 0];
  let largestFree = 0;
  arena.walk((type, _start, size) => {
    bytes[type]! += size;
    tags[type]!++;
    if (type === TagType.free) largestFree = Math.max(largestFree, size);
  });
  const { figures, name } = arena;
  const said = [figures.totalBytes, arena.freeBytes(), figures.inUseBytes];
  for (const [type, value] of said.entries()) {
    requireEqual(value, bytes[type], `arena '${name}': bytes of ${TAG_TYPE_NAMES[type]} tags in its walk`);
  }
  requireEqual(figures.allocTags, tags[TagType.alloc], `arena '${name}': alloc tags in its walk`);
  if (figures.freeTags !== 0)
    requireEqual(figures.freeTags, tags[TagType.free], `arena '${name}': free tags in its walk`);
  if (figures.spanTags !== 0)
    requireEqual(figures.spanTags, tags[TagType.span], `arena '${name}': span tags in its walk`);
  requireEqual(arena.largestFree(), largestFree, `arena '${name}': largest free segment in its walk`);
  assert.ok(arena.metadataBytes() >= 0, `arena '${name}': negative metadata`);
}
