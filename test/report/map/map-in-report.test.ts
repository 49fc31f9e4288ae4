import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseHTML } from 'linkedom';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compareCommand } from '../../../src/cli/commands/compare.js';
import { reportCommand } from '../../../src/cli/commands/report.js';
import { runCommandWith } from '../../../src/cli/commands/run.js';
import { drawMap, markupLength } from '../../../src/report/map/map-section.js';
import { shownMaps } from '../../../src/report/map/shown-maps.js';
import { Results } from '../../../src/report/read-results.js';
import { ReportData } from '../../../src/report/report-data.js';
import { chromiumPath, launchChromium } from '../../support/chromium.js';
import { type CliResult, runCli } from '../../support/run-cli.js';
import { temporaryFolder } from '../../support/temporary-folder.js';
import { TOYS } from '../../support/toy.js';

const COMMANDS = [runCommandWith(TOYS), reportCommand, compareCommand];

/** The folder of a run with maps: two workloads on two backends. */
async function mappedRun(...argv: string[]): Promise<string> {
  const folder = join(temporaryFolder(), 'toys');
  const workloads = ['-w', 'toy-load', '-w', 'toy-load:events=300'];
  const backends = ['-b', 'toy-fit', '-b', 'toy-fit:quantum=512'];
  await command('run', ...workloads, ...backends, '--samples', '6', '--map', '--out', folder, ...argv);
  return folder;
}

async function command(...argv: string[]): Promise<CliResult> {
  const result = await runCli(argv, '', COMMANDS);
  expect(result).toMatchObject({ exitCode: 0, stderr: '' });
  return result;
}

async function page(folder: string): Promise<string> {
  await command('report', folder);
  return readFileSync(join(folder, 'report.html'), 'utf8');
}

function dataOf(folder: string): ReportData {
  return new ReportData(Results.open(folder), []);
}

const names = (data: ReportData, room?: number): string[][] => {
  const { maps, leftOut } = shownMaps(data, room);
  return [maps.map(({ map }) => map.file.id), leftOut.map(({ id }) => id)];
};

describe('maps in a report', () => {
  it('are pictures and data in HTML, mentioned in Markdown, strips in text', async () => {
    const folder = await mappedRun();
    const { document } = parseHTML(await page(folder));
    expect(document.querySelectorAll('#map img.map-picture')).toHaveLength(4);
    expect(document.querySelectorAll('#map .map-group')).toHaveLength(2);
    const markdown = (await command('report', folder, '--format', 'md')).stdout;
    expect(markdown).toMatch(/## Address space over time\n\n[^\n]+\n\n```sh\nkvabench map DIR\n```\n/);
    const text = (await command('report', folder, '--format', 'text')).stdout;
    expect(text.match(/^toy-load.* on toy-fit.*, seed 1$/gm)).toHaveLength(4);
    expect(text).toMatch(/^0\.000 s \|[K.kC cgx]+\|$/m);
    expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(100);
  });

  it('are missing where none were recorded, and where the recorded ones are of another configuration', async () => {
    const folder = await mappedRun();
    const paths = readdirSync(join(folder, 'maps')).map((name) => join(folder, 'maps', name));
    const file = JSON.parse(readFileSync(paths[0]!, 'utf8'));
    writeFileSync(paths[0]!, JSON.stringify({ ...file, configurationDigest: 'other' }));
    expect(names(dataOf(folder))[0]).toHaveLength(3);
    rmSync(join(folder, 'maps'), { recursive: true });
    expect(await page(folder)).not.toContain('map-section');
  });

  it('are those of the first seed and of the first backends, as far as there is room, and the others are named', async () => {
    const data = dataOf(await mappedRun('--seed', '1', '--seed', '2'));
    const [all, otherSeed] = names(data);
    expect(all).toHaveLength(4);
    expect(all!.every((id) => id.endsWith('.s1'))).toBe(true);
    expect(otherSeed!.every((id) => id.endsWith('.s2'))).toBe(true);
    const lengths = shownMaps(data).maps.map(({ map }) => markupLength(drawMap(map)));
    // By workload and backend; both workloads have their first backend before any has its second.
    const first = lengths[0]! + lengths[2]!;
    expect(names(data, first)).toEqual([
      [all![0], all![2]],
      [all![1], otherSeed![0], otherSeed![1], all![3], ...otherSeed!.slice(2)].sort(inRunOrder(data)),
    ]);
    expect(names(data, first - 1)[0]).toEqual([all![0]]);
  });

  it('refuse a damaged one', async () => {
    const folder = await mappedRun();
    const [name] = readdirSync(join(folder, 'maps'));
    writeFileSync(join(folder, 'maps', name!), 'null');
    const { exitCode, stderr } = await runCli(['report', folder], '', COMMANDS);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/not an address-space map of this version/);
  });

  it('do not change what compare says', async () => {
    const folder = await mappedRun();
    const before = await command('compare', folder, '--baseline', 'toy-fit');
    rmSync(join(folder, 'maps'), { recursive: true });
    expect(await command('compare', folder, '--baseline', 'toy-fit')).toEqual(before);
  });
});

function inRunOrder(data: ReportData): (a: string | undefined, b: string | undefined) => number {
  const ids = data.results.cells.map(({ id }) => id);
  return (a, b) => ids.indexOf(a!) - ids.indexOf(b!);
}

describe.skipIf(chromiumPath === undefined)(
  'maps in a report in Chromium (skipped where there is none)',
  () => {
    let browser: Browser;
    const problems: string[] = [];

    beforeAll(async () => {
      browser = await launchChromium();
    }, 60_000);
    afterAll(() => browser?.close());

    async function open(
      width: number,
      colorScheme: 'light' | 'dark',
      javaScriptEnabled = true,
    ): Promise<Page> {
      const folder = await mappedRun();
      await page(folder);
      const url = pathToFileURL(join(folder, 'report.html')).href;
      const opened = await browser.newPage({
        viewport: { width, height: 900 },
        colorScheme,
        javaScriptEnabled,
      });
      problems.length = 0;
      opened.on('console', (message) => problems.push(message.text()));
      opened.on('pageerror', (error) => problems.push(String(error)));
      opened.on('request', (request) => {
        if (request.url() !== url && !request.url().startsWith('data:')) problems.push(request.url());
      });
      await opened.goto(url);
      return opened;
    }

    it('moves the clock of a group with its slider', async () => {
      const opened = await open(1280, 'light');
      await opened.locator('#map canvas:visible').first().waitFor();
      const clocks = opened.locator('.map-clock');
      const other = await clocks.nth(1).textContent();
      await opened.locator('.map-time').first().fill('300');
      await expect.poll(() => opened.locator('.map-readout').first().textContent()).toMatch(/^\d\.\d+ us /);
      const clock = (await clocks.first().textContent())!;
      expect(await opened.locator('.map-readout').nth(1).textContent()).toContain(clock);
      expect(await clocks.nth(1).textContent()).toBe(other);
      expect(problems).toEqual([]);
    }, 60_000);

    it.each(['light', 'dark'] as const)(
      'fits 400 pixels in %s',
      async (scheme) => {
        const opened = await open(400, scheme);
        await opened.locator('#map canvas:visible').first().waitFor();
        expect(await opened.evaluate('document.documentElement.scrollWidth')).toBe(400);
        const ink = await opened.evaluate(
          `getComputedStyle(document.querySelector('#map .map-readout')).color`,
        );
        expect(ink).toBe(scheme === 'light' ? 'rgb(29, 36, 48)' : 'rgb(230, 234, 240)');
        expect(problems).toEqual([]);
      },
      60_000,
    );

    it('shows pictures without script', async () => {
      const opened = await open(1280, 'light', false);
      expect(await opened.locator('#map img.map-picture').first().isVisible()).toBe(true);
      expect(await opened.locator('#map .map-controls').first().isVisible()).toBe(false);
    }, 60_000);
  },
);
