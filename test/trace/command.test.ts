import { copyFileSync, existsSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { sparkline } from '../../src/cli/commands/trace-tables.js';
import { runProgram } from '../../src/cli/program.js';
import { openTrace } from '../../src/trace/arrow-reader.js';
import { IMPORTER_NAMES } from '../../src/trace/importers/registry.js';
import { runCli } from '../support/run-cli.js';
import { fixture, temporaryFolder } from './support.js';

const folder = temporaryFolder();

describe('kvabench trace import', () => {
  it('writes a trace with its provenance and says what it left out', async () => {
    const out = folder.path('boot.arrow');
    const words = ['--name', 'boot', '--licence', 'L', '--capture', 'first', '--capture', 'second'];
    const result = await runCli(['trace', 'import', fixture('boot-kva.txt'), '--out', out, ...words]);
    expect(result).toMatchObject({ exitCode: 0, stderr: '' });
    expect(result.stdout).toContain('155 events from 312 lines, digest ');
    expect(result.stdout).toMatch(/ {2}module-range-not-stored +46 {2}va +\S/);
    const { name, provenance } = openTrace(out).metadata;
    expect(name).toBe('boot');
    expect(provenance).toMatchObject({
      source: 'boot-kva.txt',
      importer: 'ftrace 1',
      capture: 'first\nsecond',
      licence: 'L',
    });
    expect(provenance.sourceDigest).toMatch(/^[0-9a-f]{64}$/);
  });

  it('reads standard input', async () => {
    const out = folder.path('stdin.arrow');
    const text = readFileSync(fixture('marker.txt'), 'utf8');
    expect((await runCli(['trace', 'import', '-', '--out', out], text)).exitCode).toBe(0);
    expect(openTrace(out).metadata).toMatchObject({ eventCount: 9, name: 'standard input' });
  });

  it('calls a recording from a pipe as it is told to', async () => {
    const out = folder.path('named.arrow');
    const text = readFileSync(fixture('marker.txt'), 'utf8');
    await runCli(['trace', 'import', '-', '--out', out, '--source-name', 'far.txt, lines 1..9'], text);
    expect(openTrace(out).metadata).toMatchObject({
      name: 'far, lines 1..9',
      provenance: { source: 'far.txt, lines 1..9' },
    });
  });

  it('never replaces the recording, nor what is no regular file', async () => {
    const recording = folder.path('only-copy.txt');
    copyFileSync(fixture('marker.txt'), recording);
    symlinkSync(recording, folder.path('alias.arrow'));
    for (const out of [recording, folder.path('alias.arrow')]) {
      const result = await runCli(['trace', 'import', recording, '--out', out, '--force']);
      expect(result.exitCode).toBe(1);
      expect(result.stderr).toMatch(/the trace would replace the recording it is made from\n$/);
    }
    expect(readFileSync(recording).equals(readFileSync(fixture('marker.txt')))).toBe(true);
    for (const out of [folder.path('.'), '/dev/null']) {
      const result = await runCli(['trace', 'import', recording, '--out', out, '--force']);
      expect(result.stderr).toBe(`kvabench: ${out}: cannot be replaced: it is no regular file\n`);
    }
  });

  it('leaves nothing behind when it is interrupted', async () => {
    const lines = readFileSync(fixture('marker.txt'));
    async function* typed() {
      yield lines;
      yield lines;
      process.emit('SIGINT');
      yield lines;
    }
    const before = folder.names();
    const stderr: string[] = [];
    const exitCode = await runProgram(['trace', 'import', '-', '--out', folder.path('half.arrow')], {
      stdout: { write: () => expect.unreachable() },
      stderr: { write: (text) => stderr.push(text) },
      stdin: Readable.from(typed()),
      env: {},
    });
    expect(exitCode).toBe(130);
    expect(stderr).toEqual(['kvabench: interrupted; nothing was written\n']);
    expect(folder.names()).toEqual(before);
  });

  it('replaces a file only if told to', async () => {
    const out = folder.path('old.arrow');
    writeFileSync(out, 'old');
    const refused = await runCli(['trace', 'import', fixture('marker.txt'), '--out', out]);
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toMatch(/^kvabench: .*old\.arrow: the file exists; --force replaces it\n$/);
    const failed = await runCli(['trace', 'import', fixture('opt-raw.txt'), '--out', out, '--force']);
    expect(failed.exitCode).toBe(1);
    expect(readFileSync(out, 'utf8')).toBe('old');
    const done = await runCli(['trace', 'import', fixture('marker.txt'), '--out', out, '--force']);
    expect(done.exitCode).toBe(0);
    expect(openTrace(out).metadata.eventCount).toBe(9);
  });

  it.each([
    [
      ['--format', 'ftrce'],
      /format: unknown trace format 'ftrce'; did you mean 'ftrace'\? \(allowed: .*ftrace.*\)/,
    ],
    [['--thread-size', '16x'], /--thread-size: '16x' is not a length/],
    [['--page-size', '0'], /--page-size: a page has bytes/],
    [['--tick-ns', '0'], /--tick-ns: '0' is not acceptable \(allowed: an integer from 1 to 1000000000\)/],
    [['--format', 'ftrace', '--format', 'csv'], /--format: given more than once\n$/],
    [['--name', 'one', '--name', 'two'], /--name: given more than once\n$/],
    [['--free-at', 'unmap', '--free-at', 'purge'], /--free-at: given more than once\n$/],
    [['--kmem-size', 'big'], /kmem-size/],
    [['--nonsense'], /nonsense/],
  ])('refuses %j with one message', async (words, message) => {
    const out = folder.path('never.arrow');
    const result = await runCli(['trace', 'import', fixture('marker.txt'), '--out', out, ...words]);
    expect(result.exitCode).toBe(1);
    expect(result.stderr).toMatch(message);
    expect(existsSync(out)).toBe(false);
  });

  it('refuses traces', async () => {
    const trace = folder.path('again.arrow');
    await runCli(['trace', 'import', fixture('marker.txt'), '--out', trace]);
    const again = await runCli(['trace', 'import', trace, '--out', folder.path('x.arrow')]);
    expect(again.stderr).toMatch(/again\.arrow: is an Arrow file and no recording: traces need no import\n$/);
    expect(folder.names()).not.toContain('x.arrow');
  });

  it('refuses text in no known format', async () => {
    const result = await runCli(['trace', 'import', '-', '--out', folder.path('x.arrow')], 'hello\nworld\n');
    expect(result.stderr).toBe(
      `kvabench: standard input: is in no format that can be imported (allowed: ${IMPORTER_NAMES.join(', ')})\n`,
    );
    expect(result.exitCode).toBe(1);
  });
});

describe('kvabench trace info', () => {
  it('prints the same for a trace and for the recording it was made from, as text and as JSON', async () => {
    const out = folder.path('info.arrow');
    await runCli(['trace', 'import', fixture('boot-kva.txt'), '--out', out]);
    const fromTrace = await runCli(['trace', 'info', out]);
    expect(fromTrace.exitCode).toBe(0);
    expect(fromTrace.stdout).toMatch(/kind +allocs +frees +live at end/);
    expect(fromTrace.stdout).toMatch(/va\+stackArea +64 /);
    expect(fromTrace.stdout).toMatch(/ task +[ ▁-█]{50} +\d+\n/);
    expect((await runCli(['trace', 'info', fixture('boot-kva.txt')])).stdout).toBe(fromTrace.stdout);
    const json = JSON.parse((await runCli(['trace', 'info', out, '--json'])).stdout);
    expect(json).toMatchObject({ eventCount: 155, cpuCount: 2, unparsed: 0, lost_lines: 0 });
    expect(Object.fromEntries(json.counts)).toMatchObject({ alloc_vmap_area: 64 });
    expect(json.vmap).toMatchObject({ allocs: 64, alloc_on_live: 0 });
    expect(json.kstack.life_us).toHaveLength(7);
    expect(fromTrace.stdout).toMatch(/kstack +16384\.\. /);
    expect(json.kinds.map(({ name }: { name: string }) => name)).toEqual([
      'kstack',
      'va',
      'stackArea',
      'task',
      'va+stackArea',
    ]);
  });

  it('refuses a missing and a damaged file', async () => {
    const missing = await runCli(['trace', 'info', folder.path('nowhere')]);
    expect(missing).toMatchObject({ exitCode: 1, stdout: '' });
    writeFileSync(folder.path('bad.arrow'), 'ARROW1\0\0 and nothing more');
    const damaged = await runCli(['trace', 'info', folder.path('bad.arrow')]);
    expect(damaged.exitCode).toBe(1);
    expect(damaged.stderr).toContain('bad.arrow: is cut short');
  });
});

describe('sparkline', () => {
  it('is highest at the greatest value, and nothing only at 0', () => {
    expect(sparkline([0, 1, 400, 500, 800])).toBe(' ▁▄▅█');
    expect(sparkline([0, 0])).toBe('  ');
  });
});

describe('kvabench trace', () => {
  it('wants to know what to do', async () => {
    expect(await runCli(['trace'])).toMatchObject({ exitCode: 1, stdout: '' });
    expect((await runCli(['trace', '--help'])).stdout).toMatch(/import .*info /s);
  });
});
