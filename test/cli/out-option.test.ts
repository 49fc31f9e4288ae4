import { existsSync, rmSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { shippedTrace } from '../../src/harness/catalogue.js';
import { runCli } from '../support/run-cli.js';
import { toyResults } from '../support/toy-results.js';

const TRACE = shippedTrace('linux612-mixed')!;

/** Whether a file or folder of the name `-` was made; it is removed. */
function madeDash(): boolean {
  const made = existsSync('-');
  rmSync('-', { recursive: true, force: true });
  return made;
}

describe('--out - never makes a file or folder of that name', () => {
  it.each([
    ['a folder', ['run', '-w', 'churn:operations=20', '-b', 'first-fit-map', '--workers', '0']],
    ['a folder', ['merge', 'no-such-folder']],
    ['a file', ['trace', 'import', TRACE]],
    ['a file', ['trace', 'generate', 'churn:operations=20']],
    ['a file', ['trace', 'cut', TRACE]],
    ['a file', ['trace', 'convert', TRACE]],
    ['a file', ['trace', 'merge', TRACE, TRACE]],
  ])('which is %s of %j', async (what, argv) => {
    const { exitCode, stdout, stderr } = await runCli([...argv, '--out', '-']);
    expect(stderr).toBe(`kvabench: --out: cannot go to standard output (allowed: ${what})\n`);
    expect({ exitCode, stdout, made: madeDash() }).toEqual({ exitCode: 1, stdout: '', made: false });
  });

  it.each(['svg', 'csv'])('nor for several figures as %s; one is printed', async (format) => {
    const path = await toyResults();
    const all = await runCli(['report', path, '--format', format, '--out', '-']);
    expect(all.stderr).toMatch(
      /--out: \d+ figures cannot go to standard output \(allowed: a folder, or one of them: --figure .*holes-1/,
    );
    expect({ exitCode: all.exitCode, stdout: all.stdout, made: madeDash() }).toEqual({
      exitCode: 1,
      stdout: '',
      made: false,
    });
    const one = await runCli(['report', path, '--format', format, '--figure', 'holes-1', '--out', '-']);
    expect(one).toMatchObject({ exitCode: 0, stderr: '' });
    expect(one.stdout).toMatch(format === 'svg' ? /^<svg / : /^[a-z_,."]+\n/);
  });
});
