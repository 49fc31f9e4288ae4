import type { ItemSupply } from './supplies.js';

/** No group; also stands for the kernel's dummy group, which is empty and full at once. */
export const NO_GROUP = -1;

/** Group numbers, last in first out. */
export class GroupStack {
  count = 0;
  private stack = new Int32Array(16);

  push(group: number): void {
    if (this.count === this.stack.length) {
      const stack = new Int32Array(this.count * 2);
      stack.set(this.stack);
      this.stack = stack;
    }
    this.stack[this.count++] = group;
  }

  /** Takes the top, or NO_GROUP. */
  pop(): number {
    return this.count === 0 ? NO_GROUP : this.stack[--this.count]!;
  }
}

/** All groups of one cache: group g has the places [g × capacity, (g + 1) × capacity) of `objects`. */
export class CacheGroups {
  /** Groups in existence. */
  count = 0;
  objects: Float64Array;
  readonly capacity: number;
  private readonly supply: ItemSupply;
  private readonly unused = new GroupStack();
  private rows = 0;

  constructor(capacity: number, supply: ItemSupply) {
    this.capacity = capacity;
    this.supply = supply;
    this.objects = new Float64Array(capacity * 16);
  }

  /** An empty group, or NO_GROUP when there is no memory for it. */
  create(): number {
    if (!this.supply.take()) return NO_GROUP;
    this.count++;
    const group = this.unused.pop();
    if (group !== NO_GROUP) return group;
    if (this.rows * this.capacity === this.objects.length) {
      const objects = new Float64Array(this.objects.length * 2);
      objects.set(this.objects);
      this.objects = objects;
    }
    return this.rows++;
  }

  destroy(group: number): void {
    this.count--;
    this.unused.push(group);
    this.supply.give();
  }
}
