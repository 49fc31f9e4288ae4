import { Value } from '@sinclair/typebox/value';
import { expect } from 'vitest';
import { type ArenaView, TagType } from '../../src/arena/view.js';
import type { Backend, BackendDefinition, Parameters } from '../../src/backend/contract.js';
import { type Address, NO_ADDRESS } from '../../src/core/address.js';
import {
  type Constraint,
  type ConstraintTable,
  constraintTable,
  UNCONSTRAINED,
} from '../../src/core/request.js';
import { Simulation } from '../../src/core/simulation.js';
import type { Bytes } from '../../src/core/units.js';

/** A live allocation of a Client. */
export interface Live {
  readonly cls: number;
  readonly address: Address;
  readonly size: Bytes;
  readonly constraint: number;
}

/** The definition's parameters with their defaults, and `overrides` on top. */
export function withDefaults(definition: BackendDefinition, overrides: Parameters = {}): Parameters {
  return Value.Default(definition.parameters, { ...overrides }) as Parameters;
}

/**
 * Asks a backend as the contract allows, and holds each answer against what any allocator must do: the range lies
 * nowhere on a live one, its address meets the constraint, its footprint is no smaller than the request.
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
    cpus = 4,
  ) {
    this.simulation = new Simulation(cpus);
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
    expect(Number.isInteger(address) && address >= 0, `address ${address}`).toBe(true);
    expect(this.backend.footprint(cls, size)).toBeGreaterThanOrEqual(size);
    if (constraint !== UNCONSTRAINED) this.expectConstraint(live);
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
    for (const arena of this.backend.arenas) expectFiguresOfWalk(arena);
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
    const before = this.live[low - 1];
    const after = this.live[low];
    if (before !== undefined)
      expect(before.address + before.size, 'overlap').toBeLessThanOrEqual(live.address);
    if (after !== undefined) expect(live.address + live.size, 'overlap').toBeLessThanOrEqual(after.address);
    this.live.splice(low, 0, live);
  }

  private expectConstraint({ address, size, constraint }: Live): void {
    const { align, phase, nocross, minAddress, maxAddress } = this.constraints;
    if (align[constraint] !== 0) expect(address % align[constraint]!, 'phase').toBe(phase[constraint]);
    expect(address, 'minimum').toBeGreaterThanOrEqual(minAddress[constraint]!);
    if (maxAddress[constraint] !== 0) {
      expect(address + size, 'maximum').toBeLessThanOrEqual(maxAddress[constraint]!);
    }
    if (nocross[constraint] === 0) return;
    const windows = [address, address + size - 1].map((byte) => Math.floor(byte / nocross[constraint]!));
    expect(windows[0], 'nocross').toBe(windows[1]);
  }
}

/** A model for which a tag count has no meaning leaves it 0; all else must agree. */
function expectFiguresOfWalk(arena: ArenaView): void {
  const bytes = [0, 0, 0];
  const tags = [0, 0, 0];
  let largestFree = 0;
  arena.walk((type, _start, size) => {
    bytes[type]! += size;
    tags[type]!++;
    if (type === TagType.free) largestFree = Math.max(largestFree, size);
  });
  const { figures } = arena;
  expect([arena.name, ...bytes]).toEqual([
    arena.name,
    figures.totalBytes,
    arena.freeBytes(),
    figures.inUseBytes,
  ]);
  expect(figures.allocTags).toBe(tags[TagType.alloc]);
  expect([0, tags[TagType.free]]).toContain(figures.freeTags);
  expect([0, tags[TagType.span]]).toContain(figures.spanTags);
  expect(arena.largestFree()).toBe(largestFree);
  expect(arena.metadataBytes()).toBeGreaterThanOrEqual(0);
}
