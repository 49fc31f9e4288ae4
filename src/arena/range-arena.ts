import type { Address } from '../core/address.js';
import { MisuseError } from '../core/errors.js';
import type { ConstraintTable } from '../core/request.js';
import type { Bytes } from '../core/units.js';
import type { ArenaFigures, ArenaView } from './view.js';

/** An arena model over one range that nothing is imported to, in which every allocation is freed as it was made. */
export interface RangeArena extends ArenaView {
  /**
   * Allocates `size` bytes; NO_ADDRESS if the model finds no place.
   * @throws MisuseError if the size is not a positive multiple of the quantum.
   */
  alloc(size: Bytes): Address;
  /** The same under row `row` of `constraints`, whose columns are those of vmem_xalloc(9). */
  xalloc(size: Bytes, constraints: ConstraintTable, row: number): Address;
  /** Frees what an allocation of `size` bytes got. @throws MisuseError if that range is not allocated. */
  free(address: Address, size: Bytes): void;
  /** Bytes that an unconstrained allocation of `size` bytes takes. */
  bytesFor(size: Bytes): Bytes;
}

/** The range that a RangeArena manages. */
export interface ArenaRange {
  readonly name: string;
  /** First address; a multiple of the quantum. */
  readonly base: Address;
  /** Bytes of the range; a positive multiple of the quantum. */
  readonly size: Bytes;
  /** Power of two; every request is a multiple of it. */
  readonly quantum: Bytes;
}

/**
 * The figures that every RangeArena counts alike; see ArenaFigures for each. One range, nothing imported: what that
 * rules out stays 0. The others follow from a model's own structures.
 */
export abstract class RangeFigures implements ArenaFigures {
  readonly importBytes = 0;
  readonly spanTags = 0;
  readonly waits = 0;
  readonly imports = 0;
  readonly releases = 0;
  inUseBytes = 0;
  allocs = 0;
  frees = 0;
  fails = 0;
  splits = 0;
  merges = 0;
  private lowest: Address = Number.POSITIVE_INFINITY;
  private highest: Address = 0;

  constructor(readonly totalBytes: Bytes) {}

  abstract readonly freeTags: number;
  abstract readonly allocTags: number;
  abstract readonly lookups: number;
  abstract readonly searches: number;
  abstract readonly hashBuckets: number;

  get reachBytes(): Bytes {
    return Math.max(0, this.highest - this.lowest);
  }

  /** Notes that [start, end) has been allocated. */
  reach(start: Address, end: Address): void {
    if (start < this.lowest) this.lowest = start;
    if (end > this.highest) this.highest = end;
  }
}

/** @throws MisuseError if the range is empty, not of whole quanta, or does not end at 2^53 or below. */
export function requireRange({ name, base, size, quantum }: ArenaRange): void {
  const whole = size > 0 && size % quantum === 0 && base % quantum === 0;
  if (whole && base >= 0 && base + size <= 2 ** 53) return;
  throw new MisuseError('bad range of an arena', { name, base, size, quantum });
}

/** @throws MisuseError if the size is not a positive multiple of the arena's quantum. */
export function requireWhole(arena: ArenaView, size: Bytes): void {
  if (size > 0 && size % arena.quantum === 0) return;
  throw new MisuseError('size is not of whole quanta', { arena: arena.name, size, quantum: arena.quantum });
}
