import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { parse } from 'csv-parse/sync';
import { describe, expect, it } from 'vitest';
import { runProgram } from '../../src/cli/program.js';
import { METRIC_ALIASES } from '../../src/report/compare/metrics.js';
import { RESULT_TABLES } from '../../src/report/tables.js';
import { type CliResult, runCli } from '../support/run-cli.js';
import { repositoryRoot } from '../support/shared.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { labelled, timedToys } from '../support/toy-comparison.js';
import { toyResults } from '../support/toy-results.js';
import { toyComponent } from '../support/toy-suite.js';

const SIX_SEEDS = [1, 2, 3, 4, 5, 6];

function compare(...argv: string[]): Promise<CliResult> {
  return runCli(['compare', ...argv], '', undefined, { COLUMNS: '200' });
}

async function json(...argv: string[]): Promise<ReturnType<typeof JSON.parse>> {
  const { stdout, stderr } = await compare(...argv, '--json');
  expect(stderr).toBe('');
  return JSON.parse(stdout);
}

/** Two folders in which one backend of the same label has quanta of 16 and 64 bytes, and another has not changed. */
async function quanta(seeds: readonly number[]): Promise<[string, string]> {
  const same = toyComponent('backend', 'toy-fit:size=32KiB');
  const suite = (quantum: number) => ({
    seeds: [...seeds],
    backends: [labelled('fit', `toy-fit:quantum=${quantum}`), same],
  });
  return [await toyResults(suite(16)), await toyResults(suite(64))];
}

/** Figures of a column of summary.csv for a backend. */
function figures(folder: string, backend: string, column: string): number[] {
  const rows: Record<string, string>[] = parse(readFileSync(join(folder, 'summary.csv')), { columns: true });
  return rows.filter((row) => row.backend === backend).map((row) => Number(row[column]));
}

describe('kvabench compare OLD NEW', () => {
  it('finds a folder the same as itself, in one line', async () => {
    const folder = await toyResults();
    const { exitCode, stdout, stderr } = await compare(folder, folder);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout).toBe(
      [
        `old: ${folder} (kvabench 1)`,
        `new: ${folder} (kvabench 1)`,
        '2 cells compared: the same in every exact figure',
        '',
        'the same in every cell: failures, va_per_peak_live, external_fragmentation_peak, hole_ratio_mean, tags_peak, metadata_bytes_peak, searches, lock_acquisitions and 1 more',
        '',
      ].join('\n'),
    );
  });

  it('shows both values and the change of every exact figure that differs', async () => {
    const [old, new_] = await quanta([1]);
    const { exitCode, stdout } = await compare(old, new_, '-m', 'va_per_live', '-m', 'failed');
    expect(exitCode).toBe(0);
    const [before] = figures(old, 'fit', 'va_per_peak_live') as [number];
    const [after] = figures(new_, 'fit', 'va_per_peak_live') as [number];
    const share = ((after / before - 1) * 100).toFixed(2);
    expect(after).toBeGreaterThan(before);
    expect(stdout).toContain('2 cells compared: 1 differs in an exact figure, 1 does not\n');
    expect(stdout).toContain(
      [
        'va_per_peak_live: less is better',
        'workload  backend     old     new  change  n',
        `toy-load  fit      ${before.toFixed(4)}  ${after.toFixed(4)}  +${share}%  1`,
      ].join('\n'),
    );
    expect(stdout).toContain('\n1 row without a difference\n');
    expect(stdout).toContain('\nthe same in every cell: failures\n');
    expect(stdout).toContain('\ndiffer too, --metric shows them: va_per_peak_footprint, ');
    expect(stdout).toContain("\n* 1 cell of another configuration (backend): 'toy-load' on 'fit', seed 1\n");
    const all = await compare(old, new_, '-m', 'failed', '--all');
    expect(all.stdout).toMatch(/\ntoy-load +toy-fit:size=32KiB +\d+ +\d+ += {2}1\n/);
  });

  it('pairs seeds: median of each side, shift with its interval, p', async () => {
    const [old, new_] = await quanta(SIX_SEEDS);
    const data = await json(old, new_, '-m', 'va_per_live');
    const [row] = data.metrics[0].rows;
    const [before, after] = [old, new_].map((folder) => figures(folder, 'fit', 'va_per_peak_live')) as [
      number[],
      number[],
    ];
    const ratios = before.map((value, index) => after[index]! / value).sort((a, b) => a - b);
    // One seed has gone down, by least: of 64 choices of signs, two are as extreme on either side.
    expect(ratios[0]).toBeLessThan(1);
    expect(ratios[1]! * ratios[0]!).toBeGreaterThan(1);
    const chance = 4 / 64;
    expect(row).toMatchObject({ backend: 'fit', seeds: SIX_SEEDS, samples: [6, 6], p: chance });
    expect(row.interval.of).toBe('relative');
    expect(row.interval.low).toBeCloseTo(ratios[0]! - 1, 12);
    expect(row.interval.high).toBeCloseTo(ratios[5]! - 1, 12);
    expect(row.relative).toBeGreaterThan(ratios[0]! - 1);
    expect(row.relative).toBeLessThan(ratios[5]! - 1);
    expect(data.metrics[0].rows[1]).toMatchObject({ differing: 0, relative: 0 });
    const { stdout } = await compare(old, new_, '-m', 'va_per_live');
    expect(stdout).toContain('95 % interval');
    expect(stdout).toMatch(/\ntoy-load +fit .*% … \+\d.* 0\.063 {2}6\n/);
  });

  it('gives no interval for fewer than six seeds, and says how many it takes', async () => {
    const { stdout } = await compare(...(await quanta([1, 2, 3])), '-m', 'va_per_live');
    expect(stdout).toMatch(/±∞ +0\.250 +3\n/);
    expect(stdout).toContain('* too few seeds for an interval: it takes 6\n');
  });

  it('shows each seed by itself with --each-seed', async () => {
    const [old, new_] = await quanta([1, 2]);
    const { stdout } = await compare(old, new_, '-m', 'va_per_live', '--each-seed');
    expect(stdout).toContain('workload  backend  seed     old     new  change  n\n');
    expect(stdout.match(/\ntoy-load +fit +[12] /g)).toHaveLength(2);
  });

  it('counts seeds that all say the same as one observation', async () => {
    const folder = await toyResults({ seeds: SIX_SEEDS });
    const data = await json(folder, '--baseline', 'toy-fit', '-m', 'va_total_bytes');
    expect(data.metrics[0].rows).toMatchObject([
      { seeds: SIX_SEEDS, samples: [1, 1], differing: 6, relative: -0.5, absolute: -32_768 },
    ]);
    expect(data.metrics[0].rows[0]).not.toHaveProperty('p');
    expect(data.notes).toContain('where every seed has the same figures, they count as one (n = 1)');
  });

  it('compares what is on both sides and names the cells that are not', async () => {
    const [old, new_] = [await toyResults({ seeds: [1, 2] }), await toyResults({ seeds: [2, 3] })];
    const { stdout, exitCode } = await compare(old, new_);
    expect(exitCode).toBe(0);
    expect(stdout).toContain('2 cells compared: the same in every exact figure\n');
    expect(stdout).toContain(
      "* 2 cells only on the old side: 'toy-load' on 'toy-fit', seed 1, 'toy-load' on 'toy-fit:size=32KiB', seed 1\n",
    );
    expect(stdout).toContain('* 2 cells only on the new side: ');
  });

  it('says of which version the sides are, and what of the configuration differs', async () => {
    const [old, new_] = [await toyResults(), await toyResults({ samples: 4 })];
    const file = join(new_, 'run.json');
    writeFileSync(file, readFileSync(file, 'utf8').replace('"version": "1"', '"version": "2"'));
    const { stdout } = await compare(old, new_);
    expect(stdout).toContain('* other version: 1, then 2\n');
    expect(stdout).toContain('* 2 cells of another configuration (samples): ');
    expect(stdout).not.toContain('machine');
  });

  it('gives the same as CSV and JSON, to a file with --out', async () => {
    const [old, new_] = await quanta(SIX_SEEDS);
    const out = join(temporaryFolder(), 'changes.csv');
    const result = await compare(old, new_, '--csv', '--out', out);
    expect(result).toEqual({ exitCode: 0, stdout: '', stderr: '' });
    const rows: Record<string, string>[] = parse(readFileSync(out), { columns: true });
    const data = await json(old, new_);
    const flat = data.metrics.flatMap((table: { name: string; rows: object[] }) =>
      table.rows.map((row) => ({ metric: table.name, ...row })),
    );
    expect(rows).toHaveLength(flat.length);
    for (const [index, row] of rows.entries()) {
      expect([row.metric, row.workload, row.backend]).toEqual([
        flat[index].metric,
        flat[index].workload,
        flat[index].backend,
      ]);
      expect(Number(row.old)).toBe(flat[index].old ?? 0);
      expect(Number(row.absolute_change)).toBe(flat[index].absolute ?? 0);
    }
    expect(data).toMatchObject({ format: 'kvabench compare 1', cells: 12, differing: 6, checks: [] });
  });

  it('compares every metric with -m all', async () => {
    const folder = await toyResults();
    const data = await json(folder, folder, '-m', 'all');
    expect(data.metrics.length).toBeGreaterThan(80);
    expect(data.unshown).toEqual([]);
  });
});

describe('kvabench compare OLD --baseline', () => {
  it('holds the other backends against one of them', async () => {
    const folder = await toyResults({ seeds: [1, 2] });
    const { stdout, exitCode } = await compare(folder, '--baseline', 'toy-fit', '-m', 'va_total_bytes');
    expect(exitCode).toBe(0);
    expect(stdout).toContain(
      `${folder} (kvabench 1): each backend (new) against toy-fit (old)\n2 cells compared`,
    );
    expect(stdout).toMatch(/\ntoy-load +toy-fit:size=32KiB +65536 +32768 +-50\.0% +1\n/);
  });

  it('warns where the load was not the same', async () => {
    const backends = ['toy-fit', 'toy-fit:size=8KiB'].map((text) => toyComponent('backend', text));
    const folder = await toyResults({ backends });
    const { stdout } = await compare(folder, '--baseline', 'toy-fit');
    expect(figures(folder, 'toy-fit:size=8KiB', 'failures')[0]).toBeGreaterThan(0);
    expect(stdout).toContain(
      "* 1 cell not under the same load, for one side has refused more: 'toy-load' on 'toy-fit:size=8KiB', seed 1\n",
    );
  });

  it.each([
    [['--baseline', 'toy-fat'], "--baseline: unknown backend 'toy-fat'; did you mean 'toy-fit'?"],
    [[], 'nothing to compare with (allowed: a second folder, or --baseline'],
    [['other', '--baseline', 'toy-fit'], '--baseline: there are two folders already'],
  ])('answers %j with one message', async (argv, message) => {
    const folder = await toyResults();
    const result = await compare(folder, ...argv);
    expect(result).toMatchObject({ exitCode: 1, stdout: '' });
    expect(result.stderr).toContain(message);
    expect(result.stderr).toMatch(/^kvabench: [^\n]+\n$/);
  });

  it('refuses a folder of one backend', async () => {
    const folder = await toyResults({ backends: [toyComponent('backend', 'toy-fit')] });
    const { stderr } = await compare(folder, '--baseline', 'toy-fit');
    expect(stderr).toContain("nothing to hold against 'toy-fit' (allowed: results of at least two backends");
  });
});

describe('kvabench compare with times', () => {
  const slow = [1300, 1320, 1310, 1290, 1305].map((time) => [time, time + 4]);
  const fast = [1000, 1010, 990, 1005, 995].map((time) => [time, time + 4]);

  it('tells times apart that differ, and leaves those alone that do not', async () => {
    const [old, new_] = [await timedToys(fast), await timedToys(slow)];
    const { stdout } = await compare(old, new_, '-m', 'time');
    expect(stdout).toMatch(
      /\ncpu_ns_per_event: ns\/event, less is better\nworkload +backend +old +new +change +95 % interval +A +p \(Holm\) +n\n/,
    );
    expect(stdout).toMatch(
      /\ntoy-load +toy-fit +1002\.0 +1307\.0 +\+30\.\d% +\+2\d\.\d% … \+3\d\.\d% +1\.00 +0\.016 +5\+5\n/,
    );
    expect(stdout).toMatch(
      /\ntoy-load +toy-fit:size=32KiB +1000\.0 +1000\.0 +~ +0\.00% … 0\.00% +0\.50 +1\.000 +5\+5\n/,
    );
    expect(stdout).not.toContain('too few processes');
  });

  it('is the same each time', async () => {
    const [old, new_] = [await timedToys(fast), await timedToys(slow)];
    const argv = [old, new_, '-m', 'wall_ns_per_event', '-m', 'cpu_ns_per_event_recording', '--json'];
    expect(await compare(...argv)).toEqual(await compare(...argv));
  });

  it('warns of too few processes, other machines and times of other cells', async () => {
    const [old, new_] = [await timedToys(fast.slice(0, 3)), await timedToys(slow.slice(0, 3))];
    const file = join(new_, 'timing-datapackage.json');
    const text = readFileSync(file, 'utf8');
    writeFileSync(
      file,
      text
        .replace(/"node": "[^"]*"/, '"node": "1.2.3"')
        .replace(/"configurationDigest": "[^"]*"/, '"configurationDigest": "0"'),
    );
    const { stdout } = await compare(old, new_, '-m', 'time');
    expect(stdout).toContain(
      '* too few processes to tell times apart: it takes --timing-rounds 4 at least\n',
    );
    expect(stdout).toContain(`* times of another machine: node ${process.versions.node}, then 1.2.3\n`);
    expect(stdout).toContain(`* the times in ${new_} are of other configurations than its exact figures\n`);
    const exact = await compare(old, new_, '-m', 'failed');
    expect(exact.stdout).not.toContain('machine');
  });

  it('fails on times only where the test tells them apart, and refuses where it never could', async () => {
    const [old, new_] = [await timedToys(fast), await timedToys(slow)];
    expect(await compare(old, new_, '-m', 'time', '--fail-on', 'time>25%')).toMatchObject({ exitCode: 2 });
    expect(await compare(old, new_, '-m', 'time', '--fail-on', 'time>40%')).toMatchObject({ exitCode: 0 });
    expect(await compare(old, old, '-m', 'time', '--fail-on', 'time>=0%')).toMatchObject({ exitCode: 0 });
    const few = [await timedToys(fast.slice(0, 3)), await timedToys(slow.slice(0, 3))] as const;
    const refused = await compare(...few, '-m', 'time', '--fail-on', 'time>2%');
    expect(refused).toMatchObject({ exitCode: 1, stdout: '' });
    expect(refused.stderr).toBe(
      "kvabench: --fail-on 'time>2%': 3 and 3 processes cannot show a difference in 2 cells at once (allowed: results of more --timing-rounds, or of fewer cells)\n",
    );
  });

  it('leaves out cells whose clock stood still, and says so', async () => {
    const old = await timedToys([...fast.slice(1), [0, 0]]);
    const { stdout } = await compare(old, old, '-m', 'time');
    expect(stdout).not.toMatch(/\ntoy-load +toy-fit +\d/);
    expect(stdout).toMatch(/\ntoy-load +toy-fit:size=32KiB +1000\.0/);
    expect(stdout).toContain(
      '* cpu_ns_per_event: 1 of 2 cells have no times on both sides, or some that the clock did not resolve\n',
    );
  });

  it('says where times come from if a side has none', async () => {
    const [timed, bare] = [await timedToys(fast), await toyResults()];
    const { stderr } = await compare(timed, bare, '-m', 'time');
    expect(stderr).toBe(
      `kvabench: ${bare}: --metric: the results have no cpu_ns_per_event (allowed: results of kvabench run --timing)\n`,
    );
  });
});

describe('kvabench compare --fail-on', () => {
  it('exits with 2 where a change is forbidden, and says which', async () => {
    const [old, new_] = await quanta(SIX_SEEDS);
    const change = (await json(old, new_, '-m', 'va_per_live')).metrics[0].rows[0];
    const percent = change.relative * 100;
    const result = await compare(
      old,
      new_,
      '--fail-on',
      `va_per_live>${(percent * 0.9).toFixed(4)}%`,
      '--fail-on',
      'failed>0',
    );
    expect(result.exitCode).toBe(2);
    expect(result.stdout).toMatch(/\nFAILED: va_per_live>[\d.]+%: 'toy-load' on 'fit': \+[\d.]+%\n/);
    const passed = await compare(old, new_, '--fail-on', `va_per_live > ${(percent * 1.1).toFixed(4)}%`);
    expect(passed).toMatchObject({ exitCode: 0 });
    expect(passed.stdout).toMatch(/\npassed: va_per_live > [\d.]+%\n$/);
    const absolute = await compare(
      old,
      new_,
      '--fail-on',
      `va_per_live>${(change.absolute * 0.9).toFixed(6)}`,
    );
    expect(absolute).toMatchObject({ exitCode: 2 });
    const other = await compare(new_, old, '--fail-on', 'va_per_live<-0.01%', '--json');
    expect(other.exitCode).toBe(2);
    expect(JSON.parse(other.stdout).checks).toMatchObject([
      { condition: 'va_per_live<-0.01%', metric: 'va_per_peak_live', passed: false, operator: '<' },
    ]);
  });

  it('takes lengths for bytes', async () => {
    const folder = await toyResults();
    const check = (condition: string) =>
      compare(folder, '--baseline', 'toy-fit', '-m', 'failed', '--fail-on', condition);
    expect(await check('va_total_bytes<=-32KiB')).toMatchObject({ exitCode: 2 });
    expect(await check('va_total_bytes<-32KiB')).toMatchObject({ exitCode: 0 });
    expect(await check('va_total_bytes<=-50%')).toMatchObject({ exitCode: 2 });
  });

  it('is not passed by figures that a side lacks, or cells that have died', async () => {
    const [old, new_] = [await toyResults(), await toyResults()];
    const file = join(new_, 'run.json');
    const run = JSON.parse(readFileSync(file, 'utf8'));
    writeFileSync(file, JSON.stringify({ ...run, failures: [{ id: run.cells[0].id, message: 'dead' }] }));
    const { exitCode, stdout } = await compare(old, new_, '--fail-on', 'failed>0');
    expect(exitCode).toBe(2);
    expect(stdout).toContain("\nFAILED: no result to check of 'toy-load' on 'toy-fit', seed 1\n");
    expect(stdout).toContain(
      `* 1 cell without a result, for the cell has failed: 'toy-load' on 'toy-fit', seed 1 in ${new_}\n`,
    );
    expect(await compare(old, new_)).toMatchObject({ exitCode: 0 });
  });

  it.each([
    [
      'va_per_live',
      "--fail-on: 'va_per_live' is no condition (allowed: a metric, one of > >= < <=, and a change",
    ],
    ['va_per_live>2%%', 'is no condition'],
    ['va_per_live=2', 'is no condition'],
    [
      'va_per_lifes>2%',
      "--fail-on 'va_per_lifes>2%': unknown metric 'va_per_lifes'; did you mean 'va_per_live'?",
    ],
    [
      'va_per_live>2KiB',
      "'KiB' is no unit of it (allowed: % or a plain number: va_per_peak_live is in no unit)",
    ],
    ['metadata>2furlongs', "--fail-on 'metadata>2furlongs': '2furlongs' is not a length"],
  ])('refuses %s in one message', async (condition, message) => {
    const folder = await toyResults();
    const result = await compare(folder, folder, '--fail-on', condition);
    expect(result).toMatchObject({ exitCode: 1, stdout: '' });
    expect(result.stderr).toContain(message);
    expect(result.stderr).toMatch(/^kvabench: [^\n]+\n$/);
  });
});

describe('kvabench compare and bad input', () => {
  async function refusal(break_: (folder: string) => void, ...argv: string[]): Promise<string> {
    const [good, bad] = [await toyResults(), await toyResults()];
    break_(bad);
    const result = await compare(good, bad, ...argv);
    expect(result).toMatchObject({ exitCode: 1, stdout: '' });
    expect(result.stderr).toMatch(/^kvabench: [^\n]+\n$/);
    return result.stderr.replaceAll(bad, 'BAD').replaceAll(good, 'GOOD');
  }

  it('refuses a folder that is none of results, or not finished', async () => {
    expect(await refusal((folder) => rmSync(folder, { recursive: true }))).toContain('BAD: no such folder');
    expect(await refusal((folder) => rmSync(join(folder, 'run.json')))).toContain('run.json is missing');
    const unfinished = (folder: string) => {
      const file = join(folder, 'run.json');
      writeFileSync(file, readFileSync(file, 'utf8').replace('"complete"', '"running"'));
    };
    expect(await refusal(unfinished)).toContain('status: the run has not been finished');
    expect(await refusal((folder) => rmSync(join(folder, 'summary.csv')))).toContain(
      'BAD/summary.csv: cannot read the table',
    );
  });

  it('refuses figures that are no numbers, and columns that are not those described', async () => {
    const edit = (from: RegExp, to: string) => (folder: string) => {
      const file = join(folder, 'summary.csv');
      writeFileSync(file, readFileSync(file, 'utf8').replace(from, to));
    };
    expect(await refusal(edit(/(\ntoy-load,toy-fit,1,\d+,)\d+/, '$1NaN'))).toContain(
      "BAD/summary.csv:2: samples: 'NaN' is no number",
    );
    expect(await refusal(edit(/va_per_peak_live/, 'va_per_live'))).toContain('BAD/summary.csv:1: column');
    const old = (folder: string) => {
      const file = join(folder, 'datapackage.json');
      const text = readFileSync(file, 'utf8').replaceAll('"va_per_peak_live"', '"va_per_live"');
      writeFileSync(file, text);
      edit(/va_per_peak_live/, 'va_per_live')(folder);
    };
    expect(await refusal(old)).toContain('digest differs');
  });

  it('refuses metrics that it does not know, and those of one side only', async () => {
    const folder = await toyResults();
    const { stderr } = await compare(folder, folder, '-m', 'external_fragg');
    expect(stderr).toContain("--metric: unknown metric 'external_fragg'; did you mean 'external_frag'?");
    expect(stderr).toMatch(/\(allowed: failed, peak_live, [^)]{50,250}, \d+ columns of the results\)/);
    const text = await compare(folder, folder, '-m', 'placement_digest');
    expect(text.stderr).toContain("unknown metric 'placement_digest'");
  });

  it('refuses folders without a cell in common', async () => {
    const [old, new_] = [await toyResults({ seeds: [1] }), await toyResults({ seeds: [2] })];
    const { stderr } = await compare(old, new_);
    expect(stderr).toContain(
      `no cell is in both: ${old} has 'toy-load' on 'toy-fit', seed 1, ${new_} has 'toy-load' on 'toy-fit', seed 2`,
    );
  });

  it('keeps an earlier file where it cannot write', async () => {
    const folder = await toyResults();
    const out = join(temporaryFolder(), 'out');
    mkdirSync(out);
    copyFileSync(join(folder, 'run.json'), join(out, 'kept'));
    const { exitCode, stderr } = await compare(folder, folder, '--out', out);
    expect(exitCode).toBe(1);
    expect(stderr).toContain('cannot write');
    expect(existsSync(join(out, 'kept'))).toBe(true);
    expect(existsSync(`${out}.part`)).toBe(false);
  });
});

describe('the text of a comparison', () => {
  const ESCAPE = '\u001b';

  function coloured(colour: string): RegExp {
    return new RegExp(`\\n${ESCAPE}\\[${colour}mtoy-load +fit .*${ESCAPE}\\[0m\\n`);
  }

  async function onTerminal(
    env: Record<string, string>,
    columns: number,
    ...argv: string[]
  ): Promise<string> {
    const out: string[] = [];
    const io = {
      stdout: { write: (text: string) => out.push(text), isTTY: true, columns },
      stderr: { write: () => {} },
      stdin: Readable.from([]),
      env,
    };
    expect(await runProgram(['compare', ...argv], io)).toBe(0);
    return out.join('');
  }

  it('colours what is better and worse on a terminal, unless NO_COLOR says not to', async () => {
    const [old, new_] = await quanta([1]);
    const worse = await onTerminal({}, 100, old, new_, '-m', 'va_per_live');
    expect(worse).toMatch(coloured('31'));
    const better = await onTerminal({}, 100, new_, old, '-m', 'va_per_live');
    expect(better).toMatch(coloured('32'));
    const plain = await onTerminal({ NO_COLOR: '1' }, 100, old, new_, '-m', 'va_per_live');
    expect(plain).not.toContain('\u001b');
    expect(worse.replaceAll(new RegExp(`${ESCAPE}\\[\\d+m`, 'g'), '')).toBe(plain);
    expect((await compare(old, new_)).stdout).not.toContain('\u001b');
  });

  it('shortens labels where the terminal is narrow, and keeps what would steer it out', async () => {
    const label = `${'long'.repeat(20)}\u001b[2J-end`;
    const suite = (quantum: number) => ({ backends: [labelled(label, `toy-fit:quantum=${quantum}`)] });
    const [old, new_] = [await toyResults(suite(16)), await toyResults(suite(64))];
    const text = await onTerminal({ NO_COLOR: '1' }, 70, old, new_, '-m', 'va_per_live', '-m', 'tags_peak');
    const table = text.slice(text.indexOf('va_per_peak_live'), text.indexOf('\n\n* '));
    const rows = table.split('\n').filter((line) => line.startsWith('toy-load'));
    expect(rows.length).toBeGreaterThan(0);
    for (const row of rows) expect(row.length).toBeLessThanOrEqual(70);
    expect(rows[0]).toContain('…');
    expect(text).not.toContain('\u001b');
  });
});

describe('the short names of metrics', () => {
  it('each stand for a column, and hide none', () => {
    const columns = RESULT_TABLES[0]!.columns.map(({ name }) => name);
    for (const [alias, name] of Object.entries(METRIC_ALIASES)) {
      expect(columns).not.toContain(alias);
      if (alias !== 'time') expect(columns).toContain(name);
    }
    const documented = readFileSync(join(repositoryRoot, 'docs/compare.md'), 'utf8');
    const rows = Object.entries(METRIC_ALIASES).map(([alias, name]) => `| \`${alias}\` | \`${name}\` |\n`);
    expect(documented).toContain(rows.join(''));
  });
});
