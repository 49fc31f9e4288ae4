import { doubled, INITIAL_CAPACITY } from '../avl-tree.js';
import { ChunkWords } from './chunk-words.js';

/** Number of a quantum of the range, from 0 up. */
export type QuantumIndex = number;

/** Number of an inner node, from 1 up. */
type NodeIndex = number;

/** A place of a node for one child: node · FANOUT + number of the child. */
type Entry = number;

const FANOUT = 8;

/** The summary of the whole tree stands where no node is. */
const TOP: Entry = 0;
const ROOT: NodeIndex = 1;

/**
 * A bitmap of the quanta of a range under a radix tree of summaries: of each subtree its free quanta at the start, in
 * the longest free run, and at the end. So the lowest free run of a length is found by one descent. Subtrees that are all
 * free or all allocated have no nodes and no chunks, only a summary; so a range of any size costs what is in use at its
 * edges. Quanta behind the end of the range are allocated. Nothing is allocated but when the columns double.
 *
 * Positions can be beyond 2^31: they go through fields, since V8 would box them on the way through the recursion.
 */
export class SummaryTree {
  nodes = 0;
  /** Summaries and words looked at since the tree was made. */
  private visits = 0;
  private readonly chunks: ChunkWords;
  private prefix: Float64Array = new Float64Array(INITIAL_CAPACITY);
  private longest: Float64Array = new Float64Array(INITIAL_CAPACITY);
  private suffix: Float64Array = new Float64Array(INITIAL_CAPACITY);
  /** A node, at level 1 a chunk; 0 while the subtree is all free or all allocated. */
  private child: Int32Array = new Int32Array(INITIAL_CAPACITY);
  private spare: NodeIndex = 0;
  private rows: NodeIndex = ROOT;
  private readonly rootLevel: number;
  /** Quanta below one entry of a node, by level. */
  private readonly spans: readonly number[];
  /** First quantum of the node that is being looked at, by level. */
  private readonly starts: Float64Array;
  /** The argument of a search, or the range to be marked. */
  private from: QuantumIndex = 0;
  private to: QuantumIndex = 0;
  private need = 0;
  private run = 0;
  private isAllocating = false;
  private found: QuantumIndex = 0;

  /** A tree over `quanta` free quanta, with chunks of `wordsPerChunk` words of 32 bits. */
  constructor(
    private readonly quanta: number,
    wordsPerChunk: number,
  ) {
    this.chunks = new ChunkWords(wordsPerChunk);
    const spans = [0, this.chunks.bits];
    while (spans.at(-1)! * FANOUT < quanta) spans.push(spans.at(-1)! * FANOUT);
    this.spans = spans;
    this.rootLevel = spans.length - 1;
    this.starts = new Float64Array(spans.length);
    this.takeNode();
    this.child[TOP] = ROOT;
    this.mark(0, quanta, false);
  }

  get steps(): number {
    return this.visits + this.chunks.steps;
  }

  get chunkCount(): number {
    return this.chunks.count;
  }

  /** Quanta of the longest free run. */
  get longestFree(): number {
    return this.longest[TOP]!;
  }

  /** The first quantum from `from` on at which `need` free ones begin; -1 if there is none. */
  seek(from: QuantumIndex, need: number): QuantumIndex {
    this.visits++;
    if (this.longest[TOP]! < need) return -1;
    this.from = from;
    this.need = need;
    this.run = 0;
    this.starts[this.rootLevel] = 0;
    return this.seekBelow(ROOT, this.rootLevel) ? this.found : -1;
  }

  /** The first allocated quantum from `from` on; the number of quanta if there is none. */
  nextAllocated(from: QuantumIndex): QuantumIndex {
    this.from = from;
    this.starts[this.rootLevel] = 0;
    if (from >= this.quanta || !this.findAllocated(ROOT, this.rootLevel)) return this.quanta;
    return Math.min(this.found, this.quanta);
  }

  /** The quantum behind the last allocated one below `before`; 0 if there is none. */
  previousAllocatedEnd(before: QuantumIndex): QuantumIndex {
    this.from = before;
    this.starts[this.rootLevel] = 0;
    return before > 0 && this.findAllocatedBefore(ROOT, this.rootLevel) ? this.found : 0;
  }

  /** Marks the quanta [from, to), which are not empty, as allocated or as free. */
  mark(from: QuantumIndex, to: QuantumIndex, isAllocated: boolean): void {
    this.from = from;
    this.to = to;
    this.isAllocating = isAllocated;
    this.starts[this.rootLevel] = 0;
    if (this.markBelow(ROOT, this.rootLevel)) this.summarise(TOP, this.rootLevel);
  }

  /** Compares each summary with what is below it, and the counts; answers what is wrong, or '' if nothing is. */
  contradiction(): string {
    const { visits } = this;
    const counted = { nodes: 0, chunks: 0 };
    const problem = this.contradictionBelow(TOP, this.rootLevel, counted);
    this.visits = visits;
    if (problem !== '') return problem;
    const isWider = this.spans[this.rootLevel]! * FANOUT > this.quanta;
    if (isWider && this.suffix[TOP] !== 0) return 'quanta behind the end of the range are free';
    if (counted.nodes !== this.nodes) return `${counted.nodes} nodes in the tree, ${this.nodes} counted`;
    if (counted.chunks !== this.chunks.count)
      return `${counted.chunks} chunks in the tree, ${this.chunks.count} counted`;
    return '';
  }

  private seekBelow(node: NodeIndex, level: number): boolean {
    const span = this.spans[level]!;
    const start = this.starts[level]!;
    for (let index = this.firstChild(start, span); index < FANOUT; index++) {
      this.visits++;
      const entry = node * FANOUT + index;
      const low = start + index * span;
      const isCut = this.from > low;
      const prefix = this.prefix[entry]!;
      if (!isCut && this.run + prefix >= this.need) {
        this.found = low - this.run;
        return true;
      }
      if (this.longest[entry]! >= this.need && this.child[entry] !== 0) {
        if (this.seekChild(entry, low, level)) return true;
        continue;
      }
      const room = isCut ? low + span - this.from : span;
      if (prefix < span) this.run = Math.min(this.suffix[entry]!, room);
      else this.run += room;
      if (this.run >= this.need) {
        this.found = low + span - this.run;
        return true;
      }
    }
    return false;
  }

  /** `run` is then the free quanta at the end of the child: what is free before it cannot be long enough. */
  private seekChild(entry: Entry, low: QuantumIndex, level: number): boolean {
    const below = this.child[entry]!;
    this.run = 0;
    if (level > 1) {
      this.starts[level - 1] = low;
      return this.seekBelow(below, level - 1);
    }
    const bit = this.chunks.seek(below, Math.max(0, this.from - low), this.need);
    this.run = this.chunks.run;
    this.found = low + bit;
    return bit >= 0;
  }

  private findAllocated(node: NodeIndex, level: number): boolean {
    const span = this.spans[level]!;
    const start = this.starts[level]!;
    for (let index = this.firstChild(start, span); index < FANOUT; index++) {
      this.visits++;
      const entry = node * FANOUT + index;
      const low = start + index * span;
      const prefix = this.prefix[entry]!;
      if (prefix === span) continue;
      if (this.from <= low || this.from < low + prefix || this.longest[entry] === 0) {
        this.found = Math.max(this.from, low + prefix);
        return true;
      }
      if (this.findAllocatedIn(entry, low, level)) return true;
    }
    return false;
  }

  private findAllocatedIn(entry: Entry, low: QuantumIndex, level: number): boolean {
    const below = this.child[entry]!;
    if (level > 1) {
      this.starts[level - 1] = low;
      return this.findAllocated(below, level - 1);
    }
    const bit = this.chunks.nextAllocated(below, this.from - low);
    this.found = low + bit;
    return bit < this.chunks.bits;
  }

  private findAllocatedBefore(node: NodeIndex, level: number): boolean {
    const span = this.spans[level]!;
    const start = this.starts[level]!;
    const last = Math.min(FANOUT - 1, Math.floor((this.from - 1 - start) / span));
    for (let index = last; index >= 0; index--) {
      this.visits++;
      const entry = node * FANOUT + index;
      const low = start + index * span;
      const end = low + span - this.suffix[entry]!;
      if (end === low) continue;
      if (this.from >= end || this.longest[entry] === 0) {
        this.found = Math.min(this.from, end);
        return true;
      }
      if (this.findAllocatedBeforeIn(entry, low, level)) return true;
    }
    return false;
  }

  private findAllocatedBeforeIn(entry: Entry, low: QuantumIndex, level: number): boolean {
    const below = this.child[entry]!;
    if (level > 1) {
      this.starts[level - 1] = low;
      return this.findAllocatedBefore(below, level - 1);
    }
    const bit = this.chunks.previousAllocatedEnd(below, Math.min(this.chunks.bits, this.from - low));
    this.found = low + bit;
    return bit > 0;
  }

  private firstChild(start: QuantumIndex, span: number): number {
    return this.from <= start ? 0 : Math.floor((this.from - start) / span);
  }

  /** Returns whether any summary in the node has changed: if none has, those above are still right. */
  private markBelow(node: NodeIndex, level: number): boolean {
    let isChanged = false;
    const span = this.spans[level]!;
    const start = this.starts[level]!;
    const last = Math.min(FANOUT - 1, Math.floor((this.to - 1 - start) / span));
    for (let index = this.firstChild(start, span); index <= last; index++) {
      const entry = node * FANOUT + index;
      const low = start + index * span;
      if (this.from <= low && low + span <= this.to) {
        this.markAll(entry, level);
        isChanged = true;
      } else if (this.markPart(entry, low, level) && this.summarise(entry, level - 1)) isChanged = true;
    }
    return isChanged;
  }

  private markAll(entry: Entry, level: number): void {
    this.dropBelow(entry, level - 1);
    const free = this.isAllocating ? 0 : this.spans[level]!;
    this.prefix[entry] = free;
    this.longest[entry] = free;
    this.suffix[entry] = free;
  }

  /** Returns whether the summary of the entry must be renewed. */
  private markPart(entry: Entry, low: QuantumIndex, level: number): boolean {
    const isNew = this.child[entry] === 0;
    if (isNew) this.growBelow(entry, level - 1);
    const below = this.child[entry]!;
    if (level > 1) {
      this.starts[level - 1] = low;
      return this.markBelow(below, level - 1) || isNew;
    }
    const { chunks } = this;
    const to = Math.min(chunks.bits, this.to - low);
    chunks.mark(below, Math.max(0, this.from - low), to, this.isAllocating);
    return true;
  }

  /** Gives an entry that is all free or all allocated a node of `level`, or a chunk at level 0, that says the same. */
  private growBelow(entry: Entry, level: number): void {
    const isAllocated = this.longest[entry] === 0;
    if (level === 0) {
      this.child[entry] = this.chunks.create(isAllocated);
      return;
    }
    const node = this.takeNode();
    this.child[entry] = node;
    const free = isAllocated ? 0 : this.spans[level]!;
    const first = node * FANOUT;
    this.prefix.fill(free, first, first + FANOUT);
    this.longest.fill(free, first, first + FANOUT);
    this.suffix.fill(free, first, first + FANOUT);
  }

  /**
   * Renews the summary of an entry from the node of `level` below it, or the chunk; drops what has become uniform.
   * Returns whether it has changed.
   */
  private summarise(entry: Entry, level: number): boolean {
    const oldPrefix = this.prefix[entry]!;
    const oldLongest = this.longest[entry]!;
    const oldSuffix = this.suffix[entry]!;
    if (level === 0) {
      this.chunks.summarise(this.child[entry]!);
      this.prefix[entry] = this.chunks.prefix;
      this.longest[entry] = this.chunks.longest;
      this.suffix[entry] = this.chunks.suffix;
    } else this.summariseNode(entry, this.child[entry]!, this.spans[level]!);
    const longest = this.longest[entry]!;
    const isUniform = longest === 0 || longest === this.spans[level + 1];
    if (isUniform && entry !== TOP) this.dropBelow(entry, level);
    return longest !== oldLongest || this.prefix[entry] !== oldPrefix || this.suffix[entry] !== oldSuffix;
  }

  private summariseNode(into: Entry, node: NodeIndex, span: number): void {
    const { prefix, longest, suffix } = this;
    const first = node * FANOUT;
    let longestRun = 0;
    let run = 0;
    let before = -1;
    for (let entry = first; entry < first + FANOUT; entry++) {
      if (prefix[entry] === span) {
        run += span;
        continue;
      }
      run += prefix[entry]!;
      if (before < 0) before = run;
      longestRun = Math.max(longestRun, run, longest[entry]!);
      run = suffix[entry]!;
    }
    prefix[into] = before < 0 ? run : before;
    longest[into] = Math.max(longestRun, run);
    suffix[into] = run;
  }

  /** What is wrong with an entry and all below it, a node of `level` or a chunk; adds them to `counted`. */
  private contradictionBelow(
    entry: Entry,
    level: number,
    counted: { nodes: number; chunks: number },
  ): string {
    const below = this.child[entry]!;
    const kept = [this.prefix[entry]!, this.longest[entry]!, this.suffix[entry]!];
    if (below === 0) {
      const isUniform = kept.every((free) => free === 0 || free === this.spans[level + 1]);
      return isUniform && new Set(kept).size === 1 ? '' : `entry ${entry} has nothing below it but is mixed`;
    }
    if (level === 0) counted.chunks++;
    else counted.nodes++;
    for (let index = 0; level > 0 && index < FANOUT; index++) {
      const problem = this.contradictionBelow(below * FANOUT + index, level - 1, counted);
      if (problem !== '') return problem;
    }
    this.summarise(entry, level);
    const isSame = kept.join() === [this.prefix[entry], this.longest[entry], this.suffix[entry]].join();
    return isSame && this.child[entry] === below ? '' : `the summary of entry ${entry} is wrong`;
  }

  /** Gives back all nodes and chunks below an entry. */
  private dropBelow(entry: Entry, level: number): void {
    const below = this.child[entry]!;
    if (below === 0) return;
    this.child[entry] = 0;
    if (level === 0) {
      this.chunks.release(below);
      return;
    }
    for (let index = 0; index < FANOUT; index++) this.dropBelow(below * FANOUT + index, level - 1);
    this.child[below * FANOUT] = this.spare;
    this.spare = below;
    this.nodes--;
  }

  /** A node without children; its summaries are those of a node that is all allocated, or old. */
  private takeNode(): NodeIndex {
    this.nodes++;
    const node = this.spare;
    if (node !== 0) {
      this.spare = this.child[node * FANOUT]!;
      this.child[node * FANOUT] = 0;
      return node;
    }
    if ((this.rows + 1) * FANOUT > this.child.length) this.grow();
    return this.rows++;
  }

  private grow(): void {
    this.prefix = doubled(this.prefix, Float64Array);
    this.longest = doubled(this.longest, Float64Array);
    this.suffix = doubled(this.suffix, Float64Array);
    this.child = doubled(this.child, Int32Array);
  }
}
