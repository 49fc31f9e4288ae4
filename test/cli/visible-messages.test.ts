import { readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { CaseCopy } from '../support/case-copy.js';
import { runCli } from '../support/run-cli.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { userBackendFile } from '../support/user-backend.js';

/** Colours, a title of the window, a way back over what was printed, and text that runs from right to left. */
const HOSTILE = '\x1b[31m\x1b]0;title\x07\r\x9b2J\u202e';

/** A folder of results with a map. */
async function resultsWithMap(): Promise<string> {
  const folder = temporaryFolder();
  const cell = ['-w', 'churn:operations=200', '-b', 'first-fit-map'];
  const { exitCode } = await runCli(['run', ...cell, '--map', '--workers', '0', '--out', folder]);
  expect(exitCode).toBe(0);
  return folder;
}

it.each([
  ['report', () => 'run.json'],
  ['map', (folder: string) => join('maps', readdirSync(join(folder, 'maps'))[0]!)],
])('%s: what a broken file holds does not reach the terminal as commands', async (command, broken) => {
  const folder = await resultsWithMap();
  writeFileSync(join(folder, broken(folder)), HOSTILE);
  const { exitCode, stderr } = await runCli([command, folder]);
  expect(exitCode).toBe(1);
  expect(stderr).toContain('\ufffd[31m');
  expect(stderr).toMatch(/^[^\p{Cc}\p{Cf}]+\n$/u);
});

it('nor does what the command line holds', async () => {
  const { stderr } = await runCli([HOSTILE]);
  expect(stderr).toMatch(/^kvabench: unknown command '[^\p{Cc}\p{Cf}]+\n$/u);
});

it('nor what a backend of the user throws', async () => {
  const folder = temporaryFolder();
  const thrown = `throw new Error(${JSON.stringify(HOSTILE)});`;
  const backend = userBackendFile(folder, 'hostile.js', ['let low = base;', thrown]);
  const cell = ['-w', 'churn:operations=20', '-b', backend, '--workers', '0'];
  const { exitCode, stderr } = await runCli(['run', ...cell, '--out', join(folder, 'out')]);
  expect(exitCode).toBe(1);
  expect(stderr).toMatch(/\ufffd\[31m[^\n]+\(cell /);
  expect(stderr).toMatch(/^(kvabench: [^\p{Cc}\p{Cf}]+\n)+$/u);
});

it('nor what the record of a shard holds', async () => {
  const folder = temporaryFolder();
  const shards = ['1/2', '2/2'].map((shard) => ({ shard, out: join(folder, shard.replace('/', 'of')) }));
  for (const { shard, out } of shards) {
    const cells = ['-w', 'churn:operations=20', '-b', 'first-fit-map', '-b', 'best-fit-map'];
    await runCli(['run', ...cells, '--workers', '0', '--shard', shard, '--out', out]);
  }
  const record = join(shards[0]!.out, 'run.json');
  const run = JSON.parse(readFileSync(record, 'utf8'));
  writeFileSync(record, JSON.stringify({ ...run, commit: HOSTILE }));
  const folders = shards.map(({ out }) => out);
  const { exitCode, stderr } = await runCli(['merge', ...folders, '--out', join(folder, 'out')]);
  expect({ exitCode, commits: stderr.includes('different commits: \ufffd[31m') }).toEqual({
    exitCode: 0,
    commits: true,
  });
  expect(stderr).toMatch(/^(kvabench: [^\p{Cc}\p{Cf}]+\n)+$/u);
});

it('nor what a golden case is called, on stdout', async () => {
  const { directory } = new CaseCopy('tiny-xalloc').editField('ops.csv.gz', 3, 'result', '0x1000');
  const renamed = join(dirname(directory), `tiny${HOSTILE}`);
  renameSync(directory, renamed);
  const { exitCode, stdout } = await runCli(['verify', renamed]);
  expect(exitCode).toBe(2);
  expect(stdout).toContain('FAILED  illumos-vmem/tiny\ufffd[31m');
  expect(stdout).toMatch(/^([^\p{Cc}\p{Cf}]*\n)+$/u);
});
