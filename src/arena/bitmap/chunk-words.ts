import { doubled, INITIAL_CAPACITY } from '../avl-tree.js';

/** Number of a chunk, from 1 up; 0 stands for none. */
export type ChunkIndex = number;

const WORD = 32;

/**
 * The leaves of a SummaryTree: chunks of bitmap words, a bit per quantum, 1 = allocated. Chunks are made and given back
 * one by one. The answers of the last call are in fields, because a returned double would be boxed.
 */
export class ChunkWords {
  /** Chunks in use. */
  count = 0;
  /** Words read since the chunks were made. */
  steps = 0;
  /** What `summarise` found: free bits at the start, in the longest free run, at the end. */
  prefix = 0;
  longest = 0;
  suffix = 0;
  /** Free bits at the end of the chunk, behind where `seek` began. */
  run = 0;
  readonly bits: number;
  private words: Int32Array = new Int32Array(INITIAL_CAPACITY);
  private spare: ChunkIndex = 0;
  private chunks = 1;

  constructor(private readonly wordsPerChunk: number) {
    this.bits = wordsPerChunk * WORD;
  }

  /** A new chunk, all allocated or all free. */
  create(isAllocated: boolean): ChunkIndex {
    const chunk = this.takeChunk();
    const from = chunk * this.wordsPerChunk;
    this.words.fill(isAllocated ? -1 : 0, from, from + this.wordsPerChunk);
    this.count++;
    return chunk;
  }

  release(chunk: ChunkIndex): void {
    this.words[chunk * this.wordsPerChunk] = this.spare;
    this.spare = chunk;
    this.count--;
  }

  /** Sets or clears the bits [from, to). */
  mark(chunk: ChunkIndex, from: number, to: number, isAllocated: boolean): void {
    const base = chunk * this.wordsPerChunk;
    for (let word = from >> 5; word * WORD < to; word++) {
      const mask = maskFrom(from - word * WORD) & ~maskFrom(to - word * WORD);
      if (isAllocated) this.words[base + word]! |= mask;
      else this.words[base + word]! &= ~mask;
    }
  }

  /** Whether a bit is set. */
  isAllocated(chunk: ChunkIndex, bit: number): boolean {
    return ((this.words[chunk * this.wordsPerChunk + (bit >> 5)]! >>> (bit & 31)) & 1) === 1;
  }

  /** Finds the free runs of a chunk, see `prefix`, `longest` and `suffix`. */
  summarise(chunk: ChunkIndex): void {
    const { steps } = this;
    this.longest = 0;
    this.prefix = this.nextAllocated(chunk, 0);
    this.seek(chunk, 0, this.bits + 1);
    this.suffix = this.run;
    this.steps = steps;
  }

  /**
   * The first bit from `from` on at which `need` free bits begin, or -1 if there is none; `run` is then the number of free
   * bits at the end.
   */
  seek(chunk: ChunkIndex, from: number, need: number): number {
    this.run = 0;
    const base = chunk * this.wordsPerChunk;
    for (let word = from >> 5; word < this.wordsPerChunk; word++) {
      this.steps++;
      // What lies before `from` in its word counts as allocated.
      const first = from - word * WORD;
      const bits = first > 0 ? this.words[base + word]! | ~maskFrom(first) : this.words[base + word]!;
      const end = this.seekWord(bits, need);
      if (end >= 0) return word * WORD + end - need;
    }
    return -1;
  }

  /** The first set bit from `from` on; `bits` if there is none. */
  nextAllocated(chunk: ChunkIndex, from: number): number {
    const base = chunk * this.wordsPerChunk;
    for (let word = from >> 5; word < this.wordsPerChunk; word++) {
      this.steps++;
      const bits = this.words[base + word]! & maskFrom(from - word * WORD);
      if (bits !== 0) return word * WORD + lowestBit(bits);
    }
    return this.bits;
  }

  /** The bit behind the last set bit below `before`; 0 if there is none. */
  previousAllocatedEnd(chunk: ChunkIndex, before: number): number {
    const base = chunk * this.wordsPerChunk;
    for (let word = (before - 1) >> 5; word >= 0; word--) {
      this.steps++;
      const bits = this.words[base + word]! & ~maskFrom(before - word * WORD);
      if (bits !== 0) return word * WORD + WORD - Math.clz32(bits);
    }
    return 0;
  }

  /** Follows the runs of one word; returns the bit behind the one that has become long enough, or -1. */
  private seekWord(bits: number, need: number): number {
    let rest = bits;
    for (let at = 0; at < WORD; ) {
      const zeros = rest === 0 ? WORD - at : lowestBit(rest);
      if (this.run + zeros >= need) return at + need - this.run;
      this.run += zeros;
      at += zeros;
      if (this.run > this.longest) this.longest = this.run;
      if (at === WORD) return -1;
      this.run = 0;
      rest = (rest >>> zeros) | 0;
      const ones = rest === -1 ? WORD : lowestBit(~rest);
      at += ones;
      rest = ones === WORD ? 0 : rest >>> ones;
    }
    return -1;
  }

  private takeChunk(): ChunkIndex {
    const chunk = this.spare;
    if (chunk !== 0) {
      this.spare = this.words[chunk * this.wordsPerChunk]!;
      return chunk;
    }
    const needed = (this.chunks + 1) * this.wordsPerChunk;
    while (needed > this.words.length) this.words = doubled(this.words, Int32Array);
    return this.chunks++;
  }
}

/** The bits of a word from `bit` on: all of them from 0 down, none from 32 up. */
function maskFrom(bit: number): number {
  if (bit <= 0) return -1;
  return bit >= WORD ? 0 : -1 << bit;
}

/** Index of the lowest set bit of a word that is not 0. */
function lowestBit(word: number): number {
  return 31 - Math.clz32(word & -word);
}
