import { type Address, NO_ADDRESS } from '../../src/core/address.js';
import type { Constraint } from '../../src/core/request.js';

/**
 * The slow reference of a first-fit map: one cell per quantum, and every answer found by trying address by address.
 * Cell 0 of the range has number `base`; sizes and addresses are in bytes.
 */
export class SlowMap {
  /** 0 is free, any other number is the allocation that holds the cell. */
  readonly cells: number[];
  private allocations = 0;

  constructor(
    protected readonly base: Address,
    quanta: number,
    protected readonly quantum: number,
    private readonly merge: boolean,
  ) {
    this.cells = Array<number>(quanta).fill(0);
  }

  alloc(size: number, constraint: Constraint | null = null): Address {
    const length = size / this.quantum;
    const fits = this.cells
      .map((_, cell) => cell)
      .filter((cell) => this.isFit(cell, length, constraint ?? {}));
    const cell = this.choose(fits);
    if (cell === undefined) return NO_ADDRESS;
    this.cells.fill(++this.allocations, cell, cell + length);
    return this.base + cell * this.quantum;
  }

  free(address: Address, size: number): void {
    const cell = (address - this.base) / this.quantum;
    this.cells.fill(0, cell, cell + size / this.quantum);
  }

  /** As `draw` of picture.ts draws it: with merging, a run of used cells is one segment. */
  draw(): string {
    let letters = 0;
    let previous = 0;
    let letter = '';
    const owners = this.merge ? this.cells.map((owner) => Math.sign(owner)) : this.cells;
    const drawn = owners.map((owner) => {
      if (owner === 0) letter = '.';
      else if (owner !== previous) letter = String.fromCharCode(97 + (letters++ % 26));
      previous = owner;
      return letter;
    });
    return `[${drawn.join('')}]`;
  }

  /** The cell to take, of those at which the request fits in ascending order; first fit unless overridden. */
  protected choose(fits: readonly number[]): number | undefined {
    return fits[0];
  }

  private isFit(cell: number, length: number, constraint: Constraint): boolean {
    if (cell + length > this.cells.length) return false;
    const isFree = this.cells.slice(cell, cell + length).every((owner) => owner === 0);
    return isFree && meets(this.base + cell * this.quantum, length * this.quantum, constraint);
  }
}

export function meets(address: Address, size: number, constraint: Constraint): boolean {
  const { align = 0, phase = 0, nocross = 0, minAddress = 0, maxAddress = 0 } = constraint;
  if (align !== 0 && address % align !== phase) return false;
  if (nocross !== 0 && Math.floor(address / nocross) !== Math.floor((address + size - 1) / nocross))
    return false;
  return address >= minAddress && (maxAddress === 0 || address + size <= maxAddress);
}

/** The same with best fit: the lowest cell of the smallest gap, of equal gaps of the lowest. */
export class SlowBestFitMap extends SlowMap {
  protected override choose(fits: readonly number[]): number | undefined {
    const lengths = fits.map((cell) => this.gapAround(cell));
    return fits[lengths.indexOf(Math.min(...lengths))];
  }

  private gapAround(cell: number): number {
    let [low, high] = [cell, cell];
    while (this.cells[low - 1] === 0) low--;
    while (this.cells[high] === 0) high++;
    return high - low;
  }
}
