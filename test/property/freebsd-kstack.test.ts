import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PageBlocks } from '../../src/arena/freebsd-kstack/page-blocks.js';
import { NO_FRAME } from '../../src/arena/freebsd-kstack/page-frames.js';
import { EMPTY_TRIE, NO_LEAF, PageTries } from '../../src/arena/freebsd-kstack/page-trie.js';
import { UnitNumbers } from '../../src/arena/freebsd-kstack/unit-numbers.js';

/** Nodes that a path-compressed trie of these keys has: prefixes at which at least two keys part. */
function expectedNodes(keys: readonly number[]): number {
  const nodes = new Set<string>();
  for (const a of keys) {
    for (const b of keys) {
      if (a === b) continue;
      let level = 0;
      while (Math.floor(a / 16 ** level) !== Math.floor(b / 16 ** level)) level++;
      nodes.add(`${level}:${Math.floor(a / 16 ** level)}`);
    }
  }
  return nodes.size;
}

const key = fc.oneof(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 2 ** 29 - 1 }));

describe('the page trie answers as a sorted list does', () => {
  it('after any insertions and removals', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(key, key), { maxLength: 60 }), (steps) => {
        const pindex = new Int32Array(steps.length);
        const tries = new PageTries({ pindex });
        const leaves = new Map<number, number>();
        let root = EMPTY_TRIE;
        steps.forEach(([at, probe], leaf) => {
          if (leaves.delete(at)) root = tries.remove(root, at);
          else {
            pindex[leaf] = at;
            leaves.set(at, leaf);
            root = tries.insert(root, leaf);
          }
          const below = [...leaves.keys()].filter((present) => present <= probe);
          const nearest = below.length === 0 ? NO_LEAF : leaves.get(Math.max(...below));
          expect(tries.find(root, probe)).toBe(leaves.get(probe) ?? NO_LEAF);
          expect(tries.findAtMost(root, probe)).toBe(nearest);
          expect(tries.nodes).toBe(expectedNodes([...leaves.keys()]));
        });
      }),
    );
  });
});

describe('free blocks', () => {
  it('hand out no page twice, and join to what they were', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5000 }),
        fc.array(fc.tuple(fc.integer({ min: 0, max: 9 }), fc.nat()), { maxLength: 80 }),
        (frames, steps) => {
          const blocks = new PageBlocks(frames);
          const fresh = sortedBlocks(blocks);
          const held: [number, number][] = [];
          const isHeld = new Uint8Array(frames);
          for (const [order, choice] of steps) {
            const frame = choice % 3 > 0 ? blocks.allocate(order) : NO_FRAME;
            if (frame !== NO_FRAME) {
              expect(frame % 2 ** order).toBe(0);
              expect(isHeld.subarray(frame, frame + 2 ** order).some((value) => value === 1)).toBe(false);
              isHeld.fill(1, frame, frame + 2 ** order);
              held.push([frame, order]);
            } else if (held.length > 0) {
              const [freed, of] = held.splice(choice % held.length, 1)[0]!;
              isHeld.fill(0, freed, freed + 2 ** of);
              blocks.free(freed, of);
            }
          }
          for (const [frame, order] of held) blocks.free(frame, order);
          expect(sortedBlocks(blocks)).toEqual(fresh);
        },
      ),
    );
  });
});

function sortedBlocks(blocks: PageBlocks): string[] {
  const all: string[] = [];
  blocks.walk((order, frame) => all.push(`${frame}/${order}`));
  return all.sort();
}

describe('unit numbers', () => {
  it('are the lowest that are free', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(), { maxLength: 200 }), (choices) => {
        const units = new UnitNumbers();
        const held = new Set<number>();
        for (const choice of choices) {
          if (choice % 2 === 0 || held.size === 0) {
            let lowest = 0;
            while (held.has(lowest)) lowest++;
            expect(units.take()).toBe(lowest);
            held.add(lowest);
          } else {
            const given = [...held][choice % held.size]!;
            held.delete(given);
            units.give(given);
          }
        }
      }),
    );
  });
});
