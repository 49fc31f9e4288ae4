import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findCases, SHIPPED_CASES } from '../../src/harness/golden/find-cases.js';
import { kvaLayoutOracle } from '../../src/harness/golden/kva-layout.js';
import { verifyRows } from '../../src/harness/golden/row-oracle.js';
import { runCli } from '../support/run-cli.js';
import { sharedPath } from '../support/shared.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const shipped = join(SHIPPED_CASES, 'kva-layout');
const shared = sharedPath('golden/kva-layout');

/** A copy of the shipped vectors with one of the files changed. */
function damaged(file: string, change: (text: string) => string): string {
  const folder = join(temporaryFolder(), 'kva-layout');
  cpSync(shipped, folder, { recursive: true });
  const path = join(folder, file);
  writeFileSync(path, change(readFileSync(path, 'utf8')));
  return path;
}

describe('address-space layouts are exact on every row', () => {
  it.each([
    ['amd64.json', 67],
    ['i386.json', 16],
  ])('%s', (file, rows) => {
    expect(verifyRows(kvaLayoutOracle, join(shipped, file))).toEqual({ rows });
  });

  it('every figure of a row is compared', () => {
    const [first] = [...kvaLayoutOracle.rows(join(shipped, 'amd64.json'))];
    expect(first!.got).toEqual(expect.objectContaining(first!.wanted));
    const given = ['variant', 'physmem', 'physmax', 'plat_dr'];
    const fields = Object.keys(first!.wanted).filter((name) => !given.includes(name));
    expect(fields.length).toBeGreaterThan(20);
    for (const field of fields) {
      const path = damaged('amd64.json', (text) => {
        const document = JSON.parse(text) as { rows: Record<string, unknown>[] };
        document.rows[0]![field] = '0x7';
        return JSON.stringify(document);
      });
      expect([field, verifyRows(kvaLayoutOracle, path).mismatch !== undefined]).toEqual([field, true]);
    }
  });
});

describe('kvabench verify on rows', () => {
  it('counts them, by directory or by file', async () => {
    const { stdout, exitCode } = await runCli(['verify', shipped]);
    expect(stdout).toBe(
      'passed  kva-layout/amd64: 67 rows\npassed  kva-layout/i386: 16 rows\n2 passed, 0 failed\n',
    );
    expect(exitCode).toBe(0);
    expect(findCases(join(shipped, 'i386.json'))).toEqual([join(shipped, 'i386.json')]);
  });

  it('says which row and figure differs', async () => {
    const path = damaged('i386.json', (text) => text.replace('"0xd1800000"', '"0xd1800001"'));
    const { stdout, exitCode } = await runCli(['verify', path]);
    expect(exitCode).toBe(2);
    expect(stdout).toBe(
      [
        'FAILED  kva-layout/i386',
        '  first difference: dynamic, physmem 1073741824: kernelbase',
        '    wanted 0xd1800001',
        '    got    0xd1800000',
        '0 passed, 1 failed\n',
      ].join('\n'),
    );
  });

  it.each([
    ['no JSON', (text: string) => text.slice(1), 'not JSON'],
    ['another variant', (text: string) => text.replace('"before"', '"between"'), '/rows/0'],
    ['no rows', () => '{"rows":[]}', 'no rows'],
  ])('refuses a file that is broken: %s', async (_what, change, message) => {
    const { stdout, exitCode } = await runCli(['verify', damaged('amd64.json', change)]);
    expect(exitCode).toBe(1);
    expect(stdout).toContain(message);
  });

  it('has no tags to print', async () => {
    const { stderr, exitCode } = await runCli(['verify', join(shipped, 'i386.json'), '--until', '3']);
    expect([exitCode, stderr.includes('--until: rows of figures have no tags to print')]).toEqual([1, true]);
  });

  it('has nothing to time', async () => {
    const { stderr, exitCode } = await runCli(['bench', join(shipped, 'i386.json')]);
    expect([exitCode, stderr]).toEqual([
      0,
      'kvabench: skipped kva-layout/i386: no arena that could be timed\n',
    ]);
  });
});

describe.skipIf(shared === undefined)('beside the shared vectors', () => {
  it.each(['amd64.json', 'i386.json'])('%s is shipped as it is there', (file) => {
    expect(readFileSync(join(shipped, file)).equals(readFileSync(join(shared!, file)))).toBe(true);
  });
});
