import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { openTrace } from '../../src/trace/arrow-reader.js';
import { runCli } from '../support/run-cli.js';
import { repositoryRoot } from '../support/shared.js';
import { eventsOf, fixture, importInto, temporaryFolder } from './support.js';

const folder = temporaryFolder();

/** Runs a command of `kvabench trace` that must succeed, and opens what it wrote. */
async function made(output: string, ...words: string[]) {
  const out = folder.path(output);
  const result = await runCli(['trace', ...words, '--out', out, '--force']);
  expect(result).toMatchObject({ exitCode: 0, stderr: '' });
  return openTrace(out);
}

async function imported(name = 'boot-kva.txt') {
  await importInto(folder.path('whole.arrow'), { path: fixture(name) });
  return folder.path('whole.arrow');
}

describe('kvabench trace convert', () => {
  it.each(['boot-kva.txt', 'boot-kmem.txt.gz'])(
    'loses nothing of %s on the way to CSV and back',
    async (name) => {
      const whole = await imported(name);
      const csv = folder.path('whole.csv');
      expect((await runCli(['trace', 'convert', whole, '--out', csv, '--force'])).exitCode).toBe(0);
      const back = await made('back.arrow', 'convert', csv);
      expect(readFileSync(back.path).equals(readFileSync(whole))).toBe(true);
      writeFileSync(`${csv}.gz`, gzipSync(readFileSync(csv)));
      expect((await made('back.arrow', 'convert', `${csv}.gz`)).metadata).toEqual(openTrace(whole).metadata);
      expect((await runCli(['trace', 'convert', whole, '--out', csv])).stderr).toMatch(
        /file exists; --force/,
      );
    },
  );

  it('gives the bytes of the shipped recordings back', async () => {
    for (const name of ['linux612-mixed', 'linux612-forkstorm']) {
      const shipped = join(repositoryRoot, `workloads/traces/${name}.arrow`);
      const csv = folder.path('shipped.csv');
      expect(await runCli(['trace', 'convert', shipped, '--out', csv, '--force'])).toMatchObject({
        exitCode: 0,
      });
      const back = await made('back.arrow', 'convert', csv);
      expect(readFileSync(back.path).equals(readFileSync(shipped)), name).toBe(true);
    }
  });

  it.each([
    [
      'a row that frees a dead object',
      (text: string) => `${text}9999999999,0,1,0,0,64,-1,-1,-1\n`,
      /bad\.csv:\d+: bad trace event/,
    ],
    [
      'a word in a row',
      (text: string) => `${text}x,0,1,0,0,64,-1,-1,-1\n`,
      /bad\.csv:\d+: is no row of a trace/,
    ],
    [
      'a site that is not there',
      (text: string) => `${text}9999999999,0,0,0,9,64,-1,77,-1\n`,
      /there is no site 77/,
    ],
    ['a cut last line', (text: string) => text.slice(0, -1), /the last line is cut/],
    ['no metadata', (text: string) => text.slice(text.indexOf('\n') + 1), /is no trace as CSV/],
    [
      'other metadata',
      (text: string) => text.replace('"formatVersion":1', '"formatVersion":9'),
      /trace format version 9/,
    ],
  ])('refuses %s', async (_what, damage, message) => {
    const csv = folder.path('bad.csv');
    await runCli(['trace', 'convert', await imported(), '--out', csv, '--force']);
    writeFileSync(csv, damage(readFileSync(csv, 'utf8')));
    const result = await runCli(['trace', 'convert', csv, '--out', folder.path('never.arrow')]);
    expect(result.exitCode).toBe(1);
    expect(result.stderr).toMatch(message);
    expect(folder.names()).not.toContain('never.arrow');
  });
});

describe('kvabench trace cut', () => {
  it('keeps what lives at the beginning, and moves time', async () => {
    const whole = openTrace(await imported());
    const middle = Math.floor(whole.metadata.durationNs / 2);
    const cut = await made('late.arrow', 'cut', whole.path, '--from', `${middle}ns`);
    const before = eventsOf(whole).filter(({ timeNs }) => timeNs < middle);
    const alive = before.filter(({ op }) => op === 0).length - before.filter(({ op }) => op === 1).length;
    const after = eventsOf(whole).filter(({ timeNs }) => timeNs >= middle);
    const events = eventsOf(cut);
    expect(alive).toBeGreaterThan(10);
    expect(events.slice(0, alive).every(({ op, timeNs }) => op === 0 && timeNs === 0)).toBe(true);
    expect(events.slice(alive).map(({ timeNs, size, op }) => [timeNs + middle, size, op])).toEqual(
      after.map(({ timeNs, size, op }) => [timeNs, size, op]),
    );
    expect(cut.metadata.origin).toBe(`9.745981 + ${middle} ns`);
  });

  it('keeps objects by class, CPU and size, whole', async () => {
    const whole = openTrace(await imported());
    const words = ['--class', 'va', '--cpu', '1', '--min-size', '8K', '--max-size', '12K'];
    const cut = await made('part.arrow', 'cut', whole.path, ...words);
    const wanted = eventsOf(whole).filter(
      ({ op, cls, cpu, size }) => op === 0 && cls === 2 && cpu === 1 && size >= 8192 && size <= 12288,
    );
    const kept = eventsOf(cut).filter(({ op }) => op === 0);
    expect(kept.map(({ timeNs, address }) => [timeNs, address])).toEqual(
      wanted.map(({ timeNs, address }) => [timeNs, address]),
    );
    expect(cut.metadata.provenance.options.derived).toMatch(
      /^cut 0 ns to the end, classes va, CPUs 1, sizes 8192 to 12288/,
    );
    const fifth = await made('fifth.arrow', 'cut', whole.path, '--one-of', '5');
    const allocs = eventsOf(whole).filter(({ op }) => op === 0).length;
    expect(eventsOf(fifth).filter(({ op }) => op === 0)).toHaveLength(Math.ceil(allocs / 5));
  });

  it.each([
    [['--class', 'nothing'], /--class: 'nothing' is no request class/],
    [['--from', '1h'], /nothing is left|--from/],
    [['--one-of', '0'], /--one-of/],
    [['--class', 'guest'], /nothing is left of the trace/],
  ])('refuses %j', async (words, message) => {
    const result = await runCli([
      'trace',
      'cut',
      await imported(),
      '--out',
      folder.path('never.arrow'),
      ...words,
    ]);
    expect(result.exitCode).toBe(1);
    expect(result.stderr).toMatch(message);
    expect(folder.names()).not.toContain('never.arrow');
  });
});

describe.each([
  ['parquet', 'is a Parquet file'],
  ['csv', 'is a trace as CSV'],
])('a trace as .%s', (ending, what) => {
  it.each([
    ['run', ''],
    ['trace info', ''],
    ['trace import', 'new'],
    ['trace cut', 'new'],
    ['trace merge', 'new'],
  ])('is refused by %s with the command that makes a trace of it', async (command, out) => {
    const other = folder.path(`other.${ending}`);
    const whole = await imported();
    expect((await runCli(['trace', 'convert', whole, '--out', other, '--force'])).exitCode).toBe(0);
    const words = [...command.split(' '), other];
    if (command === 'trace merge') words.push(whole);
    if (out !== '') words.push('--out', folder.path('never.arrow'));
    expect(await runCli(words)).toEqual({
      exitCode: 1,
      stdout: '',
      stderr: `kvabench: ${other}: ${what}, which has to be converted first (allowed: a trace: kvabench trace convert ${other} --out other.arrow makes one of it)\n`,
    });
    expect(folder.names()).not.toContain('never.arrow');
  });

  it('is told by its content, packed or oddly named', async () => {
    const other = folder.path(`other.${ending}`);
    await runCli(['trace', 'convert', await imported(), '--out', other, '--force']);
    writeFileSync(`${other}.gz`, gzipSync(readFileSync(other)));
    expect((await runCli(['trace', 'info', `${other}.gz`])).stderr).toContain(`.gz: ${what}, which`);
    copyFileSync(other, folder.path('-odd name'));
    expect((await runCli(['trace', 'info', folder.path('-odd name')])).stderr).toContain(
      'kvabench trace convert FILE --out TRACE.arrow',
    );
  });
});

describe('kvabench trace merge', () => {
  const essence = (trace: ReturnType<typeof openTrace>) =>
    eventsOf(trace).map(({ timeNs, op, cls, size, address }) => `${timeNs} ${op} ${cls} ${size} ${address}`);

  it('puts the parts of a trace together again', async () => {
    const whole = openTrace(await imported());
    const areas = await made('a.arrow', 'cut', whole.path, '--class', 'va', '--class', 'stackArea');
    const rest = await made('b.arrow', 'cut', whole.path, '--class', 'kstack', '--class', 'task');
    const merged = await made('merged.arrow', 'merge', areas.path, rest.path);
    expect(essence(merged).sort()).toEqual(essence(whole).sort());
    expect(merged.metadata).toMatchObject({ origin: '9.745981', objectLimit: whole.metadata.objectLimit });
    expect(merged.constraints).toEqual(whole.constraints);
  });

  it('shifts what was recorded later, and refuses clocks that differ', async () => {
    const line = (stamp: string, pointer: string) =>
      `            bash-7       [000] .....  ${stamp}: kmalloc: call_site=f ptr=ffff8880000${pointer} bytes_req=8 bytes_alloc=8\n`;
    await importInto(folder.path('a.arrow'), { text: line('10.000002', '00040') });
    await importInto(folder.path('b.arrow'), { text: line('10.000001', '00080') });
    const merged = await made('m.arrow', 'merge', folder.path('a.arrow'), folder.path('b.arrow'));
    expect(eventsOf(merged).map(({ timeNs, object }) => [timeNs, object])).toEqual([
      [0, 0],
      [1000, 1],
    ]);
    expect(merged.metadata.origin).toBe('10.000001');
    await importInto(folder.path('c.arrow'), { path: fixture('clock-uptime.txt') });
    const words = [
      'trace',
      'merge',
      folder.path('a.arrow'),
      folder.path('c.arrow'),
      '--out',
      folder.path('n.arrow'),
    ];
    expect((await runCli(words)).stderr).toMatch(
      /traces of different clocks: seconds; bare integers, 1 ns each\n$/,
    );
    expect(
      (await runCli(['trace', 'merge', folder.path('a.arrow'), '--out', folder.path('n.arrow')])).stderr,
    ).toMatch(/nothing to merge/);
  });

  /** Imports one allocation with a stamp and returns the trace's path. */
  async function stamped(name: string, stamp: string, tickNs = 1): Promise<string> {
    const line = `            bash-7       [000] .....  ${stamp}: kmalloc: call_site=f ptr=ffff888000000040 bytes_req=8 bytes_alloc=8\n`;
    await importInto(folder.path(name), { text: line }, { options: { tickNs } });
    return folder.path(name);
  }

  it('counts bare integers in their units, and what a cut left out', async () => {
    const [first, second] = [await stamped('t1.arrow', '1000', 20), await stamped('t2.arrow', '1003', 20)];
    const merged = await made('ticks.arrow', 'merge', second, first);
    expect(eventsOf(merged).map(({ timeNs }) => timeNs)).toEqual([0, 60]);
    expect(merged.metadata.origin).toBe('1000');
    const late = await made('late.arrow', 'cut', merged.path, '--from', '60ns');
    const both = await made('both.arrow', 'merge', merged.path, late.path);
    expect(eventsOf(both).map(({ timeNs }) => timeNs)).toEqual([0, 60, 60, 60]);
    expect(late.metadata.origin).toBe('1000 + 60 ns');
  });

  it('refuses a trace that is there twice, under one name or two', async () => {
    const whole = await imported();
    copyFileSync(whole, folder.path('copy.arrow'));
    for (const again of [whole, folder.path('copy.arrow')]) {
      const words = ['trace', 'merge', whole, again, '--out', folder.path('twice.arrow')];
      const result = await runCli(words);
      expect(result).toMatchObject({ exitCode: 1, stdout: '' });
      expect(result.stderr).toBe(
        `kvabench: ${again}: the same trace as ${whole}: its events would be there twice (allowed: different traces of one run)\n`,
      );
    }
    expect(folder.names()).not.toContain('twice.arrow');
  });

  it('takes traces of generators, which begin together', async () => {
    for (const seed of ['1', '2']) {
      await made(`g${seed}.arrow`, 'generate', 'churn:operations=50,live=5', '--seed', seed);
    }
    const merged = await made('g.arrow', 'merge', folder.path('g1.arrow'), folder.path('g2.arrow'));
    expect(merged.metadata).toMatchObject({ origin: '0', clock: 'simulated' });
  });

  it('refuses clocks that it does not know, and traces too far apart', async () => {
    const seconds = [await stamped('s1.arrow', '1.5'), await stamped('s2.arrow', '99999999.5')];
    const words = ['trace', 'merge', ...seconds, '--out', folder.path('never.arrow')];
    expect((await runCli(words)).stderr).toMatch(
      /s2\.arrow: begins 99999998000000000 ns after the first of the traces \(allowed: an end within 2\^53 ns\)\n$/,
    );
    const path = await imported();
    const csv = folder.path('clock.csv');
    await runCli(['trace', 'convert', path, '--out', csv, '--force']);
    writeFileSync(csv, readFileSync(csv, 'utf8').replace('"clock":"seconds"', '"clock":"sundial"'));
    const odd = await made('odd.arrow', 'convert', csv);
    const refused = await runCli(['trace', 'merge', odd.path, odd.path, '--out', folder.path('never.arrow')]);
    expect(refused.stderr).toMatch(
      /odd\.arrow: origin '9\.745981' of clock 'sundial' cannot be compared \(allowed: /,
    );
    expect(folder.names().filter((name) => name.includes('never'))).toEqual([]);
  });
});
