import { expect } from 'vitest';
import type { VmemArena } from '../../src/arena/illumos-vmem/arena.js';
import { VmFlag } from '../../src/arena/illumos-vmem/flags.js';
import { arenaListOrder } from '../../src/arena/illumos-vmem/inspect.js';
import { AllocSource } from '../../src/arena/illumos-vmem/span-source.js';
import { VmemSystem } from '../../src/arena/illumos-vmem/system.js';
import { ROTOR, Tag } from '../../src/arena/illumos-vmem/tags.js';
import { type Address, AddressSpace, NO_ADDRESS } from '../../src/core/address.js';
import { arenaOf, operationOf } from './reference-case.js';
import { hex, ReferenceSystem } from './reference-system.js';
import type { ReferenceArena } from './reference-vmem.js';

/** One span of the root arena; the child, if any, imports from it with vmem_alloc. */
export interface PairOptions {
  readonly base: bigint;
  readonly quantum: number;
  readonly quanta: number;
  readonly hasChild: boolean;
}

export type PairStep =
  | {
      readonly arena: 'root' | 'child';
      readonly size: number;
      readonly flags: readonly (keyof typeof VmFlag)[];
    }
  | { readonly freed: number };

/** The model and the slow reference side by side, without files: for many short histories. */
export class VmemPair {
  /** What both have, in order of allocation. */
  readonly live: {
    readonly id: number;
    readonly address: Address;
    readonly size: number;
    arena: VmemArena;
  }[] = [];
  readonly arenas: Readonly<Record<string, VmemArena>>;
  private readonly reference: ReferenceSystem;
  private readonly space: AddressSpace;
  private nextId = 0;

  constructor({ base, quantum, quanta, hasChild }: PairOptions) {
    const size = quantum * quanta;
    this.space = AddressSpace.covering([{ start: base, end: base + BigInt(size) }]);
    const system = new VmemSystem({ space: this.space, cpus: 1 });
    const common = { quantum, qcacheMax: 0, flags: 0 };
    const root = system.createArena({ name: 'root', ...common, source: null });
    root.addSpan(this.space.toNumber(base), size);
    const source = new AllocSource(root);
    this.arenas = hasChild
      ? { root, child: system.createArena({ name: 'child', ...common, source }) }
      : { root };
    const described = arenaOf({ name: 'root', base: hex(base), size, quantum });
    const child = arenaOf({ name: 'child', quantum, source: 'root' });
    this.reference = new ReferenceSystem({ arenas: hasChild ? [described, child] : [described] });
  }

  /** Carries out a step on both and compares the answers. */
  apply(step: PairStep): void {
    if ('freed' in step) this.free(step.freed);
    else this.alloc(step.arena, step.size, step.flags);
  }

  /** Compares segments, list orders and counters of all arenas. */
  compare(): void {
    for (const [name, arena] of Object.entries(this.arenas)) {
      const wanted = referenceState(this.reference.arena(name));
      const got = this.modelState(arena);
      if (wanted !== got) expect(got).toBe(wanted);
    }
  }

  private alloc(name: string, size: number, flagNames: readonly (keyof typeof VmFlag)[]): void {
    const arena = this.arenas[name]!;
    const flags = flagNames.reduce((bits, flag) => bits | VmFlag[flag], 0);
    const id = this.nextId++;
    const address = arena.alloc(size, flags);
    const operation = {
      op: 'alloc',
      arena: name,
      id,
      size: BigInt(size),
      flags: flagNames.join('|'),
    } as const;
    const wanted = this.reference.execute(operationOf(operation));
    const got = address === NO_ADDRESS ? 'ENOMEM' : this.space.format(address);
    if (wanted !== got) expect(got).toBe(wanted);
    if (address !== NO_ADDRESS) this.live.push({ id, address, size, arena });
  }

  private free(index: number): void {
    const [object] = this.live.splice(index, 1);
    const { id, address, size, arena } = object!;
    arena.free(address, size);
    this.reference.execute(operationOf({ op: 'free', arena: arena.name, id }));
  }

  private modelState(arena: VmemArena): string {
    const { tags, freeLists } = arena;
    const lines: string[] = [];
    const line = (tag: number) =>
      `${this.space.format(tags.start[tag]!)}+${tags.end[tag]! - tags.start[tag]!}`;
    for (const tag of arenaListOrder(arena)) {
      lines.push(tag === ROTOR ? 'rotor' : `${TYPE_NAMES[tags.type[tag]!]} ${line(tag)}`);
    }
    freeLists.walk((list, tag) => lines.push(`${list}: ${line(tag)}`));
    const { allocs, frees, fails, searches, lookups } = arena;
    return [...lines, allocs, frees, fails, searches, lookups].join('\n');
  }
}

const TYPE_NAMES: Readonly<Record<number, string>> = {
  [Tag.span]: 'span',
  [Tag.importedSpan]: 'imported',
  [Tag.free]: 'free',
  [Tag.alloc]: 'alloc',
};

function referenceState(arena: ReferenceArena): string {
  const range = (element: { start: bigint; end: bigint }) =>
    `${hex(element.start)}+${element.end - element.start}`;
  const lines = arena.list.map((element) => {
    if (element.kind === 'rotor') return 'rotor';
    return `${element.imported ? 'imported' : element.kind} ${range(element)}`;
  });
  arena.freeLists.forEach((members, list) => {
    for (const member of members) lines.push(`${list}: ${range(member)}`);
  });
  const { alloc, free, fail, search, lookup } = arena.counters;
  return [...lines, alloc, free, fail, search, lookup].join('\n');
}

/**
 * Carries out every history of `depth` steps: each of `requests`, or a free of any live object. Returns the number
 * of histories. @throws at the first difference.
 */
export function agreesOnAllHistories(
  options: PairOptions,
  requests: readonly PairStep[],
  depth: number,
): number {
  let histories = 0;
  const extend = (history: readonly PairStep[]) => {
    const pair = new VmemPair(options);
    for (const step of history) pair.apply(step);
    pair.compare();
    if (history.length === depth) {
      histories++;
      return;
    }
    for (const step of requests) extend([...history, step]);
    for (let freed = 0; freed < pair.live.length; freed++) extend([...history, { freed }]);
  };
  extend([]);
  return histories;
}
