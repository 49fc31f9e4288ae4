import { viewOf } from './word-scan.js';

/** What a view of bytes shows while there are none. */
const NOTHING: Uint8Array = new Uint8Array(0);

/** More than the symbols of a kernel and its modules have: lines of a mebibyte each must not fill the memory. */
const MAX_POOL_BYTES = 1 << 24;

/**
 * Numbers for the texts of call sites and event names, in order of first appearance, looked up straight from the
 * bytes of a line: a text becomes a string once. Bounded: beyond `limit` different texts, or MAX_POOL_BYTES of them,
 * the answer is -1.
 */
export class ByteNames {
  readonly names: string[] = [];
  /** All texts, one behind the other: those of small arrays of their own would be all over the memory. */
  private pool = new Uint8Array(64 * 1024);
  /** The pool four bytes at a time. */
  private words = viewOf(this.pool);
  /** Where the text of each number begins in the pool; that of the next number, where it ends. */
  private starts = new Uint32Array(1024);
  private table = new Int32Array(1024).fill(-1);
  /** The bytes of the last look-up four at a time: many lines lie in the same array. */
  private line = viewOf(NOTHING);
  private lineBytes: Uint8Array = NOTHING;

  constructor(private readonly limit = 1 << 20) {}

  /** Number of the text in bytes[start, end). */
  idOf(bytes: Uint8Array, start: number, end: number): number {
    if (bytes !== this.lineBytes) this.look(bytes);
    const { table } = this;
    const mask = table.length - 1;
    let bucket = hashOf(this.line, start, end) & mask;
    for (let id = table[bucket]!; id >= 0; id = table[bucket]!) {
      if (this.isText(id, start, end)) return id;
      bucket = (bucket + 1) & mask;
    }
    const room = this.starts[this.names.length]! + end - start <= MAX_POOL_BYTES;
    return room && this.names.length < this.limit ? this.add(bytes, start, end, bucket) : -1;
  }

  private look(bytes: Uint8Array): void {
    this.lineBytes = bytes;
    this.line = viewOf(bytes);
  }

  private isText(id: number, start: number, end: number): boolean {
    const { words, line } = this;
    const first = this.starts[id]!;
    if (this.starts[id + 1]! - first !== end - start) return false;
    let at = start;
    let own = first;
    for (; end - at >= 4; at += 4, own += 4) if (line.getUint32(at) !== words.getUint32(own)) return false;
    for (; at < end; at++, own++) if (line.getUint8(at) !== words.getUint8(own)) return false;
    return true;
  }

  private add(bytes: Uint8Array, start: number, end: number, bucket: number): number {
    const text = bytes.subarray(start, end);
    const id = this.names.push(Buffer.from(text).toString('utf8')) - 1;
    const own = this.starts[id]!;
    while (own + text.length > this.pool.length) this.pool = doubled(this.pool, Uint8Array);
    if (id + 1 === this.starts.length) this.starts = doubled(this.starts, Uint32Array);
    this.pool.set(text, own);
    this.words = viewOf(this.pool);
    this.starts[id + 1] = own + text.length;
    this.table[bucket] = id;
    if (this.names.length * 2 > this.table.length) this.rehash();
    return id;
  }

  private rehash(): void {
    const mask = this.table.length * 2 - 1;
    this.table = new Int32Array(mask + 1).fill(-1);
    for (let id = 0; id < this.names.length; id++) {
      let bucket = hashOf(this.words, this.starts[id]!, this.starts[id + 1]!) & mask;
      while (this.table[bucket]! >= 0) bucket = (bucket + 1) & mask;
      this.table[bucket] = id;
    }
  }
}

function doubled<T extends Uint8Array | Uint32Array>(column: T, Column: new (length: number) => T): T {
  const larger = new Column(column.length * 2);
  larger.set(column);
  return larger;
}

const HASHED_BYTES = 12;

/** Of the length and the last bytes, four at a time: symbols differ most in their offsets, which stand at the end. */
function hashOf(view: DataView, start: number, end: number): number {
  const first = Math.max(start, end - HASHED_BYTES);
  let hash = 0x811c9dc5 ^ (end - start);
  let at = end;
  for (; at - first >= 4; at -= 4) hash = mixed(hash ^ view.getInt32(at - 4));
  for (; at > first; at--) hash = mixed(hash ^ view.getUint8(at - 1));
  return hash;
}

function mixed(value: number): number {
  const hash = Math.imul(value, 0x9e3779b1);
  return hash ^ (hash >>> 15);
}
