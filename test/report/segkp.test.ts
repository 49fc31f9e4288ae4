import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { describe, expect, it } from 'vitest';
import { MIB } from '../../src/core/units.js';
import { repositoryRoot } from '../support/shared.js';

/** The figures of results/reference/segkp/README.md, on the results that another test holds byte for byte. */
const reference = join(repositoryRoot, 'results/reference');
const text = readFileSync(join(reference, 'segkp/README.md'), 'utf8');
/** The same without line ends, for what is said in prose. */
const prose = text.replaceAll('\n', ' ');

type Row = Readonly<Record<string, string>>;

function table(path: string): Row[] {
  return parse(readFileSync(join(reference, path), 'utf8'), { columns: true });
}

const segkp = table('segkp/segkp.csv');
const summary = table('segkp/summary.csv');
const amd64 = table('segkp-amd64/segkp.csv');
const amd64Summary = table('segkp-amd64/summary.csv');

const STATIC = 'illumos-segkp-static';
const HEAP = 'illumos-segkp-heap';
const D = 680 * MIB;
const S = 200 * MIB;
const VA_PER_THREAD = 13_107.2;
/** What a day adds to its targets. */
const STORM_THREADS = 2000;
const DRIVERS = 64 * MIB;

function find(rows: readonly Row[], workload: string, backend: string, moment?: string): Row | undefined {
  return rows.find(
    (row) =>
      row.workload === workload && row.backend === backend && (moment === undefined || row.moment === moment),
  );
}

function at(workload: string, backend: string, moment = 'first failure'): Row {
  const row = find(segkp, workload, backend, moment);
  if (row === undefined) throw new Error(`no ${moment} of ${workload} on ${backend}`);
  return row;
}

const mib = (row: Row, column: string): string => (Number(row[column]) / MIB).toFixed(1);
const spaced = (value: number | string | undefined): string => String(value).replace(/\B(?=(\d{3})+$)/g, ' ');

/** Targets in the label of a cell. */
function targets({ workload, backend }: Row): { threads: number; heap: number; isStatic: boolean } {
  const [, threads, heap] = /threads=(\d+),heap=(\d+)MiB/.exec(workload!)!;
  return { threads: Number(threads), heap: Number(heap) * MIB, isStatic: backend === STATIC };
}

function isFeasible({ threads, heap, isStatic }: ReturnType<typeof targets>): boolean {
  if (isStatic) return heap <= D - S && threads <= 16_000;
  return heap + VA_PER_THREAD * threads <= D;
}

const failed = ({ workload, backend }: Row): boolean =>
  find(segkp, workload!, backend!, 'first failure') !== undefined;

describe('the law of segkp', () => {
  const cells = summary.filter(({ workload }) => workload!.startsWith('law:'));

  it.each([STATIC, HEAP])('holds in all cells of %s', (backend) => {
    const own = cells.filter((cell) => cell.backend === backend);
    const right = own.filter((cell) => isFeasible(targets(cell)) !== failed(cell));
    expect([right.length, own.length]).toEqual([25, 25]);
    expect(own.some(failed) && !own.every(failed)).toBe(true);
    const rule = backend === STATIC ? 'H ≤ D − S and N ≤ 16 000' : 'H + 13 107.2 · N ≤ D';
    expect(prose).toContain(
      `feasible when ${rule} | **confirmed** in ${right.length} of ${own.length} cells without churn`,
    );
  });

  it('does not hold with churn', () => {
    const days = summary.filter(({ workload }) => /^day/.test(workload!) && workload!.includes('heap='));
    const feasible = days.filter((cell) => {
      const { threads, heap, isStatic } = targets(cell);
      return isFeasible({ threads: threads + STORM_THREADS, heap: heap + DRIVERS, isStatic });
    });
    const refused = feasible.filter(failed);
    expect(prose).toContain(
      `of ${feasible.length} cells that are feasible by these rules, ${refused.length} refuse a request`,
    );
  });

  it('leaves the arithmetic of the corner', () => {
    expect(16_000 * VA_PER_THREAD).toBe(S);
    expect((D - 300 * MIB) / VA_PER_THREAD).toBe(30_400);
    expect(prose).toContain(`${spaced((D - 300 * MIB) / VA_PER_THREAD)} threads for 16 000`);
  });
});

describe('what is gained', () => {
  it('stands in the table of the text', () => {
    for (const threads of [4000, 8000, 16000, 22666, 32000, 64000]) {
      const [beside, inside] = [STATIC, HEAP].map((backend) => at(`together:threads=${threads}`, backend));
      const place = (row: Row) => `${row.threads}, ${mib(row, 'heap_live_bytes')} | ${row.arena}`;
      const more = Number(inside!.threads) - Number(beside!.threads);
      const heapMore = (Number(inside!.heap_live_bytes) - Number(beside!.heap_live_bytes)) / MIB;
      expect(more >= 0 && heapMore >= 0).toBe(true);
      expect(text).toContain(
        `| ${threads} | ${place(beside!)} | ${place(inside!)} | ${more} | ${heapMore.toFixed(1)} |\n`,
      );
    }
    expect(prose).toContain(
      `up to ${mib(at('together:threads=4000', STATIC), 'segkp_idle_bytes')} MiB of segkp are idle`,
    );
  });

  it('costs a bitmap, slots and two tags per slab', () => {
    const law = 'law:threads=15900,heap=440MiB';
    const [beside, inside] = [STATIC, HEAP].map((backend) => at(law, backend, 'end'));
    expect(prose).toContain(`the bitmap has ${spaced(inside!.bitmap_bytes)} bytes`);
    expect(prose).toContain(
      `a slot for each of ${spaced(inside!.anon_slots)} pages instead of ${spaced(beside!.anon_slots)}`,
    );
    const [before, after] = [STATIC, HEAP].map((backend) => Number(find(summary, law, backend)!.tags));
    expect(prose).toContain(`${spaced(after!)} tags for ${spaced(before!)}`);
    expect((after! - before!) / Number(inside!.segkp_imports)).toBeCloseTo(2, 2);
  });
});

describe('storms', () => {
  const line = (label: string, pressure: string, row: Row): string =>
    `| ${label} | ${pressure} | ${mib(row, 'segkp_idle_bytes')} MiB | ${row.segkp_releases} of ${row.segkp_imports} | ` +
    `${mib(row, 'heap_largest_free_bytes')} MiB | ${mib(row, 'heap_free_bytes')} MiB |\n`;
  const storm = (stay: number, pressure: string): Row =>
    at(`storms:storm_stay=${stay},pressure_every=${pressure}`, HEAP, 'end');

  it('leave what the table of the text says', () => {
    expect(text).toContain(line('no storm', 'none', at('calm', HEAP, 'end')));
    for (const stay of [0, 5, 50]) {
      expect(text).toContain(line(`${stay} ‰`, 'none', storm(stay, '0s')));
      expect(text).toContain(line(`${stay} ‰`, 'every 30 s', storm(stay, '30s')));
    }
    const beside = ['calm', 'storms:storm_stay=50,pressure_every=30s'].map((workload) =>
      mib(at(workload, STATIC, 'end'), 'heap_largest_free_bytes'),
    );
    expect(beside[0]).toBe(beside[1]);
  });

  it('pin what threads that stay keep, and lose less than 1 % without them', () => {
    const stayed = storm(50, '30s');
    expect(prose).toContain(
      `pins ${mib(stayed, 'segkp_idle_bytes')} MiB for ${Number(stayed.threads) - 4000} threads`,
    );
    const loss = (100 * Number(storm(0, '30s').segkp_idle_bytes)) / D;
    expect(loss).toBeLessThan(1);
    expect(prose).toContain(`the loss is ${loss.toFixed(1)} % of D`);
    expect(prose).toContain(`where ${mib(storm(0, '30s'), 'segkp_idle_bytes')} MiB are idle if none stays`);
    const largest = [storm(0, '30s'), at('calm', HEAP, 'end')].map((row) =>
      mib(row, 'heap_largest_free_bytes'),
    );
    expect(prose).toContain(`its largest segment is ${largest[0]} MiB instead of ${largest[1]}`);
    const drained = at('day:threads=24000,heap=300MiB', HEAP, 'end');
    expect(drained.threads).toBe('0');
    expect(prose).toContain(
      `dead and ${mib(drained, 'segkp_bytes')} MiB in segkp, ${drained.segkp_releases} of ${drained.segkp_imports} spans back`,
    );
  });
});

describe('churn', () => {
  it('has the heap refuse large requests with much free', () => {
    const [beside, inside] = [STATIC, HEAP].map((backend) => at('day:threads=2000,heap=300MiB', backend));
    expect([beside!.failed_bytes, inside!.failed_bytes]).toEqual([`${4 * MIB}`, `${8 * MIB}`]);
    expect(prose).toContain(
      `refuses 4 MiB while ${mib(beside!, 'heap_free_bytes')} MiB are free in pieces of up to ${mib(beside!, 'heap_largest_free_bytes')}`,
    );
    expect(prose).toContain(
      `with ${mib(inside!, 'heap_free_bytes')} MiB free, up to ${mib(inside!, 'heap_largest_free_bytes')}`,
    );
    expect(find(segkp, 'day-ranges:threads=2000,heap=300MiB', HEAP, 'first failure')).toBeUndefined();
  });

  it('refutes the largest free segments of the sketch', () => {
    const [mixed, ranges] = ['day', 'day-ranges'].map((workload) =>
      [STATIC, HEAP]
        .map((backend) => at(`${workload}:threads=2000,heap=440MiB`, backend, 'end'))
        .map((row) => mib(row, 'heap_largest_free_bytes')),
    );
    expect(prose).toContain(
      `${mixed![0]} against ${mixed![1]} MiB at the end, ${ranges![0]} against ${ranges![1]} with ranges`,
    );
  });
});

describe('amd64', () => {
  const end = (workload: string, backend: string): Row => find(amd64, workload, backend, 'end')!;
  const searches = (workload: string, backend: string): number =>
    Number(find(amd64Summary, workload, backend)!.searches);

  it('never meets quantum caches of five pages', () => {
    for (const workload of ['ramp', 'storms']) {
      for (const backend of ['static', 'static-200m', 'in-heap']) {
        expect(end(workload, backend).qcache_stacks).toBe('0');
      }
      expect(Number(end(workload, 'static-six-pages').qcache_stacks)).toBeGreaterThan(40_000);
    }
    expect(end('ramp', 'in-heap').threads).toBe('100000');
  });

  it('has the limits, searches and prices of the text', () => {
    const most = (backend: string) => find(amd64, 'ramp', backend, 'first failure')!.threads;
    expect(prose).toContain(`2 GiB hold ${spaced(most('static'))}, 200 MiB hold ${most('static-200m')}`);
    expect(prose).toContain(`so that ${spaced(most('static-six-pages'))} fit`);
    expect(searches('ramp', 'static-six-pages')).toBe(0);
    expect(prose).toContain(`all ${spaced(searches('ramp', 'static'))} steps of best fit`);
    expect(prose).toContain(
      `${searches('storms', 'static-six-pages')} instead of ${spaced(searches('storms', 'static'))} are left`,
    );
    const { bitmap_bytes, anon_slots } = end('ramp', 'in-heap');
    expect(prose).toContain(`bitmap of ${spaced(bitmap_bytes)} bytes and ${spaced(anon_slots)} slots`);
  });
});
