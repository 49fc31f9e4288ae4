import { describe, expect, it } from 'vitest';
import { checkVmap } from '../../../src/arena/linux-vmap/check.js';
import { MAIN_WINDOW, Vmap } from '../../../src/arena/linux-vmap/vmap.js';
import { AddressSpace } from '../../../src/core/address.js';
import { MisuseError } from '../../../src/core/errors.js';
import { LockTable } from '../../../src/core/locks.js';

const PAGE = 4096;
const at = (address: bigint) => AddressSpace.canonical.toNumber(address);
const START = 0xffff_c900_0000_0000n;
/** Below the main range; in it, but further from its start than pages are numbered; and above it. */
const FAR = [0xffff_8880_0000_0000n, START + 2n ** 43n, START + 2n ** 44n, 0xffff_ffff_c000_0000n];

function kernel() {
  const last = at(START + 2n ** 45n) - 1;
  const vmap = new Vmap({ name: 'vmap', start: at(START), last, cpus: 4, locks: new LockTable() });
  return {
    vmap,
    windows: [MAIN_WINDOW, ...FAR.map((from) => vmap.addWindow(at(from), at(from) + 64 * PAGE))],
  };
}

describe('areas that lie further from the start of the main range than pages are numbered', () => {
  it('lie where their windows begin, and are found again in any order', () => {
    const { vmap, windows } = kernel();
    const starts = [START, ...FAR].map(at);
    const addresses = Array.from({ length: 40 }, (_, index) =>
      vmap.allocAddress(PAGE, 1, windows[index % windows.length]!, 0),
    );
    expect(addresses).toEqual(addresses.map((_, index) => starts[index % 5]! + Math.floor(index / 5) * PAGE));
    addresses.forEach((_, index) => {
      vmap.freeAt(addresses[(index * 7) % 40]!);
      checkVmap(vmap);
    });
    vmap.purge(true);
    checkVmap(vmap);
    expect(vmap.free.tree.size).toBe(1);
  });

  it('are not found by an address inside them', () => {
    const { vmap, windows } = kernel();
    for (const window of windows) {
      const address = vmap.allocAddress(PAGE, 1, window, 0);
      expect(() => vmap.freeAt(address + 8)).toThrow(MisuseError);
      vmap.freeAt(address);
    }
  });
});
