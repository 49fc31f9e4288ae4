import { InputError } from './errors.js';

/**
 * A kernel address as an exact number: its slot of 2^48 bytes and the offset in it (see AddressSpace).
 * Order, differences and alignments up to 2^48 are those of the 64-bit addresses; an exclusive end may be 2^53.
 */
export type Address = number;

/** The answer of an allocator that is exhausted: a result, not an error. */
export const NO_ADDRESS: Address = -1;

const WINDOW_BITS = 48n;

/** Length of a slot. */
export const WINDOW_BYTES = 2 ** 48;
const SLOTS = 32;
const WORD = 1n << 64n;

/** A range of 64-bit addresses; `end` is exclusive and may be 2^64. */
export interface AddressRange {
  readonly start: bigint;
  readonly end: bigint;
}

/**
 * The map between 64-bit addresses and exact numbers.
 *
 * The 2^64 bytes are cut into windows of 2^48. A double holds 2^53 = 32 windows exactly, so 32 slots are handed to
 * the windows in use, in ascending order: numbers compare, subtract and align as the addresses do. The canonical
 * space has the 16 lowest and the 16 highest windows, which is each address whose upper 12 bits are equal: all that
 * a kernel of today maps. `covering` serves any other set of ranges, if they touch at most 32 windows.
 * Not: BigInt (ten times slower), nor two 32-bit halves (every comparison doubles).
 */
export class AddressSpace {
  /** Upper 16 bits of each slot's addresses, ascending; a spare last slot stands for an end at 2^53. */
  readonly upperBits: Uint16Array;
  private readonly windows: readonly bigint[];

  private constructor(windows: readonly bigint[]) {
    this.windows = windows;
    this.upperBits = Uint16Array.from([...windows.map(Number), 0]);
  }

  /** Addresses below 2^52 and from 2^64 − 2^52 up. */
  static readonly canonical = new AddressSpace(
    Array.from({ length: SLOTS }, (_, slot) => BigInt(slot < 16 ? slot : 0xffe0 + slot)),
  );

  /**
   * A space that holds all `ranges`: the canonical one if it does.
   * @throws InputError if the ranges touch more windows of 2^48 bytes than 31.
   */
  static covering(ranges: readonly AddressRange[]): AddressSpace {
    const touched = new Set<bigint>();
    for (const { start, end } of ranges) {
      if (end <= start || end > WORD) throw new InputError(`bad address range ${hex(start)}..${hex(end)}`);
      const last = (end - 1n) >> WINDOW_BITS;
      for (let window = start >> WINDOW_BITS; window <= last && touched.size < SLOTS; window++) {
        touched.add(window);
      }
    }
    const canonical = AddressSpace.canonical.windows;
    if ([...touched].every((window) => canonical.includes(window))) return AddressSpace.canonical;
    return new AddressSpace(fillSlots([...touched]));
  }

  /** Number of a 64-bit address that lies in the space. @throws InputError if it does not. */
  toNumber(address: bigint): Address {
    const slot = this.windows.indexOf(address >> WINDOW_BITS);
    if (slot < 0) throw new InputError(`address ${hex(address)} is outside the modelled address space`);
    return slot * WINDOW_BYTES + Number(address & 0xffff_ffff_ffffn);
  }

  /** Number of an exclusive end: that of the last byte + 1, so 2^64 (or 0) at the top gives 2^53. */
  endToNumber(end: bigint): Address {
    return this.toNumber((end + WORD - 1n) % WORD) + 1;
  }

  /** Smallest number in the space whose address is at least `bound`; 2^53 if there is none. */
  clamp(bound: bigint): Address {
    const window = bound >> WINDOW_BITS;
    const slot = this.windows.findIndex((candidate) => candidate >= window);
    if (slot < 0) return SLOTS * WINDOW_BYTES;
    return this.windows[slot] === window ? this.toNumber(bound) : slot * WINDOW_BYTES;
  }

  /** 64-bit address of a number. */
  toBigInt(address: Address): bigint {
    const slot = Math.floor(address / WINDOW_BYTES);
    if (slot >= SLOTS) return WORD;
    return (this.windows[slot]! << WINDOW_BITS) + BigInt(address % WINDOW_BYTES);
  }

  /** `0x…` in lower case without leading zeros; an exclusive end of 2^64 prints as `0x10000000000000000`. */
  format(address: Address): string {
    return hex(this.toBigInt(address));
  }
}

/**
 * Distributes `touched` windows over all 32 slots, ascending. A hole in the windows must stay a hole in the slots,
 * lest two ranges look adjacent that are not: untouched windows fill the slots that are left, nearest first.
 */
function fillSlots(touched: bigint[]): bigint[] {
  const chosen = new Set(touched);
  for (const window of touched) if (window < 0xffffn) chosen.add(window + 1n);
  for (let window = 0n; chosen.size < SLOTS; window++) chosen.add(window);
  if (chosen.size > SLOTS) {
    throw new InputError('the spans touch too many parts of the address space', {
      allowed: `ranges in at most ${SLOTS / 2} windows of 2^48 bytes`,
    });
  }
  return [...chosen].sort((a, b) => (a < b ? -1 : 1));
}

function hex(value: bigint): string {
  return `0x${value.toString(16)}`;
}
