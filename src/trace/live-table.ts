/**
 * The live objects of one name space: object number by key (an address, a page frame, a process id). Open addressing
 * with linear probing in typed arrays; a removal closes its gap, so the table does not age.
 * Not: Map, which boxes every key above 2^31 and so makes garbage for each event.
 */
export class LiveTable {
  private keys = new Float64Array(1024);
  /** Object number, -1 where the bucket is empty. */
  private objects = new Int32Array(1024).fill(-1);
  private mask = 1023;
  private count = 0;

  /** Object of a key (an integer from 0 to 2^53), -1 if there is none. */
  get(key: number): number {
    return this.objects[this.find(key)]!;
  }

  /** Sets the object of a key. */
  set(key: number, object: number): void {
    const bucket = this.find(key);
    if (this.objects[bucket]! < 0 && ++this.count * 2 > this.mask) {
      this.grow();
      this.set(key, object);
      return;
    }
    this.keys[bucket] = key;
    this.objects[bucket] = object;
  }

  /** Forgets a key; returns its object, -1 if there was none. */
  remove(key: number): number {
    const { keys, objects, mask } = this;
    let hole = this.find(key);
    const object = objects[hole]!;
    if (object < 0) return -1;
    this.count--;
    for (let next = (hole + 1) & mask; objects[next]! >= 0; next = (next + 1) & mask) {
      const home = hashOf(keys[next]!) & mask;
      if (((next - home) & mask) < ((next - hole) & mask)) continue;
      keys[hole] = keys[next]!;
      objects[hole] = objects[next]!;
      hole = next;
    }
    objects[hole] = -1;
    return object;
  }

  private find(key: number): number {
    const { keys, objects, mask } = this;
    let bucket = hashOf(key) & mask;
    while (objects[bucket]! >= 0 && keys[bucket] !== key) bucket = (bucket + 1) & mask;
    return bucket;
  }

  private grow(): void {
    const { keys, objects } = this;
    this.keys = new Float64Array(keys.length * 2);
    this.objects = new Int32Array(keys.length * 2).fill(-1);
    this.mask = keys.length * 2 - 1;
    this.count = 0;
    for (let bucket = 0; bucket < objects.length; bucket++) {
      if (objects[bucket]! >= 0) this.set(keys[bucket]!, objects[bucket]!);
    }
  }
}

function hashOf(key: number): number {
  const high = Math.floor(key / 2 ** 32);
  let hash = Math.imul((key - high * 2 ** 32) | 0, 0x9e3779b1) ^ Math.imul(high, 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return hash ^ (hash >>> 13);
}
