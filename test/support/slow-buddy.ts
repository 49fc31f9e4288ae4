import { type Address, NO_ADDRESS } from '../../src/core/address.js';
import type { Constraint } from '../../src/core/request.js';
import { meets } from './slow-map.js';

interface Block {
  readonly start: Address;
  readonly size: number;
  /** The address given out, of an allocated block. */
  readonly given?: Address;
}

/** The slow reference of a binary buddy system: an array of blocks, every answer found by trying address by address. */
export class SlowBuddy {
  private blocks: Block[] = [];

  constructor(
    base: Address,
    quanta: number,
    private readonly quantum: number,
  ) {
    for (let cell = 0; cell < quanta; cell++)
      this.blocks.push({ start: base + cell * quantum, size: quantum });
    this.mergeAll();
  }

  alloc(size: number, constraint: Constraint | null = null): Address {
    let natural = this.quantum;
    while (natural < size) natural *= 2;
    const bySize = this.blocks
      .filter(({ given }) => given === undefined)
      .sort((one, other) => one.size - other.size || one.start - other.start);
    for (const step of [natural, this.quantum]) {
      for (const block of bySize) {
        for (let given = block.start; given + size <= block.start + block.size; given += this.quantum) {
          if (given % step !== 0 || !meets(given, size, constraint ?? {})) continue;
          this.cut(block, given, size);
          return given;
        }
      }
    }
    return NO_ADDRESS;
  }

  free(address: Address): void {
    this.blocks = this.blocks.map((block) =>
      block.given === address ? { start: block.start, size: block.size } : block,
    );
    this.mergeAll();
  }

  draw(): string {
    let text = '';
    let letters = 0;
    for (const { size, given } of this.blocks) {
      const letter = given === undefined ? '' : String.fromCharCode(97 + (letters++ % 26));
      text += (letter || (text.endsWith('.') ? ',' : '.')).repeat(size / this.quantum);
    }
    return `[${text}]`;
  }

  private cut(block: Block, given: Address, size: number): void {
    const half = block.size / 2;
    const halves = [block.start, block.start + half].map((start) => ({ start, size: half }));
    const inner = halves.find(({ start }) => given >= start && given + size <= start + half);
    const parts = inner === undefined ? [{ ...block, given }] : halves;
    this.blocks.splice(this.blocks.indexOf(block), 1, ...parts);
    if (inner !== undefined) this.cut(inner, given, size);
  }

  private mergeAll(): void {
    const lower = this.blocks.findIndex((block, index) => {
      const upper = this.blocks[index + 1];
      const areFree = block.given === undefined && upper !== undefined && upper.given === undefined;
      return areFree && upper.size === block.size && block.start % (2 * block.size) === 0;
    });
    if (lower < 0) return;
    const { start, size } = this.blocks[lower]!;
    this.blocks.splice(lower, 2, { start, size: size * 2 });
    this.mergeAll();
  }
}
