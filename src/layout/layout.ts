import { InputError } from '../core/errors.js';

/** End of a 64-bit address space. */
export const TOP_64 = 1n << 64n;

/** What a part of a layout is for; pictures colour by it. */
export type SegmentKind = 'user' | 'red zone' | 'mapping' | 'allocator' | 'fixed';

/** A part of the kernel's address space. Addresses are not wrapped: a layout that does not fit runs past the top. */
export interface Segment {
  readonly name: string;
  readonly base: bigint;
  /** Bytes; negative where the rule leaves less than nothing. */
  readonly size: bigint;
  /** How base and size come about. */
  readonly rule: string;
  readonly kind: SegmentKind;
}

/** Something about a layout that its owner should know; all but notes make it impossible to boot as it stands. */
export interface Finding {
  readonly kind: 'overlap' | 'red zone' | 'does not fit' | 'panic' | 'note';
  readonly text: string;
}

/** A kernel's address space from the lowest address up. */
export interface Layout {
  readonly platform: string;
  readonly revision: string;
  /** RAM that the kernel can use, bytes. */
  readonly physmem: bigint;
  /** In ascending order of their bases. */
  readonly segments: readonly Segment[];
  readonly findings: readonly Finding[];
  /** The segment that the kernel's own allocations come from. */
  readonly heap: Segment;
}

/** Rounds up to a multiple of `unit`. */
export function roundUpTo(value: bigint, unit: bigint): bigint {
  return ((value + unit - 1n) / unit) * unit;
}

export function larger(one: bigint, other: bigint): bigint {
  return one > other ? one : other;
}

export function smaller(one: bigint, other: bigint): bigint {
  return one < other ? one : other;
}

/** 1-based index of the highest set bit; 0 for 0. */
export function highestBit(value: bigint): bigint {
  return value === 0n ? 0n : BigInt(value.toString(2).length);
}

/** `0x…` in lower case; what lies at or past 2^64 shows as such. */
export function hexAddress(address: bigint): string {
  return `0x${address.toString(16)}`;
}

/** @throws InputError unless `value` is a positive multiple of `unit` and at most `most`. */
export function requireMemory(field: string, value: bigint, unit: bigint, most: bigint): void {
  if (value > 0n && value % unit === 0n && value <= most) return;
  throw new InputError(`${value} bytes cannot be laid out`, {
    field,
    allowed: `a positive multiple of ${unit} up to ${most}`,
  });
}

/**
 * What is wrong with segments in ascending order, whatever the kernel: parts that overlap, anything in a red zone, sizes
 * below zero, ends above `top`. The kernel itself checks next to nothing of this.
 */
export function findProblems(segments: readonly Segment[], top: bigint): Finding[] {
  const problems: Finding[] = [];
  for (const { name, base, size } of segments) {
    if (size < 0n) {
      problems.push({ kind: 'does not fit', text: `${name} would need ${-size} bytes more than there are` });
    }
    if (base + size > top && size > 0n) {
      problems.push({
        kind: 'does not fit',
        text: `${name} ends at ${hexAddress(base + size)}, past the top`,
      });
    }
  }
  const real = segments.filter(({ size }) => size > 0n);
  real.forEach((segment, index) => {
    for (const other of real.slice(index + 1)) {
      const problem = overlap(segment, other);
      if (problem !== undefined) problems.push(problem);
    }
  });
  return problems;
}

function overlap(one: Segment, other: Segment): Finding | undefined {
  const from = larger(one.base, other.base);
  const to = smaller(one.base + one.size, other.base + other.size);
  if (from >= to) return undefined;
  const where = `${hexAddress(from)} to ${hexAddress(to)}`;
  const zone = [one, other].find(({ kind }) => kind === 'red zone');
  if (zone === undefined) return { kind: 'overlap', text: `${one.name} and ${other.name} share ${where}` };
  const intruder = zone === one ? other : one;
  return { kind: 'red zone', text: `${intruder.name} reaches into the ${zone.name}, ${where}` };
}

/** Whether nothing but notes was found. */
export function isSound(layout: Layout): boolean {
  return layout.findings.every(({ kind }) => kind === 'note');
}

/** Segments by ascending base; those of the same base in the order given. */
export function ascending(segments: readonly Segment[]): Segment[] {
  return [...segments].sort((one, other) => (one.base < other.base ? -1 : one.base > other.base ? 1 : 0));
}
