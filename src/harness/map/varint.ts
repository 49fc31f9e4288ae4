import { InputError } from '../../core/errors.js';

/** Integers as bytes of seven bits, the lowest first; the eighth says that more follow. Exact up to 2^53. */
export class VarintWriter {
  private readonly bytes: number[] = [];

  /** A number from 0 to 2^53. */
  unsigned(value: number): void {
    let rest = value;
    while (rest >= 128) {
      this.bytes.push((rest % 128) + 128);
      rest = Math.floor(rest / 128);
    }
    this.bytes.push(rest);
  }

  /** A number from −2^52 to 2^52: its sign in the lowest bit. */
  signed(value: number): void {
    this.unsigned(value < 0 ? -2 * value - 1 : 2 * value);
  }

  base64(): string {
    return Buffer.from(this.bytes).toString('base64');
  }
}

/** Reads what a VarintWriter wrote. */
export class VarintReader {
  private readonly bytes: Uint8Array;
  private at = 0;

  constructor(base64: string) {
    this.bytes = Buffer.from(base64, 'base64');
  }

  get isAtEnd(): boolean {
    return this.at >= this.bytes.length;
  }

  /** @throws InputError behind the end. */
  unsigned(): number {
    let value = 0;
    for (let unit = 1; ; unit *= 128) {
      const byte = this.bytes[this.at++];
      if (byte === undefined) throw new InputError('the data end too early');
      value += (byte & 127) * unit;
      if (byte < 128) return value;
    }
  }

  /** @throws InputError behind the end. */
  signed(): number {
    const value = this.unsigned();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }
}
