import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { goldenAgreement } from '../../src/report/golden-agreement.js';
import { makeReport } from '../../src/report/make-report.js';
import { Results } from '../../src/report/read-results.js';
import { renderHtml } from '../../src/report/render-html.js';
import { ReportData } from '../../src/report/report-data.js';
import { chromiumPath, launchChromium } from '../support/chromium.js';
import { HOSTILE_TEXTS } from '../support/hostile.js';
import { toyResults } from '../support/toy-results.js';
import { toyComponent } from '../support/toy-suite.js';

/** What a page said and asked for. */
interface Watched {
  readonly page: Page;
  readonly messages: string[];
  readonly requests: string[];
}

describe.skipIf(chromiumPath === undefined)('a report in Chromium (skipped where there is none)', () => {
  let browser: Browser;

  beforeAll(async () => {
    browser = await launchChromium();
  });

  afterAll(async () => {
    await browser.close();
  });

  async function open(width: number, colorScheme: 'light' | 'dark', script = true): Promise<Watched> {
    const fit = toyComponent('backend', 'toy-fit');
    const path = await toyResults({
      seeds: [1, 2, 3],
      backends: HOSTILE_TEXTS.map((text, index) => ({ ...fit, label: `${text} n${index}` })),
    });
    const results = Results.open(path);
    const file = join(path, 'report.html');
    writeFileSync(file, renderHtml(makeReport(new ReportData(results, goldenAgreement(results, false)))));
    const page = await browser.newPage({
      viewport: { width, height: 900 },
      colorScheme,
      javaScriptEnabled: script,
    });
    const messages: string[] = [];
    const requests: string[] = [];
    page.on('console', (message) => messages.push(message.text()));
    page.on('pageerror', (error) => messages.push(String(error)));
    page.on('dialog', (dialog) => messages.push(dialog.message()));
    page.on('request', (request) => requests.push(request.url()));
    await page.goto(pathToFileURL(file).href);
    expect(requests.splice(0)).toEqual([pathToFileURL(file).href]);
    return { page, messages, requests };
  }

  it.each([
    [1280, 'light'],
    [1280, 'dark'],
    [400, 'light'],
    [400, 'dark'],
  ] as const)('fits %i pixels in %s, asks for nothing and complains of nothing', async (width, scheme) => {
    const { page, messages, requests } = await open(width, scheme);
    const found = await page.evaluate(`({
      wide: document.documentElement.scrollWidth,
      charts: [...document.querySelectorAll('svg.chart')].map((chart) => chart.getBoundingClientRect().width),
      paper: getComputedStyle(document.body).backgroundColor,
      title: document.title,
    })`);
    const { wide, charts, paper, title } = found as {
      wide: number;
      charts: number[];
      paper: string;
      title: string;
    };
    expect(wide).toBe(width);
    expect(charts.length).toBeGreaterThan(10);
    expect(charts.every((chart) => chart > 300)).toBe(true);
    expect(paper).toBe(scheme === 'light' ? 'rgb(255, 255, 255)' : 'rgb(18, 22, 28)');
    expect(title).toBe('toys – kvabench');
    expect([messages, requests]).toEqual([[], []]);
    await page.close();
  });

  it('sorts a table at a click, and fades the other backends under the pointer', async () => {
    const { page, messages } = await open(1280, 'light');
    const table = page.locator('#summary table').nth(1);
    await table.locator('thead th').nth(5).click();
    const values = await table
      .locator('tbody tr td:nth-child(6)')
      .evaluateAll((cells) => cells.map((cell) => Number(cell.getAttribute('data-value'))));
    expect(values).toEqual([...values].sort((a, b) => a - b));
    await page.locator('#fragmentation .legend li').first().hover();
    const charts = page.locator('#fragmentation .charts').first();
    expect(await charts.locator('.faded').count()).toBeGreaterThan(0);
    expect(await charts.locator('.backend-0.faded').count()).toBe(0);
    expect(messages).toEqual([]);
    await page.close();
  });

  it('has every table and chart without script', async () => {
    const { page } = await open(1280, 'light', false);
    expect(await page.locator('svg.chart').count()).toBeGreaterThan(10);
    expect(await page.locator('table').first().isVisible()).toBe(true);
    await page.close();
  });
});
