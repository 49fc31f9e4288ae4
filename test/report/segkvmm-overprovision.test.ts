import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { describe, expect, it } from 'vitest';
import { GIB } from '../../src/core/units.js';
import { amd64Bases } from '../../src/layout/illumos-amd64.js';
import { binomialInterval, trialsWithoutFailure } from '../../src/report/binomial-interval.js';
import { repositoryRoot } from '../support/shared.js';

/** The claims of results/reference/segkvmm-overprovision, on the results that another test holds byte for byte. */
type Row = Readonly<Record<string, string>>;

const folder = join(repositoryRoot, 'results/reference');
const read = (path: string): Row[] => parse(readFileSync(join(folder, path), 'utf8'), { columns: true });

const guests = read('segkvmm-overprovision/guests.csv');
const odds = read('segkvmm-odds/odds.csv');
const worst = read('segkvmm-worst-case/summary.csv');
const shared = read('guest-arenas/guests.csv');
const text = readFileSync(join(folder, 'segkvmm-overprovision/README.md'), 'utf8');

const MIXES = ['east1', 'topo', 'odd'];

/** Runs of a fleet; what is asked of the arena as in the label of the backend. */
const runsOf = (mix: string, label: string): Row[] =>
  guests.filter(({ workload, backend }) => workload === mix && backend === `illumos-segkvmm:${label}`);
const refused = (rows: readonly Row[]): number =>
  rows.reduce((sum, row) => sum + Number(row.refused_space), 0);
const failed = (rows: readonly Row[]): number =>
  rows.filter(({ refused_space }) => refused_space !== '0').length;
const inGib = (bytes: string | number): string => (Number(bytes) / GIB).toFixed(1);
const smallest = (rows: readonly Row[], column: string): number =>
  Math.min(...rows.map((row) => Number(row[column])));
const largest = (rows: readonly Row[], column: string): number =>
  Math.max(...rows.map((row) => Number(row[column])));

/** Cells of the lines behind the table's head. */
function table(head: string): string[][] {
  const lines = text.slice(text.indexOf(`\n| ${head} |`) + 1).split('\n');
  const end = lines.indexOf('');
  return lines.slice(2, end).map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

describe('the odds', () => {
  it('have their table in the text, with intervals that the counts give', () => {
    const percent = (share: number) => (share * 100).toFixed(3);
    const rows = odds.map(({ workload, backend, runs, failed_runs, failures, requests, low, high }) => {
      const interval = binomialInterval(Number(failed_runs), Number(runs), 0.95);
      expect([Number(low), Number(high)]).toEqual([interval.low, interval.high]);
      const share = percent(Number(failed_runs) / Number(runs));
      const bounds = `${percent(interval.low)} – ${percent(interval.high)}`;
      const of = `${failures} of ${requests}`;
      return [workload, backend!.split('=')[1], runs, failed_runs, share, bounds, of];
    });
    expect(table('fleet')).toEqual(rows);
  });

  it('are below 10⁻³ from 2 on for every fleet, and at 1.5 for one', () => {
    const below = odds
      .filter(({ high }) => Number(high) < 0.001)
      .map(({ workload, backend }) => `${workload} ${backend!.split('=')[1]}`);
    const from2 = MIXES.flatMap((mix) => [`${mix} 2`, `${mix} 4`]);
    expect(below.sort()).toEqual(['east1 1.5', ...from2].sort());
    expect(text).toContain(`takes ${trialsWithoutFailure(0.001, 0.95)} runs without failure`);
    expect(smallest(odds, 'runs')).toBeGreaterThan(trialsWithoutFailure(0.001, 0.95));
  });

  it('are of refusals for want of addresses, not of RAM', () => {
    const plain = guests.filter(({ backend }) => !backend!.includes('1GiB'));
    expect(plain.every((row) => row.refused_memory === '0' && row.refused_length === '0')).toBe(true);
    const wasted = runsOf('odd', 'guest_page=1GiB,overprovision=4');
    expect(wasted.reduce((sum, row) => sum + Number(row.refused_memory), 0)).toBe(147);
  });
});

describe('the curve', () => {
  it('has its table in the text', () => {
    const rows = ['1', '1.25', '1.5', '2', '3', '4', '6', '8'].map((times) => [
      times,
      ...MIXES.flatMap((mix) => {
        const runs = runsOf(mix, `overprovision=${times}`);
        return [`${failed(runs)}`, `${refused(runs)}`, inGib(smallest(runs, 'least_largest_free_bytes'))];
      }),
    ]);
    expect(table('times RAM')).toEqual(rows);
  });

  it('has the same segments in the same places from 2 times RAM on', () => {
    for (const mix of MIXES) {
      const least = ['2', '3', '4', '6', '8'].map((times) => {
        const free = smallest(runsOf(mix, `overprovision=${times}`), 'least_largest_free_bytes');
        return free - Number(times) * 256 * GIB;
      });
      expect(new Set(least).size).toBe(1);
    }
  });

  it('by policy has its table in the text', () => {
    const rows = ['instant', 'best', 'first', 'next'].map((policy) => [
      policy,
      ...MIXES.map((mix) =>
        ['1.25', '1.5', '2']
          .map((times) => `${policy === 'instant' ? '' : `policy=${policy},`}overprovision=${times}`)
          .map((label) => failed(runsOf(mix, label)))
          .join(' / '),
      ),
    ]);
    expect(table('policy')).toEqual(rows);
    const open = (100 * binomialInterval(0, 5, 0.95).high).toFixed(0);
    expect(text).toContain(`none of five leaves a chance of up to ${open} % open`);
  });

  it('by page size has its tables of page tables in the text', () => {
    const rows = ['4KiB', '2MiB', '1GiB'].map((page) => [
      page,
      ...MIXES.map((mix) => {
        const label = `${page === '4KiB' ? '' : `guest_page=${page},`}overprovision=4`;
        return `${largest(runsOf(mix, label), 'peak_tables')}`;
      }),
    ]);
    expect(table('page')).toEqual(rows);
    const inMib = (tables: string) => Number(tables) / 256;
    const [small, large] = rows.map(([, ...tables]) => tables.map(inMib).sort((a, b) => a - b));
    expect(text).toContain(
      `${small![0]!.toFixed(0)} to ${small![2]!.toFixed(0)} MiB of tables with pages of 4 KiB`,
    );
    expect(text).toContain(`${large![0]!.toFixed(1)} to ${large![2]!.toFixed(1)} MiB with those of 2 MiB`);
  });
});

describe('the worst case', () => {
  const cells = (workload: string): Row[] => worst.filter((row) => row.workload === workload);
  const reach = (rows: readonly Row[], label: string): number =>
    Number(rows.find(({ backend }) => backend === `illumos-segkvmm:${label}`)!.va_reach_bytes) / GIB;
  const timesOf = ({ backend }: Row): number => Number(backend!.split('=').at(-1));
  const enough = (rows: readonly Row[]): number =>
    Math.min(...rows.filter(({ failures }) => failures === '0').map(timesOf));

  it("needs Robson's figure within a largest guest, and has its table in the text", () => {
    const rows = [2, 4, 8, 16, 32, 64, 128].map((ratio) => {
      const all = cells(`robson:largest=${ratio}GiB`);
      const need = reach(all, 'overprovision=8');
      const bound = 230 * (Math.log2(ratio) / 2 + 1) - ratio + 1;
      expect(Math.abs(need - bound)).toBeLessThan(ratio);
      expect(reach(all, 'policy=best,overprovision=8')).toBe(need);
      expect(reach(all, 'policy=first,overprovision=8')).toBe(need);
      const instant = all.filter(({ backend }) => !backend!.includes('policy'));
      const next = reach(all, 'policy=next,overprovision=8');
      return [ratio, need, (need / 256).toFixed(2), Math.floor(bound), enough(instant), next].map(String);
    });
    expect(table('n')).toEqual(rows);
    expect((908 / 256).toFixed(2)).toBe('3.55');
  });

  it('with all of RAM in use passes 4 at a ratio of 128', () => {
    const bound = (ratio: number) => (256 * (Math.log2(ratio) / 2 + 1) - ratio + 1) / 256;
    expect([bound(64) < 4, bound(128) > 4]).toEqual([true, true]);
  });

  it('beats 4 times RAM where the smallest segment is a boot ROM', () => {
    const rows = cells('from-16MiB').filter(({ backend }) => !backend!.includes('policy'));
    const at = (times: number) => Number(rows.find((row) => timesOf(row) === times)!.failures);
    expect([at(4), at(6), at(7), enough(rows)]).toEqual([59, 1, 0, 7]);
  });
});

describe('the layout', () => {
  it('has no room for 7 times RAM on a host of 256 GiB or 1 TiB, nor for 8 on any', () => {
    const heap = (gib: number, times: number): bigint => {
      const physmem = BigInt(gib * GIB);
      const bases = amd64Bases({ physmem, segkvmmSize: BigInt(times) * physmem }, 'after-12608');
      return bases.ekernelheap - bases.kernelheap;
    };
    const most = [256, 512, 1024].map((gib) =>
      [4, 5, 6, 7, 8].filter((times) => heap(gib, times) > 0n).at(-1),
    );
    expect(most).toEqual([6, 7, 6]);
  });

  it("refutes the ticket's 0xffffff8000000000", () => {
    const { rawSegkpmBase } = amd64Bases({ physmem: BigInt(512 * GIB) }, 'quoted');
    expect(rawSegkpmBase).toBe(0xfffffe0000000000n);
    expect(BigInt.asUintN(64, -BigInt(512 * GIB))).toBe(0xffffff8000000000n);
  });
});

describe('guests beside others', () => {
  it('have their table in the text', () => {
    const rows = shared.map((row) => [
      row.workload,
      row.backend,
      row.seed,
      row.refused_space,
      row.others_failures,
      inGib(row.free_bytes!),
      inGib(row.largest_free_bytes!),
      Number(row.external_fragmentation).toFixed(3),
    ]);
    expect(table('workload')).toEqual(rows);
  });

  it('ask the others for nothing else', () => {
    for (const seed of ['1', '2']) {
      const asked = shared.filter((row) => row.seed === seed).map((row) => row.others_requests);
      expect(new Set(asked).size).toBe(1);
    }
  });
});
