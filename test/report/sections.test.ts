import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { csvText } from '../../src/report/csv.js';
import { dataPackage } from '../../src/report/data-package.js';
import { goldenAgreement } from '../../src/report/golden-agreement.js';
import { makeReport, type Report } from '../../src/report/make-report.js';
import { Results } from '../../src/report/read-results.js';
import { renderHtml } from '../../src/report/render-html.js';
import { ReportData } from '../../src/report/report-data.js';
import { timingSummaryTable } from '../../src/report/timing-tables.js';
import { runCli } from '../support/run-cli.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { toyResults } from '../support/toy-results.js';

function reportOf(path: string): Report {
  const results = Results.open(path);
  return makeReport(new ReportData(results, goldenAgreement(results, false)));
}

function section(report: Report, id: string) {
  return report.sections.find((each) => each.id === id)?.blocks ?? [];
}

describe('sections', () => {
  it('show stacks, the Pareto front and golden cases where there are any', async () => {
    const out = join(temporaryFolder(), 'stacks');
    const words = ['-w', 'kstack:threads=200,storm_threads=0,duration=1s', '--samples', '5'];
    const backends = ['-b', 'freebsd-kstack-dense', '-b', 'first-fit-map'];
    expect((await runCli(['run', ...words, ...backends, '--out', out])).exitCode).toBe(0);
    const report = reportOf(out);
    const [fill] = section(report, 'stacks').filter((block) => block.kind === 'figures');
    expect(fill!.figures[0]!.lines.map(({ label }) => label)).toEqual(['freebsd-kstack-dense']);
    const [front] = section(report, 'pareto').filter((block) => block.kind === 'figures');
    expect(front!.figures[0]!.data[0]!.at(-1)).toBe('front');
    expect(front!.figures[0]!.data.slice(1).some((row) => row.at(-1) === 1)).toBe(true);
    const [table] = section(report, 'golden').filter((block) => block.kind === 'table');
    expect(table!.rows.map(([, agreement]) => agreement!.text)).toEqual([
      expect.stringMatching(/^freebsd-kstack: \d+ cases, freebsd-vmem: \d+ cases$/),
      'a comparator or of your own: no kernel to agree with',
    ]);
  });

  it('put backends that do other work below the others, and say in one line why', async () => {
    const out = join(temporaryFolder(), 'served');
    const words = ['-w', 'kstack:threads=200,storm_threads=0,duration=1s', '--samples', '5'];
    const backends = [
      'bhyve-reservoir',
      'illumos-segkvmm',
      'first-fit-map',
      'best-fit-map',
      'bitmap',
      'buddy',
    ];
    const options = [...words, ...backends.flatMap((name) => ['-b', name]), '--out', out];
    expect((await runCli(['run', ...options])).exitCode).toBe(0);
    const report = reportOf(out);
    const [winners, workload] = section(report, 'summary').filter((block) => block.kind === 'table');
    expect(workload!.rows.map(([name, failed]) => [name!.text, name!.faint ?? false, failed!.text])).toEqual([
      ['first-fit-map', false, '0'],
      ['best-fit-map', false, '0'],
      ['bitmap', false, '0'],
      ['buddy', false, '0'],
      ['bhyve-reservoir', true, '–'],
      ['illumos-segkvmm', true, '–'],
    ]);
    expect(workload!.notes).toEqual([
      'Not compared: bhyve-reservoir, illumos-segkvmm (no request of these classes served).',
    ]);
    // The locks of all four are the same, so there is no column for them.
    expect(winners!.columns.map(({ name }) => name)).not.toContain('locks');
    const tags = winners!.columns.findIndex(({ name }) => name === 'tags');
    expect(winners!.rows[0]![tags]).toMatchObject({
      text: '3 equal: first-fit-map,\u00a0…',
      hint: 'first-fit-map, best-fit-map, bitmap',
    });
    expect(renderHtml(report)).toMatch(/<th scope="row" class="left faint name">.*bhyve-reservoir<\/th>/);
  });

  it('repeat a figure by a command with the parameters that are not the defaults', async () => {
    const first = join(temporaryFolder(), 'first');
    const options = ['-b', 'first-fit-map:merge=false', '--seed', '7', '--samples', '3'];
    await runCli(['run', '-w', 'churn:operations=200', ...options, '--out', first]);
    const [group] = section(reportOf(first), 'fragmentation').filter((block) => block.kind === 'figures');
    const { command, data } = group!.figures[0]!;
    const words = command.split(' ').slice(1);
    expect(words.join(' ')).toMatch(
      /^run -w churn:operations=200 -b first-fit-map:merge=false --seed 7 --samples 3/,
    );
    const second = join(temporaryFolder(), 'second');
    expect((await runCli([...words, '--out', second])).exitCode).toBe(0);
    const [again] = section(reportOf(second), 'fragmentation').filter((block) => block.kind === 'figures');
    expect(again!.figures[0]!.data).toEqual(data);
  });

  it('show measured time where it was measured, with its machine', async () => {
    const path = await toyResults();
    const row = ['toy-load', 'toy-fit', 1, 'off', 'cpu', 5, 50, 1500, 1400, 1600, 0.07, 100, 15, 66_666_666];
    const text = csvText([timingSummaryTable.columns.map(({ name }) => name), row]);
    const digest = createHash('sha256').update(text).digest('hex');
    writeFileSync(join(path, 'timing-summary.csv'), text);
    const description = dataPackage('t', 't', [{ table: timingSummaryTable, bytes: text.length, digest }]);
    writeFileSync(join(path, 'timing-datapackage.json'), JSON.stringify(description));
    const [table] = section(reportOf(path), 'timing').filter((block) => block.kind === 'table');
    expect(table!.rows[0]!.map(({ text: shown }) => shown)).toEqual([
      'toy-load',
      'toy-fit',
      '1',
      '15.000',
      '1.50 µs',
      '1.40 µs',
      '1.60 µs',
      '50',
    ]);
    expect(table!.notes[0]).toContain(process.versions.node);
  });
});
