/** An object whose numbers and typed arrays are the state of something. */
type Owner = Record<string, unknown>;
type Column = Int32Array | Float64Array | Uint8Array;

/**
 * The numbers and typed arrays of an object and of all that it refers to, to be put back later. References must be the
 * same then, but for typed arrays that have grown meanwhile: what a model of an allocator keeps to.
 */
export class Checkpoint {
  private readonly owners: Owner[] = [];
  private readonly keys: string[] = [];
  private readonly values: (number | Column)[] = [];
  private readonly seen = new Set<unknown>();

  constructor(root: object) {
    this.visit(root);
    this.seen.clear();
  }

  /** Puts everything back as it was. */
  restore(): void {
    this.values.forEach((value, index) => {
      const owner = this.owners[index]!;
      const key = this.keys[index]!;
      if (typeof value === 'number') owner[key] = value;
      else (owner[key] as Column).set(value);
    });
  }

  private visit(value: unknown): void {
    if (value === null || typeof value !== 'object' || this.seen.has(value)) return;
    this.seen.add(value);
    for (const [key, part] of Object.entries(value)) {
      if (typeof part === 'number') this.add(value as Owner, key, part);
      else if (isColumn(part)) this.addColumn(value as Owner, key, part);
      else this.visit(part);
    }
  }

  /** Several views of one buffer are kept once. */
  private addColumn(owner: Owner, key: string, column: Column): void {
    if (this.seen.has(column.buffer)) return;
    this.seen.add(column.buffer);
    this.add(owner, key, column.slice());
  }

  private add(owner: Owner, key: string, value: number | Column): void {
    this.owners.push(owner);
    this.keys.push(key);
    this.values.push(value);
  }
}

function isColumn(value: unknown): value is Column {
  return value instanceof Int32Array || value instanceof Float64Array || value instanceof Uint8Array;
}
