import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runCli } from '../support/run-cli.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { toyResults } from '../support/toy-results.js';

describe('kvabench report', () => {
  it('writes one HTML file into the folder of results', async () => {
    const path = await toyResults();
    const { exitCode, stdout } = await runCli(['report', path]);
    const file = join(path, 'report.html');
    expect([exitCode, stdout]).toEqual([0, `${file}\n`]);
    expect(readFileSync(file, 'utf8')).toMatch(/^<!doctype html>/);
  });

  it.each([
    ['text', /^toys\n────/],
    ['md', /^# toys\n/],
  ])('prints %s', async (format, beginning) => {
    const path = await toyResults();
    const { exitCode, stdout, stderr } = await runCli(['report', path, '--format', format]);
    expect([exitCode, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(beginning);
    expect(readdirSync(path)).not.toContain('report.html');
  });

  it.each(['svg', 'csv'])('writes a file per figure as %s, or one that is named', async (format) => {
    const path = await toyResults();
    const out = join(temporaryFolder(), 'figures');
    const all = await runCli(['report', path, '--format', format, '--out', out]);
    const files = readdirSync(out);
    expect(all.stdout).toBe(`${out}: ${files.length} figures\n`);
    expect(files).toContain(`holes-1.${format}`);
    const one = await runCli(['report', path, '--format', format, '--figure', 'holes-1']);
    expect(one.stdout).toBe(readFileSync(join(out, `holes-1.${format}`), 'utf8'));
    const file = join(out, 'one');
    await runCli(['report', path, '--format', format, '--figure', 'holes-1', '--out', file]);
    expect(readFileSync(file, 'utf8')).toBe(one.stdout);
  });

  it.each([
    [['--figure', 'hole-1', '--format', 'svg'], /unknown figure 'hole-1'; did you mean 'holes-1'/],
    [['--figure', 'holes-1'], /--figure: not with --format html \(allowed: --format svg or csv\)/],
    [['--format', 'pdf'], /format/],
    [['--format', 'md', '--format', 'html'], /--format: given more than once/],
    [['--out', 'a', '--out', 'b'], /--out: given more than once/],
  ])('refuses %j', async (options, message) => {
    const path = await toyResults();
    const { exitCode, stderr } = await runCli(['report', path, ...options]);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(message);
    expect(existsSync(join(path, 'report.html'))).toBe(false);
  });

  it('refuses a folder without results, and leaves an earlier report when a table is broken', async () => {
    const none = await runCli(['report', temporaryFolder()]);
    expect(none.exitCode).toBe(1);
    expect(none.stderr).toMatch(/no results: run.json is missing/);
    const loop = join(temporaryFolder(), 'loop');
    symlinkSync(loop, loop);
    expect((await runCli(['report', loop])).stderr).toMatch(
      /^kvabench: \S+loop: cannot read: ELOOP[^\n]+\n$/,
    );
    const path = await toyResults();
    await runCli(['report', path]);
    const before = readFileSync(join(path, 'report.html'), 'utf8');
    writeFileSync(join(path, 'samples.csv'), 'workload\n');
    const broken = await runCli(['report', path]);
    expect(broken.exitCode).toBe(1);
    expect(broken.stderr).toMatch(/samples.csv:1: column 2 is ''/);
    expect(readFileSync(join(path, 'report.html'), 'utf8')).toBe(before);
  });

  it('replays golden cases with --verify, and says how many agree', async () => {
    const path = join(temporaryFolder(), 'guests');
    const options = ['-w', 'guest:duration=1h', '-b', 'bhyve-reservoir', '--samples', '2', '--out', path];
    expect((await runCli(['run', ...options])).exitCode).toBe(0);
    const unknown = await runCli(['report', path, '--format', 'md']);
    expect(unknown.stdout).toMatch(/\| bhyve-reservoir: [1-9]\d* cases \|/);
    const verified = await runCli(['report', path, '--format', 'md', '--verify']);
    expect(verified.stdout).toMatch(/\| bhyve-reservoir: ([1-9]\d*)\/\1 cases \|/);
  });

  it('says what it cannot write', async () => {
    const path = await toyResults();
    const out = join(temporaryFolder(), 'taken');
    mkdirSync(out);
    const { exitCode, stderr } = await runCli(['report', path, '--out', out]);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/taken: cannot write/);
  });
});
