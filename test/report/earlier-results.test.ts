import { createHash } from 'node:crypto';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { csvText } from '../../src/report/csv.js';
import { dataPackage } from '../../src/report/data-package.js';
import { RESULT_TABLES } from '../../src/report/tables.js';
import { runCli } from '../support/run-cli.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { toyResults } from '../support/toy-results.js';

/** A copy of results with a described table that has a head and no row, as earlier versions wrote for every run. */
function withEmptyTable(path: string, name: string): string {
  const copy = temporaryFolder();
  cpSync(path, copy, { recursive: true });
  const table = RESULT_TABLES.find((each) => each.name === name)!;
  const text = csvText([table.columns.map((column) => column.name)]);
  const digest = createHash('sha256').update(text).digest('hex');
  const added = dataPackage('', '', [{ table, bytes: text.length, digest }]);
  const file = join(copy, 'datapackage.json');
  const described = JSON.parse(readFileSync(file, 'utf8'));
  const resources = [...described.resources, ...(added as typeof described).resources];
  writeFileSync(join(copy, `${name}.csv`), text);
  writeFileSync(file, JSON.stringify({ ...described, resources }));
  return copy;
}

it.each(['memlock', 'memlock-timeline', 'swap', 'guests'])(
  'results with a table %s of no rows are read as those without',
  async (table) => {
    const now = await toyResults();
    const earlier = withEmptyTable(now, table);
    const same = await runCli(['compare', earlier, now]);
    expect(same).toMatchObject({ exitCode: 0, stderr: '' });
    expect(same.stdout).toContain('the same in every exact figure');
    const [before, after] = [
      await runCli(['report', earlier, '--format', 'text']),
      await runCli(['report', now, '--format', 'text']),
    ];
    expect(before).toMatchObject({ exitCode: 0, stderr: '' });
    expect(before.stdout.replaceAll(earlier, now)).toBe(after.stdout);
    const merged = await runCli(['merge', earlier, '--out', join(temporaryFolder(), 'merged')]);
    expect(merged).toMatchObject({ exitCode: 0, stderr: '' });
    expect(await runCli(['risk', earlier])).toEqual(await runCli(['risk', now]));
  },
);
