import { crc32 } from 'node:zlib';

/*
 * A trace file is sealed, so that no damaged byte reaches a decoder: apache-arrow believes every count it reads and
 * may loop for hours over a wrong one. The file is seen as parts (its head, then one per record batch) and a tail
 * (end mark, footer, length, magic). The footer holds the length and CRC-32 of each part; the tail holds its own.
 * A CRC finds any damage within 32 bits in a row for certain, anything else but for one case in 2^32; whether events
 * are those of the recording is what the sha256 of TraceDigest says.
 */

/** Key in the footer's metadata of the parts, as JSON: [bytes, CRC-32] each, in the order of the file. */
export const PARTS_KEY = 'kvabench.parts';
/** Key in the footer's metadata of the seal of the tail. */
export const SEAL_KEY = 'kvabench.seal';
/**
 * A seal before it is set. The tail's CRC-32 is taken with these digits in it. JSON text, which stands beside it,
 * never holds a tab, so that the seal is found without decoding anything.
 */
export const UNSEALED = 'crc32\t00000000';
/** The end mark of an Arrow stream stands before the footer and belongs to the tail. */
export const END_MARK_BYTES = 8;

/** Length in bytes and CRC-32 of a part of a file. */
export type Part = readonly [bytes: number, crc32: number];

/** Adds up the parts of a file while it is written. */
export class PartList {
  readonly parts: Part[] = [];
  private bytes = 0;
  private crc = 0;

  add(bytes: Uint8Array): void {
    this.bytes += bytes.byteLength;
    this.crc = crc32(bytes, this.crc);
  }

  /** The present part ends here. */
  end(): void {
    this.parts.push([this.bytes, this.crc]);
    this.bytes = 0;
    this.crc = 0;
  }
}

const SEAL_START = Buffer.from('crc32\t');
const NO_DIGITS = Buffer.from('00000000');

/** Sets the seal of a tail, in place. */
export function sealTail(tail: Buffer): void {
  const digits = digitsAt(tail);
  tail.write(sealOf(tail, digits), digits, 'latin1');
}

/** What the seal says of a tail; `absent` is a file that kvabench did not write. */
export function checkTail(tail: Buffer): 'whole' | 'damaged' | 'absent' {
  const digits = digitsAt(tail);
  if (digits < 0) return 'absent';
  const found = tail.toString('latin1', digits, digits + NO_DIGITS.length);
  return found === sealOf(tail, digits) ? 'whole' : 'damaged';
}

/** Whether the bytes are those of the part. */
export function isWhole(bytes: Uint8Array, [length, crc]: Part): boolean {
  return bytes.byteLength === length && crc32(bytes) === crc;
}

/** Position of the seal's digits, -1 if there is no seal. */
function digitsAt(tail: Buffer): number {
  const start = tail.indexOf(SEAL_START);
  return start < 0 ? -1 : start + SEAL_START.length;
}

function sealOf(tail: Buffer, digits: number): string {
  const before = crc32(NO_DIGITS, crc32(tail.subarray(0, digits)));
  const whole = crc32(tail.subarray(digits + NO_DIGITS.length), before);
  return whole.toString(16).padStart(NO_DIGITS.length, '0');
}
