import { parse } from 'csv-parse/sync';
import { parseHTML } from 'linkedom';
import { SaxesParser } from 'saxes';
import { describe, expect, it } from 'vitest';
import { figureCsv, figureSvg, figuresOf } from '../../src/report/figure-files.js';
import { goldenAgreement } from '../../src/report/golden-agreement.js';
import { makeReport, type Report } from '../../src/report/make-report.js';
import { Results } from '../../src/report/read-results.js';
import { renderHtml } from '../../src/report/render-html.js';
import { renderMarkdown } from '../../src/report/render-markdown.js';
import { renderText } from '../../src/report/render-text.js';
import { ReportData } from '../../src/report/report-data.js';
import { HOSTILE_TEXTS } from '../support/hostile.js';
import { toyResults } from '../support/toy-results.js';
import { toyComponent } from '../support/toy-suite.js';

function reportOf(path: string): Report {
  const results = Results.open(path);
  return makeReport(new ReportData(results, goldenAgreement(results, false)));
}

/** A run whose every label is an attack. */
async function hostileReport(): Promise<Report> {
  const load = toyComponent('workload', 'toy-load');
  const fit = toyComponent('backend', 'toy-fit');
  return reportOf(
    await toyResults({
      name: '<script>x</script>',
      description: HOSTILE_TEXTS.join(' '),
      workloads: [
        { ...load, label: HOSTILE_TEXTS[0] },
        { ...load, label: HOSTILE_TEXTS[11] },
      ],
      backends: HOSTILE_TEXTS.map((text, index) => ({ ...fit, label: `${text} n${index}` })),
    }),
  );
}

/** Names of the elements and attributes of a well-formed text. */
function namesIn(xml: string): Set<string> {
  const names = new Set<string>();
  const parser = new SaxesParser();
  parser.on('error', (error) => {
    throw error;
  });
  parser.on('opentag', ({ name, attributes }) => {
    for (const each of [name, ...Object.keys(attributes)]) names.add(each);
  });
  parser.write(xml).close();
  return names;
}

describe('a report', () => {
  it('is the same bytes when it is made again, in every format', async () => {
    const path = await toyResults({ seeds: [1, 2] });
    const all = (): string[] => {
      const report = reportOf(path);
      const figures = figuresOf(report);
      return [
        renderHtml(report),
        renderMarkdown(report),
        renderText(report, { columns: 80, colours: false }),
        ...figures.map((figure) => figureSvg(figure, report)),
        ...figures.map(figureCsv),
      ];
    };
    expect(all()).toEqual(all());
  });

  it('has a chart for each figure, all named, and tables with captions', async () => {
    const report = reportOf(await toyResults());
    const { document } = parseHTML(renderHtml(report));
    expect(document.querySelectorAll('figure svg.chart')).toHaveLength(figuresOf(report).length);
    for (const chart of document.querySelectorAll('svg.chart')) {
      expect(chart.getAttribute('aria-label')).not.toBe('');
    }
    for (const table of document.querySelectorAll('table')) {
      expect(table.querySelector('caption')!.textContent).not.toBe('');
    }
    expect(report.sections.map(({ id }) => id)).toEqual([
      'summary',
      'workload',
      'failures',
      'fragmentation',
      'metadata',
      'work',
      'spectrum',
      'provenance',
    ]);
    const ids = [...document.querySelectorAll('[id]')].map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('marks the best figure of each column, and no backend that was less served', async () => {
    const report = reportOf(
      await toyResults({
        backends: [toyComponent('backend', 'toy-fit'), toyComponent('backend', 'toy-fit:size=32KiB')],
      }),
    );
    const tables = report.sections[0]!.blocks.filter((block) => block.kind === 'table');
    const rows = tables[1]!.rows;
    const failures = rows.map((row) => row[1]!.value!);
    expect(failures[1]).toBeGreaterThan(failures[0]!);
    expect(rows[1]!.filter(({ best }) => best === true)).toEqual([]);
    expect(tables[0]!.rows[0]![1]!.text).toBe('1 of 2');
  });
});

describe('hostile names', () => {
  it('add no element, attribute or script to HTML', async () => {
    const report = await hostileReport();
    const html = renderHtml(report);
    const { document } = parseHTML(html);
    expect(document.querySelectorAll('script')).toHaveLength(2);
    expect(document.querySelectorAll('img, iframe, object, embed, link, base')).toHaveLength(0);
    for (const element of document.querySelectorAll('*')) {
      expect(element.getAttribute('href') ?? '').toMatch(element.localName === 'a' ? /^#[a-z]+$/ : /^$/);
      for (const { name } of element.attributes) expect(name).not.toMatch(/^on|^src$|^style$/);
    }
  });

  it('leave SVG well-formed, without script', async () => {
    const report = await hostileReport();
    for (const figure of figuresOf(report).slice(0, 12)) {
      const names = [...namesIn(figureSvg(figure, report))];
      expect(names.filter((name) => /^on|script|image|href|foreign/i.test(name))).toEqual([]);
    }
  });

  it('are text in Markdown, in the cell where they belong', async () => {
    const markdown = renderMarkdown(await hostileReport());
    const outside = markdown.replace(/```+sh\n[\s\S]*?\n```+\n/g, '');
    expect(outside).not.toMatch(/<(script|img|!--)/);
    expect(outside).not.toMatch(/\]\((javascript|https)/);
    expect(outside).not.toMatch(/https?:\/\//);
    const table = outside.split('\n').filter((line) => line.startsWith('| '));
    const cells = (line: string): number => line.replaceAll('\\|', '').split('|').length;
    for (const [index, line] of table.entries()) {
      if (line.startsWith('| ---')) expect(cells(line)).toBe(cells(table[index - 1]!));
    }
  });

  it('send no control character to a terminal', async () => {
    const text = renderText(await hostileReport(), { columns: 100, colours: false });
    expect(text.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  });

  it('begin no formula in CSV, where numbers stay numbers', async () => {
    for (const figure of figuresOf(await hostileReport())) {
      const rows: string[][] = parse(figureCsv(figure), { recordDelimiter: '\n' });
      for (const field of rows.flat()) {
        if (Number.isNaN(Number(field))) expect(field).not.toMatch(/^[=+\-@\t\r\n]/);
      }
    }
  });
});

describe('text for a terminal', () => {
  it.each([40, 60, 100])('keeps to %i columns', async (columns) => {
    const report = reportOf(await toyResults({ seeds: [1, 2] }));
    const lines = renderText(report, { columns, colours: false }).split('\n');
    const long = lines.filter((line) => [...line].length > columns && !line.startsWith('  $ '));
    expect(long).toEqual([]);
  });

  it('has colours only where they are wanted', async () => {
    const report = reportOf(await toyResults());
    expect(renderText(report, { columns: 100, colours: false })).not.toContain('\u001b');
    expect(renderText(report, { columns: 100, colours: true })).toContain('\u001b[1mWho wins\u001b[0m');
  });
});
