import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { runCommandWith } from '../../src/cli/commands/run.js';
import { readMap } from '../../src/harness/map/address-map.js';
import { mapFilesIn } from '../../src/harness/result-folder.js';
import { type CliResult, runCli } from '../support/run-cli.js';
import { repositoryRoot } from '../support/shared.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { TOYS } from '../support/toy.js';

let out: string;
beforeEach(() => {
  out = join(temporaryFolder(), 'out');
});

function run(...argv: string[]): Promise<CliResult> {
  const suite = [
    '-w',
    'toy-load',
    '-b',
    'toy-fit',
    '-b',
    'toy-fit:size=32KiB',
    '--samples',
    '6',
    '--out',
    out,
  ];
  return runCli(['run', ...suite, ...argv], '', [runCommandWith(TOYS)]);
}

const cellText = (): string => readFileSync(join(out, 'cells', 'toy-load.toy-fit.s1.json'), 'utf8');

describe('kvabench run --map', () => {
  it('stores a map for each cell and changes no figure', async () => {
    await run();
    const without = cellText();
    expect(mapFilesIn(out)).toEqual([]);
    expect(await run('--force', '--map')).toMatchObject({ exitCode: 0, stderr: '' });
    expect(cellText()).toBe(without);
    const maps = mapFilesIn(out).map(readMap);
    expect(maps.map(({ file }) => file.backend)).toEqual(['toy-fit', 'toy-fit:size=32KiB']);
    expect(maps[0]!.file.placementDigest).toBe(JSON.parse(without).placementDigest);
  });

  it('is made up for by --resume, and gone with the results that a run without it replaces', async () => {
    await run('--map');
    const [first] = mapFilesIn(out);
    const text = readFileSync(first!, 'utf8');
    rmSync(first!);
    await run('--map', '--resume');
    expect(readFileSync(first!, 'utf8')).toBe(text);
    await run('--force');
    expect(existsSync(join(out, 'maps'))).toBe(false);
  });

  it('reads a damaged map as bad input', async () => {
    await run('--map');
    const [path] = mapFilesIn(out);
    const text = readFileSync(path!, 'utf8');
    const file = JSON.parse(text);
    const damaged = [
      text.slice(0, 900),
      'null',
      JSON.stringify({ ...file, version: 2 }),
      JSON.stringify({ ...file, tiles: file.tiles.slice(0, 40) }),
      JSON.stringify({ ...file, windows: undefined }),
    ];
    for (const content of damaged) {
      writeFileSync(path!, content);
      expect(() => readMap(path!)).toThrow(/damaged map|not an address-space map/);
    }
  });

  it('has the same bytes in other processes, with no and with two worker threads', () => {
    const folder = temporaryFolder();
    const [none, two] = [0, 2].map((workers) => {
      const results = join(folder, String(workers));
      const argv = ['run', '-w', 'churn:operations=20000'];
      const backends = ['-b', 'illumos-vmem', '-b', 'linux-vmap'];
      const more = ['--map', '--samples', '5', '--out', results, '--workers', String(workers)];
      const main = join(repositoryRoot, 'dist/cli/main.js');
      const child = spawnSync(process.execPath, [main, ...argv, ...backends, ...more], { encoding: 'utf8' });
      expect(child).toMatchObject({ status: 0, stderr: '' });
      const maps = readdirSync(join(results, 'maps'));
      return maps.map((name) => [name, readFileSync(join(results, 'maps', name), 'utf8')]);
    });
    expect(none).toHaveLength(2);
    expect(two).toEqual(none);
  });
});

describe('kvabench map', () => {
  it.each([
    [['--format', 'text', '--format', 'html'], '--format: given more than once'],
    [['--slices', '0'], '--slices: not with --format html (allowed: --format text)'],
    [['--width', '80'], '--width: not with --format html (allowed: --format text)'],
    [['--format', 'text', '--slices', '0'], "--slices: '0' is not acceptable"],
    [['--format', 'text', '--out', 'x'], '--out: not with --format text, which is printed'],
  ])('refuses %j', async (options, message) => {
    await run('--map');
    const { exitCode, stdout, stderr } = await runCli(['map', out, ...options]);
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
    expect(stderr).toContain(message);
    expect(existsSync(join(out, 'map.html'))).toBe(false);
  });

  it('prints the page with --out -', async () => {
    await run('--map');
    const page = await runCli(['map', out, '--out', '-']);
    expect(page).toMatchObject({ exitCode: 0, stderr: '' });
    await runCli(['map', out]);
    expect(page.stdout).toBe(readFileSync(join(out, 'map.html'), 'utf8'));
    expect(existsSync('-')).toBe(false);
  });
});
