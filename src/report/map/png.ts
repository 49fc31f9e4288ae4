import { crc32 } from 'node:zlib';

/** A colour of a palette: red, green, blue and opacity, 0 to 255 each. */
export type PaletteColour = readonly [red: number, green: number, blue: number, opacity: number];

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const LONGEST_RUN = 258;

/** First length and extra bits of the symbols 257 up for the lengths of runs (RFC 1951, 3.2.5). */
const LENGTHS: readonly (readonly [base: number, extra: number])[] = [
  ...Array.from({ length: 8 }, (_, index) => [3 + index, 0] as const),
  ...Array.from({ length: 20 }, (_, index) => {
    const extra = 1 + (index >> 2);
    return [3 + 2 ** (extra + 2) + (index & 3) * 2 ** extra, extra] as const;
  }),
  [258, 0],
];

/**
 * A picture with a palette as a PNG file. Not: a compressor of the platform's, whose bytes differ between processors.
 * Lines of a map have long runs of one colour, so runs with fixed codes are nearly as small.
 */
export function palettePng(
  width: number,
  height: number,
  pixels: Uint8Array,
  palette: readonly PaletteColour[],
): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 3, 0, 0, 0], 8);
  // Each line has its filter in front: 0, none.
  const lines = new Uint8Array(height * (width + 1));
  for (let y = 0; y < height; y++)
    lines.set(pixels.subarray(y * width, (y + 1) * width), y * (width + 1) + 1);
  return Buffer.concat([
    SIGNATURE,
    chunk('IHDR', header),
    chunk('PLTE', Buffer.from(palette.flatMap((colour) => colour.slice(0, 3)))),
    chunk('tRNS', Buffer.from(palette.map(([, , , opacity]) => opacity))),
    chunk('IDAT', zlibStream(lines)),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const frame = Buffer.alloc(8);
  frame.writeUInt32BE(data.length, 0);
  frame.writeUInt32BE(crc32(body), 4);
  return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)]);
}

/** One block with fixed codes in the envelope of RFC 1950. */
function zlibStream(bytes: Uint8Array): Buffer {
  const writer = new BitWriter();
  writer.bits(3, 3);
  for (let at = 0; at < bytes.length; ) {
    writer.literal(bytes[at]!);
    let run = 0;
    while (run < LONGEST_RUN && bytes[at + 1 + run] === bytes[at]) run++;
    if (run >= 3) writer.run(run);
    at += run >= 3 ? run + 1 : 1;
  }
  writer.literal(256);
  const trailer = Buffer.alloc(4);
  trailer.writeUInt32BE(adler32(bytes));
  return Buffer.concat([Buffer.from([0x78, 0x01]), writer.done(), trailer]);
}

function adler32(bytes: Uint8Array): number {
  let low = 1;
  let high = 0;
  for (const byte of bytes) {
    low = (low + byte) % 65_521;
    high = (high + low) % 65_521;
  }
  return high * 65_536 + low;
}

/** Bits from the lowest of each byte up; codes begin with their highest bit (RFC 1951, 3.1.1). */
class BitWriter {
  private readonly bytes: number[] = [];
  private held = 0;
  private count = 0;

  bits(value: number, width: number): void {
    this.held |= value << this.count;
    this.count += width;
    while (this.count >= 8) {
      this.bytes.push(this.held & 255);
      this.held >>>= 8;
      this.count -= 8;
    }
  }

  /** A byte, the end (256), or the symbol of a length, in the fixed code. */
  literal(symbol: number): void {
    if (symbol < 144) this.code(0x30 + symbol, 8);
    else if (symbol < 256) this.code(0x190 + symbol - 144, 9);
    else if (symbol < 280) this.code(symbol - 256, 7);
    else this.code(0xc0 + symbol - 280, 8);
  }

  /** Repeats the last byte. */
  run(length: number): void {
    const symbol = LENGTHS.findLastIndex(([base]) => base <= length);
    const [base, extra] = LENGTHS[symbol]!;
    this.literal(257 + symbol);
    this.bits(length - base, extra);
    this.code(0, 5);
  }

  done(): Buffer {
    this.bits(0, 7);
    return Buffer.from(this.bytes);
  }

  private code(value: number, width: number): void {
    for (let bit = width - 1; bit >= 0; bit--) this.bits((value >> bit) & 1, 1);
  }
}
