import type { Address } from '../../core/address.js';
import type { Bytes } from '../../core/units.js';
import { type EntryIndex, EntryTree, HEAD, NIL } from '../entry-map/entry-tree.js';
import { LengthIndex } from '../length-index.js';

/**
 * An entry tree whose gaps are also indexed by (length, start): `findGap` and `nextGap` answer in that order instead of
 * the order of addresses. An entry stands in the index, under its own row, while the gap behind it is not empty.
 */
export class SizedEntryTree extends EntryTree {
  private readonly gaps = new LengthIndex();

  constructor(base: Address, limit: Address) {
    super(base, limit);
    this.enter(HEAD);
  }

  /** The entry with the smallest gap of at least `size` bytes, of several the lowest; NIL if there is none. */
  override findGap(size: Bytes): EntryIndex {
    const { gaps } = this;
    const stepsBefore = gaps.steps;
    const found = gaps.atLeast(size);
    this.steps += gaps.steps - stepsBefore;
    return found;
  }

  /** The entry whose gap is the next in the order of (length, start); NIL after the last. */
  override nextGap(entry: EntryIndex): EntryIndex {
    this.steps++;
    return this.gaps.after(entry);
  }

  override insertAfter(before: EntryIndex, start: Address, end: Address): EntryIndex {
    this.withdraw(before);
    const node = super.insertAfter(before, start, end);
    this.enter(before);
    this.enter(node);
    return node;
  }

  override remove(node: EntryIndex): void {
    const before = this.previous[node]!;
    this.withdraw(node);
    this.withdraw(before);
    super.remove(node);
    this.enter(before);
  }

  override moveStart(node: EntryIndex, start: Address): void {
    const before = this.previous[node]!;
    this.withdraw(before);
    super.moveStart(node, start);
    this.enter(before);
  }

  override moveEnd(node: EntryIndex, end: Address): void {
    this.withdraw(node);
    super.moveEnd(node, end);
    this.enter(node);
  }

  override contradiction(): string {
    const problem = super.contradiction() || this.gaps.contradiction();
    if (problem !== '') return problem;
    let indexed = 0;
    for (let node = HEAD; node !== NIL; node = this.next[node]!) {
      const isIndexed = this.gaps.has(node);
      if (isIndexed !== this.gap[node]! > 0)
        return `the gap of entry ${node} is wrongly in or out of the index`;
      if (!isIndexed) continue;
      indexed++;
      const isTrue = this.gaps.length[node] === this.gap[node] && this.gaps.start[node] === this.end[node];
      if (!isTrue) return `the gap of entry ${node} has a wrong key`;
    }
    return indexed === this.gaps.size ? '' : `${this.gaps.size} gaps in the index, ${indexed} in the list`;
  }

  private enter(node: EntryIndex): void {
    if (this.gap[node]! > 0) this.gaps.insert(node, this.gap[node]!, this.end[node]!);
  }

  private withdraw(node: EntryIndex): void {
    if (this.gap[node]! > 0) this.gaps.remove(node);
  }
}
