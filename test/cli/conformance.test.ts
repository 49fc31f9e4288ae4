import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { PROMISES } from '../../src/conformance/promises.js';
import { runCli } from '../support/run-cli.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { BROKEN_BACKENDS, userBackendFile } from '../support/user-backend.js';

const AFTER_REAP = 'after a reap a backend without caches grants what a new one grants';
const RANDOM_HISTORIES = PROMISES.at(-1)!.name;

let folder: string;

beforeEach(() => {
  folder = temporaryFolder();
});

/** A promise that must be broken by each mistake, and what must be said of it. */
const NOTICED: Readonly<Record<string, readonly [string, RegExp]>> = {
  throws: [
    'live ranges of all classes never overlap',
    /operation \d+ at 0 ns: alloc .*: TypeError: no room$/,
  ],
  'throws in free': [RANDOM_HISTORIES, /operation 2 at 0 ns: free .*: TypeError: Cannot read/],
  'throws no error': ['operations take simulated locks', /operation 1 at 0 ns: alloc .*: 5 was thrown$/],
  overlaps: [
    RANDOM_HISTORIES,
    /answered 0x10000000000: it overlaps .*live \w+ \d+ at 0x10000000000 of operation 1$/,
  ],
  'overlaps with footprints': [RANDOM_HISTORIES, /it overlaps \(with its footprint of \d+ bytes\)/],
  misaligns: ['constraints of va requests are met', /with align=\d+.* answered 0x\w+: modulo/],
  'leaks some': [AFTER_REAP, /^\d+ bytes of class 0 are refused: a leak$/],
  'leaks all': [AFTER_REAP, /^\d+ bytes of class 0 are refused: a leak$/],
  'answers nothing': [RANDOM_HISTORIES, /answered undefined: that is no address, nor NO_ADDRESS/],
  'answers fractions': [RANDOM_HISTORIES, /answered \d+\.5: that is no address/],
  'leaves its range': [RANDOM_HISTORIES, /that is not within/],
  'has a footprint below the request': [RANDOM_HISTORIES, /: footprint of \w+ 1 is 0 \(allowed: an integer/],
};

describe('kvabench conformance', () => {
  it('prints a line for each promise and their count', async () => {
    const { exitCode, stdout, stderr } = await runCli([
      'conformance',
      userBackendFile(folder),
      '--histories',
      '20',
    ]);
    const lines = PROMISES.map(({ name }) => `ok      my-backend: ${name}\n`);
    expect(stderr).toBe('');
    expect(stdout).toBe(`${lines.join('')}${PROMISES.length} kept, 0 failed\n`);
    expect(exitCode).toBe(0);
  });

  it('takes names of shipped backends, parameters, and several at once', async () => {
    const file = `${userBackendFile(folder)}:size=2GiB`;
    const argv = [
      'conformance',
      file,
      'first-fit-map:merge=false',
      '--histories',
      '5',
      '--seed',
      '7',
      '--json',
    ];
    const { exitCode, stdout } = await runCli(argv);
    const report = JSON.parse(stdout);
    expect(report).toMatchObject({ kept: 2 * PROMISES.length, failed: 0 });
    expect(new Set(report.promises.map(({ backend }: { backend: string }) => backend))).toEqual(
      new Set(['my-backend:size=2GiB', 'first-fit-map:merge=false']),
    );
    expect(exitCode).toBe(0);
  });

  it.each(Object.entries(BROKEN_BACKENDS))('notices a backend that %s', async (mistake, change) => {
    const path = userBackendFile(folder, 'my-backend.js', change);
    const { exitCode, stdout, stderr } = await runCli(['conformance', path, '--histories', '50', '--json']);
    const [promise, reason] = NOTICED[mistake]!;
    const { promises } = JSON.parse(stdout);
    const verdict = promises.find((verdict: { promise: string }) => verdict.promise === promise);
    expect(verdict).toMatchObject({ kept: false, reason: expect.stringMatching(reason) });
    expect({ exitCode, stderr }).toEqual({ exitCode: 2, stderr: '' });
  });

  it('prints the shortest history that it found', async () => {
    const path = userBackendFile(folder, 'my-backend.js', BROKEN_BACKENDS['throws in free']!);
    const { stdout } = await runCli(['conformance', path]);
    expect(stdout).toMatch(
      /\n {8}the shortest history found:\n {12}1 {2}alloc kmem 1 on CPU 0 -> 0x10000000000\n {12}2 {2}check\n {12}3 {2}free everything\n/,
    );
    expect(stdout).toMatch(/\n\d+ kept, \d+ failed\n$/);
  });

  it('a promise that the modelled kernel rightly breaks is known, with its reason, and no failure', async () => {
    const { exitCode, stdout } = await runCli(['conformance', 'freebsd-vmem', '--histories', '1']);
    expect(stdout).toContain(
      'known   freebsd-vmem: a reap gives back, and without caches everything is as it was\n',
    );
    expect(stdout).toContain('        kernel and the arenas of the domains have no release function');
    expect(stdout).toMatch(new RegExp(`\\n${PROMISES.length - 1} kept, 0 failed, 1 known\\n$`));
    expect(exitCode).toBe(0);
  });

  it('ends the shortest history with the free of everything where that is what fails', async () => {
    const change = [
      'live.splice(index, 1);',
      'if (live.length === 3) throw new Error("three"); live.splice(index, 1);',
    ];
    const path = userBackendFile(folder, 'my-backend.js', change as [string, string]);
    const { promises } = JSON.parse((await runCli(['conformance', path, '--json'])).stdout);
    expect(promises.at(-1).operations).toHaveLength(5);
    expect(promises.at(-1).operations.slice(3)).toEqual(['check', 'free everything']);
  });

  it.each([
    [['none.js'], 'none.js: cannot read the backend: ENOENT'],
    [['budy'], "kvabench: unknown backend 'budy'; did you mean 'buddy'?"],
    [
      ['buddy', '--histories', '0'],
      "--histories: '0' is not acceptable (allowed: an integer from 1 to 1000000)",
    ],
    [['buddy', '--seed', 'x'], "--seed: 'x' is not acceptable"],
    [['buddy', '--time-limit', '0'], "--time-limit: '0' is not acceptable"],
    [['buddy', '--histories', '1', '--histories', '2'], '--histories: given more than once'],
    [['buddy:size=1'], "unknown parameter of backend 'buddy' 'size'"],
    [[], 'missing <backend..>'],
  ])('refuses %s', async (argv, message) => {
    const { exitCode, stdout, stderr } = await runCli(['conformance', ...argv]);
    expect(stderr).toContain(message);
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
  });

  it('refuses a file that exports no backend', async () => {
    const path = join(folder, 'empty.js');
    writeFileSync(path, 'export const backends = [];\n');
    const { exitCode, stderr } = await runCli(['conformance', path]);
    expect(stderr).toContain(`${path}: export: is missing (allowed: export default`);
    expect(exitCode).toBe(1);
  });
});
