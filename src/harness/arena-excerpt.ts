import { type ArenaView, TagType } from '../arena/view.js';
import type { Backend } from '../backend/contract.js';
import { type Address, NO_ADDRESS } from '../core/address.js';
import type { Bytes } from '../core/units.js';

/** Tags shown on either side of an address. */
const CONTEXT = 4;

/** A boundary tag of an excerpt. */
export interface ExcerptTag {
  /** Position among all tags of the arena, in address order. */
  readonly index: number;
  readonly type: TagType;
  readonly start: Address;
  readonly size: Bytes;
  /** Which of the addresses asked for lie in this segment, by their index. */
  readonly holds: readonly number[];
}

/** The tags of an arena near some addresses. */
export interface ArenaExcerpt {
  readonly arena: string;
  /** Tags that the arena has in all. */
  readonly tags: number;
  readonly near: readonly ExcerptTag[];
}

/**
 * The arenas of a backend in which `own` lies, each with the tags around every address of `around` that lies in one of
 * its spans. Where the backend refused (`own` is NO_ADDRESS), its arenas that have an address of `around`, or all
 * arenas without a source.
 */
export function arenasAround(backend: Backend, own: Address, around: readonly Address[]): ArenaExcerpt[] {
  const asked = own === NO_ADDRESS ? around : [own];
  const holding = backend.arenas.filter((arena) => asked.some((address) => holds(arena, address)));
  const arenas = holding.length > 0 ? holding : backend.arenas.filter(({ source }) => source === null);
  return arenas.map((arena) => excerpt(arena, around));
}

function holds(arena: ArenaView, address: Address): boolean {
  let found = false;
  arena.walk((type, start, size) => {
    if (type === TagType.span && start <= address && address - start < size) found = true;
  });
  return found;
}

function excerpt(arena: ArenaView, around: readonly Address[]): ArenaExcerpt {
  const all: ExcerptTag[] = [];
  arena.walk((type, start, size) => {
    const inside = (address: Address): boolean => address >= start && address - start < size;
    const holds = [...around.keys()].filter((index) => type !== TagType.span && inside(around[index]!));
    all.push({ index: all.length, type, start, size, holds });
  });
  const centres = all.filter((tag) => tag.holds.length > 0).map(({ index }) => index);
  const places = centres.length > 0 ? centres : [0];
  const near = all.filter(({ index }) => places.some((place) => Math.abs(place - index) <= CONTEXT));
  return { arena: arena.name, tags: all.length, near };
}
