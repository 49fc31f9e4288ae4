import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KernelStacks } from '../../../src/arena/freebsd-kstack/kernel-stacks.js';
import type { LayoutName } from '../../../src/arena/freebsd-kstack/stack-layout.js';
import { SwapMetadata } from '../../../src/arena/freebsd-kstack/swap-metadata.js';

/** Nodes of a path-compressed trie with 16 children per node: a node for each prefix behind which keys part. */
function slowNodes(keys: readonly number[]): number {
  const nodes = new Set<string>();
  for (let level = 0; level < 8; level++) {
    const children = new Map<number, Set<number>>();
    for (const key of keys) {
      const child = Math.floor(key / 16 ** level);
      const prefix = Math.floor(child / 16);
      children.set(prefix, (children.get(prefix) ?? new Set()).add(child));
    }
    for (const [prefix, those] of children) if (those.size > 1) nodes.add(`${level} ${prefix}`);
  }
  return nodes.size;
}

describe('metadata of swap space', () => {
  it('has a block per 16 indices, and trie nodes where blocks part', () => {
    const metadata = new SwapMetadata();
    const seen: number[][] = [];
    for (const pindex of [0, 15, 16, 256, 4096]) {
      metadata.add(1, pindex);
      seen.push([metadata.blocks, metadata.nodes, metadata.bytes]);
    }
    expect(seen).toEqual([
      [1, 0, 136],
      [1, 0, 136],
      [2, 1, 2 * 136 + 144],
      [3, 2, 3 * 136 + 2 * 144],
      [4, 3, 4 * 136 + 3 * 144],
    ]);
    for (const pindex of [16, 0]) metadata.remove(1, pindex);
    // Index 15 keeps the first block.
    expect([metadata.blocks, metadata.nodes]).toEqual([3, 2]);
    metadata.remove(1, 15);
    expect([metadata.blocks, metadata.nodes]).toEqual([2, 1]);
  });

  it('counts the indices of each block, however many blocks there are', () => {
    const metadata = new SwapMetadata();
    const firsts = Array.from({ length: 300 }, (_, block) => block * 16);
    for (const first of firsts) for (const pindex of [first, first + 7]) metadata.add(2, pindex);
    for (const first of firsts) metadata.remove(2, first);
    expect(metadata.blocks).toBe(300);
    for (const first of firsts) metadata.remove(2, first + 7);
    expect([metadata.blocks, metadata.nodes, metadata.bytes]).toEqual([0, 0, 0]);
  });

  it('uses the row of a block that is gone again', () => {
    const metadata = new SwapMetadata();
    const { length } = metadata.pindex;
    for (let block = 0; block < 10 * length; block++) {
      metadata.add(0, block * 16);
      metadata.remove(0, block * 16);
    }
    expect(metadata.pindex.length).toBe(length);
  });

  it('is that of a slow reference, whatever comes and goes', () => {
    const key = fc.tuple(fc.nat(3), fc.oneof(fc.nat(100), fc.nat(2 ** 29)));
    fc.assert(
      fc.property(fc.array(key, { maxLength: 80 }), fc.nat(), (keys, salt) => {
        const metadata = new SwapMetadata();
        const held = new Map<string, readonly [number, number]>();
        keys.forEach(([object, pindex], at) => {
          const victim = [...held.values()][salt % Math.max(1, held.size)];
          if (at % 3 === 2 && victim !== undefined) {
            metadata.remove(...victim);
            held.delete(victim.join());
          }
          if (held.has(`${object},${pindex}`)) return;
          metadata.add(object, pindex);
          held.set(`${object},${pindex}`, [object, pindex]);
        });
        const groups = [0, 1, 2, 3].map((object) => {
          const own = [...held.values()].filter(([of]) => of === object);
          return [...new Set(own.map(([, pindex]) => pindex - (pindex % 16)))];
        });
        expect(metadata.blocks).toBe(groups.flat().length);
        expect(metadata.nodes).toBe(groups.reduce((sum, each) => sum + slowNodes(each), 0));
      }),
    );
  });

  /** Eight stacks of four pages are swapped out and written, then half of the threads exit after swapping in. */
  it.each<[LayoutName, number[], number[]]>([
    // 32 pages in an object each, of four pages: 8 blocks without a trie. With the object its swap space goes.
    ['per-stack', [32, 8, 0], [16, 4, 0]],
    // Indices 121–124, …, 156–159, five apart: groups 112, 128 and 144 below one node; nothing is given back.
    ['single', [32, 3, 1], [32, 3, 1]],
    // 32 indices side by side: two groups below one node.
    ['dense-unr', [32, 2, 1], [32, 2, 1]],
  ])('of %s', (layout, whenWritten, afterExits) => {
    const kernel = new KernelStacks({
      layout,
      stackPages: 4,
      guardPages: 1,
      cpus: 1,
      memoryPages: 4096,
      skippedKvaBytes: 0,
    });
    const stacks = Array.from({ length: 8 }, () => kernel.create(0));
    for (const stack of stacks) kernel.swapOut(stack);
    while (kernel.daemon.launderCluster() > 0);
    const { swap } = kernel.daemon;
    const figures = () => [swap.blocksInUse, swap.metadata.blocks, swap.metadata.nodes];
    expect(figures()).toEqual(whenWritten);
    for (const stack of stacks.slice(0, 4)) {
      kernel.swapIn(stack);
      kernel.exit(stack);
    }
    kernel.reap(true);
    expect(figures()).toEqual(afterExits);
  });
});
