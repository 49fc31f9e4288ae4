import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { parse } from 'csv-parse/sync';
import { describe, expect, it } from 'vitest';
import { TIMING_FILES } from '../../../src/report/record-timing.js';
import { COMMON_FILES } from '../../support/result-files.js';
import { repositoryRoot } from '../../support/shared.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

const MAIN = join(repositoryRoot, 'dist/cli/main.js');
const CELLS = ['-w', 'churn:operations=1000', '-b', 'first-fit-map', '--samples', '2', '--workers', '0'];

function argv(out: string, ...timing: string[]): string[] {
  return [MAIN, 'run', ...CELLS, '--out', out, '--timing', ...timing];
}

describe('the built program', () => {
  it('times its cells in processes of their own', () => {
    const out = join(temporaryFolder(), 'out');
    const settings = ['--timing-rounds', '1', '--timing-time', '0', '--timing-samples', '2'];
    const child = spawnSync(process.execPath, argv(out, ...settings), { encoding: 'utf8' });
    expect([child.stderr, child.status]).toEqual(['', 0]);
    expect(child.stdout).toMatch(
      /CPU nanoseconds per event, metrics off and on\n.*\nfirst-fit-map +\d.* 2\+2\n$/,
    );
    const rows: Record<string, string>[] = parse(readFileSync(join(out, 'timing.csv')), { columns: true });
    expect(rows).toHaveLength(2 * (200 + 2));
    expect(rows.every(({ wall_ns }) => Number(wall_ns) > 0)).toBe(true);
    expect(readdirSync(out).sort()).toEqual([...COMMON_FILES, ...TIMING_FILES, 'cells', 'run.json'].sort());
  });

  it('ends with 130 when it is interrupted while it times, its exact results complete', async () => {
    const out = join(temporaryFolder(), 'out');
    const started = temporaryFolder();
    const preload = join(temporaryFolder(), 'note-start.cjs');
    writeFileSync(
      preload,
      `require('node:fs').writeFileSync(${JSON.stringify(started)} + '/' + process.pid, '')`,
    );
    const child = spawn(process.execPath, argv(out, '--timing-time', '3600000'), {
      env: { ...process.env, NODE_OPTIONS: `--require ${preload}` },
    });
    let messages = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      messages += text;
    });
    child.stdout.resume();
    // The program and the first of its processes.
    while (readdirSync(started).length < 2 && child.exitCode === null) await setTimeout(20);
    child.kill('SIGINT');
    const [code] = await once(child, 'close');
    expect(code).toBe(130);
    expect(messages).toMatch(
      /^kvabench: timing interrupted; the exact results in .* are complete, [^\n]*\n$/,
    );
    expect(readdirSync(out).sort()).toEqual([...COMMON_FILES, 'cells', 'run.json'].sort());
    expect(JSON.parse(readFileSync(join(out, 'run.json'), 'utf8')).status).toBe('complete');
    for (const pid of readdirSync(started)) expect(() => process.kill(Number(pid), 0)).toThrow('ESRCH');
  });
});
