import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { beforeEach, describe, expect, it } from 'vitest';
import { runCommandWith } from '../../src/cli/commands/run.js';
import { RandomStream } from '../../src/core/random.js';
import { bootstrapMedian } from '../../src/harness/timing/bootstrap.js';
import type { Measure } from '../../src/harness/timing/launch.js';
import { roundOrder } from '../../src/harness/timing/time-cells.js';
import { TIMING_FILES } from '../../src/report/record-timing.js';
import { COMMON_FILES } from '../support/result-files.js';
import { type CliResult, runCli } from '../support/run-cli.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { measured, toyTimedCells } from '../support/timing.js';
import { TOYS } from '../support/toy.js';

const SUITE = `name: toys
workloads: [toy-load]
backends: [toy-fit, {backend: toy-fit, name: "toy-fit:size=32KiB", size: 32KiB}]
samples: 8
`;

let folder: string;
let suite: string;
let out: string;

const cells = toyTimedCells();

/** Times 1 to n microseconds over a base that tells the cells apart, at once. */
const quick: Measure = async ({ plan, metrics, samples }) => {
  const index = cells.findIndex((cell) => cell.plan.id === plan.id && cell.metrics === metrics);
  const times = Array.from({ length: samples + 1 }, (_, sample) => 400_000 * (index + 1) + 1000 * sample);
  return measured(cells[index]!, ...times);
};

beforeEach(() => {
  folder = temporaryFolder();
  suite = join(folder, 'toys.yaml');
  out = join(folder, 'out');
  writeFileSync(suite, SUITE);
});

function run(measure: Measure, ...argv: string[]): Promise<CliResult> {
  return runCli(['run', suite, '--out', out, ...argv], '', [runCommandWith(TOYS, measure)]);
}

function read(name: string): string {
  return readFileSync(join(out, name), 'utf8');
}

function rows(name: string): Record<string, string>[] {
  return parse(read(name), { columns: true });
}

describe('kvabench run --timing', () => {
  it('prints medians per event below the exact table', async () => {
    const result = await run(quick, '--timing', '--timing-rounds', '2', '--timing-samples', '4');
    expect(result).toMatchObject({ exitCode: 0, stderr: '' });
    expect(result.stdout.slice(result.stdout.indexOf('results:'))).toBe(
      [
        `results: ${out}`,
        '',
        'toy-load, seed 1: CPU nanoseconds per event, metrics off and on',
        'backend               off  95 % interval      on  95 % interval  on/off  replays',
        'toy-fit            1006.3  1002.5–1010.0  2006.3  2002.5–2008.8    1.99      8+8',
        'toy-fit:…ze=32KiB  3006.3  3002.5–3010.0  4006.3  4003.8–4008.8    1.33      8+8',
        '',
      ].join('\n'),
    );
  });

  it('writes every raw sample in the order of time', async () => {
    await run(quick, '--timing', '--timing-rounds', '2', '--timing-samples', '4', '--timing-seed', '5');
    const raw = rows('timing.csv');
    expect(raw).toHaveLength(4 * 2 * 5);
    expect(raw[0]).toMatchObject({ round: '0', position: '0', sample: '0', warm_up: '1', events: '400' });
    expect(raw[0]).toMatchObject({ cpu_resolution_ns: '1000', wall_resolution_ns: '40' });
    const order = [0, 1].flatMap((round) => roundOrder(4, 5, round));
    expect(raw.filter(({ sample }) => sample === '0').map(({ cpu_ns }) => Number(cpu_ns))).toEqual(
      order.map((index) => 400_000 * (index + 1)),
    );
    expect(new Set(raw.map(({ metrics }) => metrics))).toEqual(new Set(['off', 'on']));
  });

  it('writes statistics that can be computed again from the raw samples', async () => {
    await run(quick, '--timing', '--timing-rounds', '3', '--timing-samples', '3', '--timing-seed', '5');
    const raw = rows('timing.csv').filter((row) => row.backend === 'toy-fit' && row.metrics === 'on');
    const times = ['0', '1', '2'].map((round) =>
      raw.filter((row) => row.round === round && row.warm_up === '0').map(({ wall_ns }) => Number(wall_ns)),
    );
    const id = cells[1]!.plan.id;
    const interval = bootstrapMedian(times, new RandomStream(5, `timing/bootstrap/${id}/true/wall`));
    const summary = rows('timing-summary.csv');
    expect(summary).toHaveLength(8);
    const row = summary.find(
      ({ backend, metrics, clock }) => backend === 'toy-fit' && metrics === 'on' && clock === 'wall',
    )!;
    expect(row).toMatchObject({ processes: '3', samples: '9', events: '400' });
    expect([row.median_ns, row.median_low_ns, row.median_high_ns].map(Number)).toEqual([
      interval.median,
      interval.low,
      interval.high,
    ]);
    expect(Number(row.ns_per_event)).toBe(interval.median / 400);
    expect(Number(row.events_per_second)).toBe(400e9 / interval.median);
    expect(Number(row.relative_half_width)).toBe((interval.high - interval.low) / 2 / interval.median);
  });

  it('describes the files beside them, and leaves every exact file as it is without timing', async () => {
    await run(quick);
    const exact = Object.fromEntries(COMMON_FILES.map((name) => [name, read(name)]));
    expect(await run(quick, '--timing', '--resume')).toMatchObject({ exitCode: 0 });
    expect(Object.fromEntries(COMMON_FILES.map((name) => [name, read(name)]))).toEqual(exact);
    expect(readdirSync(out).sort()).toEqual([...COMMON_FILES, ...TIMING_FILES, 'cells', 'run.json'].sort());
    const { resources, timing } = JSON.parse(read('timing-datapackage.json'));
    expect(timing).toMatchObject({
      seed: 1,
      rounds: 5,
      samples: 3,
      timeMs: 500,
      resamples: 2000,
      problems: [],
    });
    expect(timing.machine).toMatchObject({ node: process.versions.node, v8: process.versions.v8 });
    expect(timing.machine.loadAverage).toBeGreaterThanOrEqual(0);
    expect(timing.cells).toHaveLength(2);
    for (const { path, bytes, hash, schema } of resources) {
      const text = read(path);
      expect([Buffer.byteLength(text), `sha256:${createHash('sha256').update(text).digest('hex')}`]).toEqual([
        bytes,
        hash,
      ]);
      expect(text.split('\n')[0]).toBe(schema.fields.map(({ name }: { name: string }) => name).join(','));
      const keys = rows(path).map((row) => schema.primaryKey.map((key: string) => row[key]).join('\0'));
      expect(new Set(keys).size).toBe(keys.length);
    }
  });

  it('measures anew with --resume, keeping the exact cells', async () => {
    await run(quick, '--timing', '--timing-rounds', '1');
    const cell = read('cells/toy-load.toy-fit.s1.json');
    const result = await run(quick, '--timing', '--timing-rounds', '2', '--resume');
    expect(result.exitCode).toBe(0);
    expect(rows('timing-summary.csv')[0]).toMatchObject({ processes: '2' });
    expect(read('cells/toy-load.toy-fit.s1.json')).toBe(cell);
    expect(await run(quick, '--resume')).toMatchObject({ exitCode: 0 });
    expect(rows('timing-summary.csv')[0]).toMatchObject({ processes: '2' });
  });

  it('removes the timing of results that --force replaces', async () => {
    await run(quick, '--timing', '--timing-rounds', '1');
    await run(quick, '--force');
    expect(readdirSync(out).sort()).toEqual([...COMMON_FILES, 'cells', 'run.json'].sort());
  });

  it('names a cell whose process fails in one message, and keeps what the others measured', async () => {
    let calls = 0;
    const crashing: Measure = async (job, signal) => {
      const bad = job.plan.backend.label === 'toy-fit' && job.metrics;
      if (bad && calls++ === 1) return { end: 'failed', problem: 'its process was killed by SIGSEGV' };
      return quick(job, signal);
    };
    const result = await run(crashing, '--timing', '--timing-rounds', '3');
    expect(result).toMatchObject({
      exitCode: 1,
      stderr:
        "kvabench: cannot time 'toy-load' on 'toy-fit', seed 1, metrics on, round 1: its process was killed by SIGSEGV\n",
    });
    expect(result.stdout).toMatch(/\ntoy-fit +\d.*3\n/);
    expect(rows('timing-summary.csv').map(({ processes }) => processes)).toEqual([
      '3',
      '3',
      '1',
      '1',
      '3',
      '3',
      '3',
      '3',
    ]);
    expect(JSON.parse(read('timing-datapackage.json')).timing.problems).toHaveLength(1);
    expect(existsSync(join(out, 'summary.csv'))).toBe(true);
  });

  it('writes no timing where nothing could be measured', async () => {
    const broken: Measure = async () => ({ end: 'failed', problem: 'its process ended with code 134' });
    const result = await run(broken, '--timing');
    expect(result.exitCode).toBe(1);
    expect(result.stderr.trimEnd().split('\n')).toHaveLength(4);
    expect(readdirSync(out).sort()).toEqual([...COMMON_FILES, 'cells', 'run.json'].sort());
  });

  it('ends with 130 when it is interrupted, with complete exact results', async () => {
    const interrupted: Measure = async (_job, signal) => {
      process.emit('SIGINT');
      return signal.aborted ? { end: 'interrupted' } : { end: 'failed', problem: 'no signal' };
    };
    const result = await run(interrupted, '--timing');
    expect(result).toMatchObject({ exitCode: 130 });
    expect(result.stderr).toBe(
      `kvabench: timing interrupted; the exact results in ${out} are complete, --resume --timing times them anew\n`,
    );
    expect(readdirSync(out).sort()).toEqual([...COMMON_FILES, 'cells', 'run.json'].sort());
    expect(JSON.parse(read('run.json')).status).toBe('complete');
  });

  it.each([
    [
      ['--timing', '--timing-rounds', '0'],
      "--timing-rounds: '0' is not acceptable (allowed: an integer from 1",
    ],
    [['--timing', '--timing-samples', 'x'], '--timing-samples: '],
    [['--timing', '--timing-time', '1s'], '--timing-time: '],
    [['--timing', '--timing-seed', '-1'], '--timing-seed'],
    [['--timing', '--timing-seed', '1', '--timing-seed', '2'], '--timing-seed: given more than once'],
    [['--timing-rounds', '3'], '--timing-rounds: nothing is timed (allowed: together with --timing)'],
  ])('answers %j with one message', async (argv, message) => {
    const result = await run(quick, ...argv);
    expect(result).toMatchObject({ exitCode: 1, stdout: '' });
    expect(result.stderr).toContain(message);
    expect(result.stderr).toMatch(/^kvabench: [^\n]+\n$/);
    expect(existsSync(out)).toBe(false);
  });
});
