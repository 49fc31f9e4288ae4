import { describe, expect, it } from 'vitest';
import { agreesOnAllHistories, type PairStep } from '../support/vmem-pair.js';
import { agreesOnHistories } from './illumos-vmem-properties.js';

const POLICIES = [[], ['BESTFIT'], ['FIRSTFIT'], ['NEXTFIT'], ['ENDALLOC']] as const;

/** Every policy with each of the sizes. */
function requests(arena: 'root' | 'child', sizes: readonly number[], policies = POLICIES.length): PairStep[] {
  return POLICIES.slice(0, policies).flatMap((policy) =>
    sizes.map((size): PairStep => ({ arena, size, flags: ['NOSLEEP', ...policy] })),
  );
}

describe('illumos vmem agrees with the slow reference', () => {
  it('on random histories in random trees of arenas', () => {
    agreesOnHistories(500, 20250102);
  });

  it('on every history of 4 steps in 6 quanta at the top of the address space', () => {
    const options = { base: 2n ** 64n - 6n, quantum: 1, quanta: 6, hasChild: false };
    expect(agreesOnAllHistories(options, requests('root', [1, 2, 3]), 4)).toBeGreaterThan(50_000);
  });

  it('on every history of 5 steps by next fit, across 2^63', () => {
    const options = { base: 2n ** 63n - 16n, quantum: 8, quanta: 5, hasChild: false };
    const nextFit = requests('root', [8, 12, 16, 24]).filter(
      (step) => 'flags' in step && (step.flags.includes('NEXTFIT') || step.size === 24),
    );
    expect(agreesOnAllHistories(options, nextFit, 5)).toBeGreaterThan(10_000);
  });

  it('on every history of 5 steps in an arena that imports from another', () => {
    const options = { base: 2n ** 63n, quantum: 16, quanta: 5, hasChild: true };
    const steps = [
      { arena: 'child', size: 16, flags: ['NOSLEEP'] },
      { arena: 'child', size: 16, flags: ['NOSLEEP', 'NEXTFIT'] },
      { arena: 'child', size: 40, flags: ['NOSLEEP', 'NEXTFIT'] },
      { arena: 'root', size: 16, flags: ['NOSLEEP', 'NEXTFIT'] },
      { arena: 'root', size: 32, flags: ['NOSLEEP', 'BESTFIT'] },
    ] as const;
    expect(agreesOnAllHistories(options, steps, 5)).toBeGreaterThan(10_000);
  });
});
