import { expect } from 'vitest';
import { rangesOf } from '../../src/arena/linux-vmap/inspect.js';
import { VmapView } from '../../src/arena/linux-vmap/view.js';
import { MAIN_WINDOW, Vmap } from '../../src/arena/linux-vmap/vmap.js';
import { AddressSpace, NO_ADDRESS } from '../../src/core/address.js';
import { LockTable } from '../../src/core/locks.js';

const PAGE = 4096;
const START = AddressSpace.canonical.toNumber(0xffffc90000000000n);

/** Operations on a main range of some pages, in pages, each followed by a check of its invariants. */
export class VmapPicture {
  readonly vmap: Vmap;

  constructor(
    private readonly pages: number,
    readonly cpus = 1,
  ) {
    const last = START + pages * PAGE - 1;
    this.vmap = new Vmap({ name: 'vmap', start: START, last, cpus, locks: new LockTable() });
  }

  /** `expected` is the page of the answer, or null for a refusal. */
  alloc(pages: number, expected: number | null, align = 1, cpu = 0): this {
    const address = this.vmap.allocAddress(pages * PAGE, align * PAGE, MAIN_WINDOW, cpu);
    expect(address === NO_ADDRESS ? null : (address - START) / PAGE).toBe(expected);
    return this.checked();
  }

  /** The same in the window [from, to). */
  allocWithin(from: number, to: number, pages: number, expected: number | null, align = 1): this {
    const window = this.vmap.addWindow(START + from * PAGE, START + to * PAGE);
    const address = this.vmap.allocAddress(pages * PAGE, align * PAGE, window, 0);
    expect(address === NO_ADDRESS ? null : (address - START) / PAGE).toBe(expected);
    return this.checked();
  }

  /** Areas of these pages at these distances. */
  congruent(offsets: readonly number[], pages: number, align: number, expected: readonly number[]): this {
    const wanted = {
      offsets: offsets.map((offset) => offset * PAGE),
      sizes: offsets.map(() => pages * PAGE),
      align: align * PAGE,
    };
    const rows = this.vmap.allocCongruent(wanted, 0);
    expect(rows.map((row) => (this.vmap.areas.startOf(row) - START) / PAGE)).toEqual(expected);
    return this.checked();
  }

  free(...pages: readonly number[]): this {
    for (const page of pages) this.vmap.freeAt(START + page * PAGE);
    return this.checked();
  }

  drain(purged: number): this {
    expect(this.vmap.purge(false)).toBe(purged);
    return this.checked();
  }

  reclaim(purged: number): this {
    expect(this.vmap.purge(true)).toBe(purged);
    return this.checked();
  }

  shrink(): this {
    this.vmap.decay(true);
    return this.checked();
  }

  /** One character per page: a letter for each area in use, `~` for one that waits, `=` for a pooled one, a dot for free. */
  get drawing(): string {
    const cells = Array<string>(this.pages).fill('.');
    let letters = 0;
    for (const { place, start, end } of rangesOf(this.vmap)) {
      if (place === 'free') continue;
      const letter =
        place === 'alloc' ? String.fromCharCode(97 + (letters++ % 26)) : place === 'lazy' ? '~' : '=';
      cells.fill(letter, (start - START) / PAGE, (end - START) / PAGE);
    }
    return `[${cells.join('')}]`;
  }

  expect(drawing: string): this {
    expect(this.drawing).toBe(drawing);
    return this;
  }

  private checked(): this {
    new VmapView(this.vmap).check();
    return this;
  }
}
