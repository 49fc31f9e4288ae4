import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openTrace } from '../../src/trace/arrow-reader.js';
import { TraceWriter } from '../../src/trace/arrow-writer.js';
import { runCli } from '../support/run-cli.js';
import { repositoryRoot } from '../support/shared.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const SHIPPED = join(repositoryRoot, 'workloads/traces/linux612-mixed.arrow');

/** The shipped trace again, under the same name, in blocks of `blockRows` events. */
function rewritten(folder: string, blockRows: number): string {
  const { blocks, metadata } = openTrace(SHIPPED);
  mkdirSync(folder);
  const path = join(folder, 'linux612-mixed.arrow');
  const writer = new TraceWriter(path, { blockRows });
  for (const block of blocks()) writer.appendBlock(block);
  writer.finish(metadata);
  return path;
}

async function exactFiles(trace: string, out: string): Promise<Record<string, string>> {
  const { exitCode, stderr } = await runCli(['run', trace, '--out', out, '--samples', '50']);
  expect(stderr).toBe('');
  expect(exitCode).toBe(0);
  const names = readdirSync(out).filter((name) => name.endsWith('.csv') || name === 'datapackage.json');
  return Object.fromEntries(names.map((name) => [name, readFileSync(join(out, name), 'utf8')]));
}

describe('a real trace', () => {
  it('gives the same bytes whatever the size of its blocks, against every backend', async () => {
    const folder = temporaryFolder();
    const expected = await exactFiles(SHIPPED, join(folder, 'shipped'));
    expect(Object.keys(expected)).toContain('summary.csv');
    for (const blockRows of [7, 1000]) {
      const trace = rewritten(join(folder, String(blockRows)), blockRows);
      expect(openTrace(trace).metadata.digest).toBe(openTrace(SHIPPED).metadata.digest);
      expect(await exactFiles(trace, join(folder, `out-${blockRows}`))).toEqual(expected);
    }
  });
});

describe('a real trace that is damaged', () => {
  /** The shipped trace with one byte of its columns changed. */
  function damaged(folder: string): string {
    const path = join(folder, 'damaged.arrow');
    const bytes = readFileSync(SHIPPED);
    bytes[bytes.length >> 1]! ^= 1;
    writeFileSync(path, bytes);
    return path;
  }

  it('fails its cells, and leaves no result', async () => {
    const folder = temporaryFolder();
    const out = join(folder, 'out');
    const { exitCode, stdout, stderr } = await runCli(['run', damaged(folder), '--out', out]);
    expect([exitCode, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/^kvabench: .*damaged\.arrow: is damaged within bytes \d+ to \d+.*\n/);
    expect(existsSync(join(out, 'cells'))).toBe(true);
    expect(readdirSync(join(out, 'cells'))).toEqual([]);
  });

  it('leaves earlier results untouched, with --force too', async () => {
    const folder = temporaryFolder();
    const out = join(folder, 'out');
    await exactFiles(SHIPPED, out);
    const before = readFileSync(join(out, 'run.json'), 'utf8');
    const { exitCode } = await runCli(['run', damaged(folder), '--out', out, '--force']);
    expect(exitCode).toBe(1);
    expect(readFileSync(join(out, 'run.json'), 'utf8')).toBe(before);
    expect(readdirSync(folder).sort()).toEqual(['damaged.arrow', 'out', 'out.part']);
    expect(readdirSync(join(folder, 'out.part'))).toContain('failures');
  });
});
