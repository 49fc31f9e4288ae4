import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { runCli } from '../support/run-cli.js';
import { temporaryFolder } from '../support/temporary-folder.js';

let folder: string;

beforeEach(() => {
  folder = temporaryFolder();
});

describe('kvabench new backend', () => {
  it('writes a backend of that name that keeps every promise', async () => {
    const out = join(folder, 'sub', 'zone-map.mjs');
    const written = await runCli(['new', 'backend', 'zone-map', '--out', out]);
    expect(written).toMatchObject({ exitCode: 0, stderr: '' });
    expect(written.stdout).toContain(`kvabench conformance ${out}\n`);
    const judged = await runCli(['conformance', out, '--histories', '20']);
    expect(judged.stdout).toMatch(/^ok {6}zone-map: /);
    expect(judged).toMatchObject({ exitCode: 0, stdout: expect.stringContaining(', 0 failed\n') });
  });

  it('never writes over a file', async () => {
    const out = join(folder, 'zone-map.js');
    writeFileSync(out, 'mine');
    const { exitCode, stderr } = await runCli(['new', 'backend', 'zone-map', '--out', out]);
    expect(stderr).toContain(`${out}: --out: the file exists`);
    expect(exitCode).toBe(1);
    expect(readFileSync(out, 'utf8')).toBe('mine');
  });

  it.each([
    [['new', 'backend', 'Zone_Map'], "'Zone_Map' is no name of a backend (allowed: lower-case words"],
    [['new', 'backend', 'a--b'], "'a--b' is no name of a backend"],
    [['new', 'backend', 'buddy'], "'buddy' is the name of a backend that is shipped"],
    [['new', 'backend', 'x', '--out', 'x.txt'], 'x.txt: --out: the name of the file is not that of a module'],
    [['new', 'backend'], 'missing <name>; usage: kvabench new backend <name>'],
    [['new'], 'say what is to be written: kvabench new backend NAME'],
  ])('refuses %j', async (argv, message) => {
    const before = readdirSync('.');
    const { exitCode, stdout, stderr } = await runCli(argv);
    expect(stderr).toContain(message);
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
    expect(readdirSync('.')).toEqual(before);
  });
});
