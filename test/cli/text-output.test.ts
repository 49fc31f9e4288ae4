import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { textWidth } from '../../src/cli/text-output.js';
import { runCli } from '../support/run-cli.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { toyResults } from '../support/toy-results.js';

/** Command lines that print tables, by what they need. */
const TABLES: readonly (readonly [string, (folder: string) => readonly string[]])[] = [
  [
    'run',
    () => ['run', '-w', 'churn:operations=50', '--workers', '0', '--out', temporaryFolder(), '--force'],
  ],
  ['run --dry-run', () => ['run', 'first-look', '--dry-run', '--out', 'nowhere']],
  [
    'memlock',
    () => ['memlock', '--memory', '8GiB', '--device', 'vfio', '--viommu', '--events', 'attach_pci'],
  ],
  ['layout', () => ['layout', 'illumos-amd64', '--physmem', '512G']],
  ['layout --sweep', () => ['layout', 'illumos-amd64', '--sweep', '1G..24T']],
  ['trace info', () => ['trace', 'info', 'linux612-net-kmem']],
  ['list', () => ['list']],
  ['list backends', () => ['list', 'backends']],
  ['risk', (folder) => ['risk', folder]],
  ['compare', (folder) => ['compare', folder, '--baseline', 'toy-fit', '--all', '-m', 'all']],
  ['report', (folder) => ['report', folder, '--format', 'text']],
];

/** Lines that have more characters, but for those that end in a path or are a command to be copied. */
function tooLong(text: string, width: number): string[] {
  return text
    .split('\n')
    .filter((line) => [...line].length > width && !/(^ {2}\$|[./][\w./-]+$|kvabench-test)/.test(line));
}

describe('tables', () => {
  it.each(TABLES)('%s keeps to the 80 characters of mail, or those that COLUMNS says', async (_, argv) => {
    const folder = await toyResults();
    const mail = await runCli(argv(folder));
    expect(mail.stdout.split('\n').length).toBeGreaterThan(3);
    expect(tooLong(mail.stdout, 80)).toEqual([]);
    const narrow = await runCli(argv(folder), '', undefined, { COLUMNS: '60' });
    expect(tooLong(narrow.stdout, 60)).toEqual([]);
    const wide = await runCli(argv(folder), '', undefined, { COLUMNS: '1000' });
    expect(wide.stdout.split('\n').length).toBeLessThanOrEqual(mail.stdout.split('\n').length);
  });

  it('in a file have the width of mail too, whatever the terminal', async () => {
    const file = join(temporaryFolder(), 'sweep.txt');
    const { stdout } = await runCli(['layout', 'illumos-amd64', '--sweep', '1G..4G']);
    await runCli(['layout', 'illumos-amd64', '--sweep', '1G..4G', '--out', file]);
    expect(readFileSync(file, 'utf8')).toBe(stdout);
  });
});

describe('the width of text', () => {
  const stdout = { write: () => {}, columns: 132 };

  it('is that of the terminal, unless COLUMNS says another', () => {
    expect(textWidth({ stdout, env: {} })).toBe(132);
    expect(textWidth({ stdout, env: { COLUMNS: '100' } })).toBe(100);
    expect(textWidth({ stdout, env: {} }, true)).toBe(80);
    expect(textWidth({ stdout: { write: () => {} }, env: {} })).toBe(80);
  });

  it.each(['', '0', 'wide', '-5', '1e9'])('takes no notice of COLUMNS=%s', (columns) => {
    expect(textWidth({ stdout, env: { COLUMNS: columns } })).toBe(132);
  });

  it('is never below 40, nor that of a terminal that does not know its own', () => {
    expect(textWidth({ stdout, env: { COLUMNS: '7' } })).toBe(40);
    expect(textWidth({ stdout: { ...stdout, columns: 0 }, env: {} })).toBe(80);
  });
});
