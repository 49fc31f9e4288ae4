/**
 * Numbers for the texts of call sites and event names, in order of first appearance, looked up straight from the
 * bytes of a line: a text becomes a string once. Bounded: beyond `limit` different texts the answer is -1.
 */
export class ByteNames {
  readonly names: string[] = [];
  private readonly bytes: Uint8Array[] = [];
  private table = new Int32Array(1024).fill(-1);

  constructor(private readonly limit = 1 << 20) {}

  /** Number of the text in bytes[start, end). */
  idOf(bytes: Uint8Array, start: number, end: number): number {
    const mask = this.table.length - 1;
    let bucket = hashOf(bytes, start, end) & mask;
    for (let id = this.table[bucket]!; id >= 0; id = this.table[bucket]!) {
      if (sameBytes(this.bytes[id]!, bytes, start, end)) return id;
      bucket = (bucket + 1) & mask;
    }
    return this.names.length < this.limit ? this.add(bytes, start, end, bucket) : -1;
  }

  private add(bytes: Uint8Array, start: number, end: number, bucket: number): number {
    const text = bytes.slice(start, end);
    const id = this.bytes.push(text) - 1;
    this.names.push(Buffer.from(text.buffer, text.byteOffset, text.length).toString('utf8'));
    this.table[bucket] = id;
    if (this.bytes.length * 2 > this.table.length) this.rehash();
    return id;
  }

  private rehash(): void {
    this.table = new Int32Array(this.table.length * 2).fill(-1);
    const mask = this.table.length - 1;
    this.bytes.forEach((text, id) => {
      let bucket = hashOf(text, 0, text.length) & mask;
      while (this.table[bucket]! >= 0) bucket = (bucket + 1) & mask;
      this.table[bucket] = id;
    });
  }
}

const HASHED_BYTES = 12;

/** Of the length and the last bytes, four at a time: symbols differ most in their offsets, which stand at the end. */
function hashOf(bytes: Uint8Array, start: number, end: number): number {
  const first = Math.max(start, end - HASHED_BYTES);
  let hash = 0x811c9dc5 ^ (end - start);
  let at = end;
  for (; at - first >= 4; at -= 4) {
    const word = bytes[at - 4]! | (bytes[at - 3]! << 8) | (bytes[at - 2]! << 16) | (bytes[at - 1]! << 24);
    hash = mixed(hash ^ word);
  }
  for (; at > first; at--) hash = mixed(hash ^ bytes[at - 1]!);
  return hash;
}

function mixed(value: number): number {
  const hash = Math.imul(value, 0x9e3779b1);
  return hash ^ (hash >>> 15);
}

function sameBytes(text: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  if (text.length !== end - start) return false;
  for (let at = 0; at < text.length; at++) if (text[at] !== bytes[start + at]) return false;
  return true;
}
