/** Stands where a bucket has no key. */
const EMPTY = -1;

/**
 * The live objects of one name space: object number by key (an address, a page frame, a process id). Open addressing
 * with linear probing in one typed array, key and object side by side, so that a look-up costs one cache miss; a
 * removal closes its gap, so the table does not age.
 * Not: Map, which boxes every key above 2^31 and so makes garbage for each event.
 */
export class LiveTable {
  /** Key of bucket b at 2b, its object at 2b + 1. */
  private cells = new Float64Array(2048).fill(EMPTY);
  private mask = 1023;
  private count = 0;

  /** Object of a key (an integer from 0 to 2^53), -1 if there is none. */
  get(key: number): number {
    const at = this.find(key);
    return this.cells[at] === key ? this.cells[at + 1]! : -1;
  }

  /** Sets the object of a key. */
  set(key: number, object: number): void {
    const at = this.find(key);
    if (this.cells[at] === EMPTY) this.fill(at, key, object);
    else this.cells[at + 1] = object;
  }

  /** Sets the object of a key unless it has one, which is then returned; -1 if it had none. */
  add(key: number, object: number): number {
    const at = this.find(key);
    if (this.cells[at] !== EMPTY) return this.cells[at + 1]!;
    this.fill(at, key, object);
    return -1;
  }

  /** Forgets a key; returns its object, -1 if there was none. */
  remove(key: number): number {
    const { cells, mask } = this;
    const at = this.find(key);
    if (cells[at] === EMPTY) return -1;
    const object = cells[at + 1]!;
    this.count--;
    let hole = at >> 1;
    for (let next = (hole + 1) & mask; cells[2 * next] !== EMPTY; next = (next + 1) & mask) {
      const home = hashOf(cells[2 * next]!) & mask;
      if (((next - home) & mask) < ((next - hole) & mask)) continue;
      cells[2 * hole] = cells[2 * next]!;
      cells[2 * hole + 1] = cells[2 * next + 1]!;
      hole = next;
    }
    cells[2 * hole] = EMPTY;
    return object;
  }

  /** All keys and what they stand for, in no order that means anything. */
  entries(): [key: number, object: number][] {
    const { cells } = this;
    const found: [number, number][] = [];
    for (let at = 0; at < cells.length; at += 2) {
      if (cells[at] !== EMPTY) found.push([cells[at]!, cells[at + 1]!]);
    }
    return found;
  }

  /** Position in `cells` of the key, or of the empty bucket where it belongs. */
  private find(key: number): number {
    const { cells, mask } = this;
    let bucket = hashOf(key) & mask;
    for (let found = cells[2 * bucket]; found !== key && found !== EMPTY; found = cells[2 * bucket]) {
      bucket = (bucket + 1) & mask;
    }
    return 2 * bucket;
  }

  private fill(at: number, key: number, object: number): void {
    this.cells[at] = key;
    this.cells[at + 1] = object;
    if (++this.count * 2 > this.mask) this.grow();
  }

  private grow(): void {
    const old = this.cells;
    this.cells = new Float64Array(old.length * 2).fill(EMPTY);
    this.mask = old.length - 1;
    this.count = 0;
    for (let at = 0; at < old.length; at += 2) {
      if (old[at] !== EMPTY) this.set(old[at]!, old[at + 1]!);
    }
  }
}

function hashOf(key: number): number {
  // The halves of 32 bits: bit operations cut a number off at them.
  const high = (key / 2 ** 32) | 0;
  let hash = Math.imul(key | 0, 0x9e3779b1) ^ Math.imul(high, 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return hash ^ (hash >>> 13);
}
