import { Value } from '@sinclair/typebox/value';
import { describe, expect, it } from 'vitest';
import { InputError } from '../../src/core/errors.js';
import { REQUEST_CLASS_NAMES } from '../../src/core/request.js';
import { Simulation } from '../../src/core/simulation.js';
import type { Parameters } from '../../src/workload/definition.js';
import { netbsdPools } from '../../src/workload/netbsd-pools.js';

const PAGE = 4096;

function make(overrides: Parameters, seed = 1) {
  return netbsdPools.create(Value.Default(netbsdPools.parameters, { ...overrides }) as Parameters, seed);
}

/** Runs the workload: number of live objects by pages at the end, the peak, and what was asked, in letters. */
function run(overrides: Parameters, seed = 1) {
  const workload = make(overrides, seed);
  const simulation = new Simulation(workload.cpus);
  const sizes = new Float64Array(workload.objectLimit);
  const letters: string[] = [];
  let live = 0;
  let peak = 0;
  workload.start(simulation, {
    alloc(object, _cls, size) {
      sizes[object] = size;
      peak = Math.max(peak, ++live);
      letters.push('a');
      return true;
    },
    free(object) {
      sizes[object] = 0;
      live--;
      letters.push('f');
    },
    act: () => expect.unreachable('nothing is done to a page'),
    reclaim: () => void letters.push('r'),
  });
  simulation.run();
  expect(simulation.now).toBeLessThanOrEqual(workload.durationNs);
  expect(simulation.now).toBeGreaterThan(0.999 * workload.durationNs);
  const histogram = new Array<number>(17).fill(0);
  for (const size of sizes) if (size > 0) histogram[size / PAGE]!++;
  return { histogram, live, peak, letters: letters.join('') };
}

const pagesOf = (histogram: readonly number[]) =>
  histogram.reduce((sum, count, pages) => sum + count * pages, 0);

/** Slabs and direct allocations of an arena with quantum caches up to q pages and slabs of four times that. */
function chunks(histogram: readonly number[], q: number): number {
  return histogram.reduce(
    (sum, count, pages) =>
      pages === 0 || pages > q ? sum + count : sum + count / Math.floor((4 * q) / pages),
    0,
  );
}

describe('the populations', () => {
  it.each([
    ['fit', 124_000, 26_100, 3],
    ['mixed', 133_158, 24_100, 2],
    ['single-pages', 288_358, 0, 17],
  ] as const)('%s has its numbers and 1.1 GiB', (mix, singles, multiples, smallest) => {
    const { histogram, live, letters } = run({ mix });
    expect(histogram[1]).toBe(singles);
    expect(live - singles).toBe(multiples);
    expect(histogram.slice(2, smallest).every((count) => count === 0)).toBe(true);
    expect(Math.abs(pagesOf(histogram) / 288_358 - 1)).toBeLessThan(0.005);
    expect(letters).toBe('a'.repeat(live));
  });

  it('example adds buffers of 64 KiB', () => {
    const { histogram } = run({ mix: 'example' });
    expect(histogram[1]).toBe(154_000);
    expect(histogram[16]).toBeGreaterThan(5600);
    expect(histogram[16]).toBeLessThan(5700);
  });

  // Spec netbsd-vmem-uvm §3.2: tags of option b, measured with the kernel's code on populations that were not freed
  // back. Three tags a chunk; the rest are free segments and partly used slabs.
  it.each([
    ['fit', [180_510, 131_201, 85_942, 33_219, 14_632]],
    ['mixed', [181_524, 121_548, 75_463, 34_730, 14_528]],
  ] as const)('%s spreads its sizes so that the measured tags come out', (mix, measured) => {
    const { histogram } = run({ mix });
    measured.forEach((tags, power) => {
      expect(Math.abs((3 * chunks(histogram, 2 ** power)) / tags - 1)).toBeLessThan(0.06);
    });
  });

  it('have the mean that is asked for', () => {
    for (const multi_mean of [5.6, 6.3, 12.4]) {
      const { histogram, live } = run({ mix: 'custom', single_pages: 0, multi: 50_000, multi_mean });
      expect(Math.abs(pagesOf(histogram) / live - multi_mean)).toBeLessThan(0.05);
    }
  });
});

describe('the course', () => {
  it('grows, is freed back at random, and the caches give back; then objects are replaced', () => {
    const { letters, live, peak, histogram } = run({ scale: 1, grow: 130, operations: 2000 });
    const [base, grown] = [1240 + 261, Math.floor(1240 * 1.3) + Math.floor(261 * 1.3)];
    expect(letters).toBe(`${'a'.repeat(grown)}${'f'.repeat(grown - base)}r${'fa'.repeat(1000)}`);
    expect([live, peak]).toEqual([base, grown]);
    expect(Math.abs(histogram[1]! / 1240 - 1)).toBeLessThan(0.05);
  });

  it('is another one for another seed', () => {
    expect(run({ scale: 1 }).histogram).toEqual(run({ scale: 1 }).histogram);
    expect(run({ scale: 1 }, 2).histogram).not.toEqual(run({ scale: 1 }).histogram);
  });
});

describe('clients', () => {
  /** Allocations by class, and what was asked, in letters. */
  function classes(overrides: Parameters, seed = 1) {
    const workload = make({ scale: 2, ...overrides }, seed);
    const simulation = new Simulation(workload.cpus);
    const counts: Record<string, number> = {};
    const letters: string[] = [];
    workload.start(simulation, {
      alloc(_object, cls) {
        const name = REQUEST_CLASS_NAMES[cls]!;
        counts[name] = (counts[name] ?? 0) + 1;
        letters.push('a');
        return true;
      },
      free: () => void letters.push('f'),
      act: () => expect.unreachable('nothing is done to a page'),
      reclaim: () => void letters.push('r'),
    });
    simulation.run();
    const served = workload.classes.map((cls) => REQUEST_CLASS_NAMES[cls]!);
    return { counts, served, letters: letters.join('') };
  }

  it('ask by their shares, and the rest is of the class', () => {
    const shares = { kmem_share: 20, malloc_share: 10, interrupt_share: 5, pageable_share: 40 };
    const { counts, served } = classes(shares);
    expect(Object.keys(counts).sort()).toEqual([...served].sort());
    const total = 2480 + 522;
    for (const [name, percent] of [
      ['kmem', 20],
      ['malloc', 10],
      ['interrupt', 5],
      ['pageable', 40],
      ['poolPage', 25],
    ] as const) {
      expect(Math.abs((100 * counts[name]!) / total - percent)).toBeLessThan(3);
    }
  });

  it('ask for pages of pools if nothing is said, and for one class at a share of 100', () => {
    expect(Object.keys(classes({}).counts)).toEqual(['poolPage']);
    expect(classes({ class: 'va', malloc_share: 100 }).served).toEqual(['malloc']);
  });

  it('leave the order of sizes and frees alone', () => {
    const both = [{}, { kmem_share: 50 }].map((shares) => run({ scale: 1, operations: 500, ...shares }));
    expect(both[1]).toEqual(both[0]);
  });

  it('come under pressure every so many replacements', () => {
    const { letters } = classes({ operations: 10, pressure_every: 4 });
    expect(letters.slice(-12)).toBe('fafarfafarfa');
    expect(classes({ operations: 8, pressure_every: 4 }).letters.slice(-10)).toBe('fafarfafar');
  });
});

describe('contradictions', () => {
  it.each([
    [
      { mix: 'custom', multi_mean: 5.4 },
      'multi_mean: no mean of 5.4 pages from these sizes (allowed: from 5.5 to',
    ],
    [{ mix: 'custom', multi_mean: 12.6 }, 'multi_mean: no mean of 12.6 pages'],
    [{ mix: 'custom', multi_knee: 2 }, 'multi_knee: sizes from 3 to 2 and on to 16 pages'],
    [{ mix: 'custom', multi_max: 8 }, 'multi_knee: sizes from 3 to 8 and on to 8 pages'],
    [{ mix: 'custom', single_pages: 0, multi: 0 }, 'single_pages: a population of 0'],
    [{ operations: 2 ** 50 }, 'mean_interval: '],
    [{ kmem_share: 60, pool_share: 41 }, 'kmem_share: shares of 101 percent (allowed: at most 100 in all)'],
  ])('are refused: %j', (overrides, message) => {
    expect(() => make(overrides)).toThrow(InputError);
    expect(() => make(overrides)).toThrow(message);
  });
});
