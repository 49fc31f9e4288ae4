import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inflateSync } from 'node:zlib';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mapCommand } from '../../../src/cli/commands/map.js';
import { runCommandWith } from '../../../src/cli/commands/run.js';
import { AddressMap, readMap } from '../../../src/harness/map/address-map.js';
import { mapFilesIn } from '../../../src/harness/result-folder.js';
import { mapPage } from '../../../src/report/map/map-page.js';
import { drawMap, mapSection } from '../../../src/report/map/map-section.js';
import { mapStrip } from '../../../src/report/map/map-strip.js';
import { pictureLines, pictureTiles } from '../../../src/report/map/tile-picture.js';
import { runCli } from '../../support/run-cli.js';
import { temporaryFolder } from '../../support/temporary-folder.js';
import { TOYS } from '../../support/toy.js';

const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser'].find((path) => existsSync(path));

/** Maps of two runs of the toy load, in arenas of different quanta. */
async function toyMaps(): Promise<{ folder: string; maps: AddressMap[] }> {
  const folder = join(temporaryFolder(), 'toys');
  const argv = ['-w', 'toy-load', '-b', 'toy-fit', '-b', 'toy-fit:quantum=512', '--map', '--out', folder];
  const result = await runCli(['run', ...argv], '', [runCommandWith(TOYS)]);
  expect(result).toMatchObject({ exitCode: 0, stderr: '' });
  return { folder, maps: mapFilesIn(folder).map(readMap) };
}

/** A map whose names are hostile. */
function hostile({ file }: AddressMap): AddressMap {
  const script = '<script>document.title="broken"</script>';
  return new AddressMap({
    ...file,
    workload: script,
    backend: `"'${script}<!--`,
    sites: [script, '</script>'],
  });
}

describe('the address-space map in a page', () => {
  it('has a picture with exactly the colours of the tiles', async () => {
    const { maps } = await toyMaps();
    const [map] = maps;
    const lines = pictureLines(map!);
    const { html } = mapSection(maps.map(drawMap));
    const [first] = [...html.matchAll(/src="data:image\/png;base64,([^"]+)"/g)];
    const png = Buffer.from(first![1]!, 'base64');
    expect([png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual([map!.file.columns, lines.length]);
    const at = png.indexOf('IDAT');
    const pixels = inflateSync(png.subarray(at + 4, at + 4 + png.readUInt32BE(at - 4)));
    const tiles = pictureTiles(map!, lines);
    for (let line = 0; line < lines.length; line++) {
      const from = line * (map!.file.columns + 1) + 1;
      const wanted = Buffer.from(tiles.subarray(line * map!.file.columns, (line + 1) * map!.file.columns));
      expect(pixels.subarray(from, from + map!.file.columns).equals(wanted)).toBe(true);
    }
  });

  it('has the same bytes for the same maps', async () => {
    const { maps } = await toyMaps();
    const again = (await toyMaps()).maps;
    expect(mapPage('toys', again)).toBe(mapPage('toys', maps));
  });

  it('takes names and call sites as data', async () => {
    const { html } = mapSection([drawMap(hostile((await toyMaps()).maps[0]!))]);
    expect(html).not.toContain('<script>document');
    expect(html.match(/<script/g)).toHaveLength(1);
    expect(html.match(/<\/script/g)).toHaveLength(1);
    expect(html).not.toContain('<!--');
  });

  it('is text for a terminal that honours its width', async () => {
    const { folder, maps } = await toyMaps();
    for (const width of [40, 80, 200]) {
      const lines = mapStrip(maps[0]!, width, 10);
      const strips = lines.filter((line) => line.endsWith('|'));
      expect(strips).toHaveLength(10);
      expect(Math.max(...strips.map((line) => line.length))).toBeLessThanOrEqual(width);
      expect(strips.at(-1)).toMatch(/^ *0\.000 s \|[K.kC cgx]+\|$/);
    }
    const lost = await runCli(['map', folder, '--format', 'text', '--out', 'x'], '', [mapCommand]);
    expect(lost).toMatchObject({ exitCode: 1, stdout: '' });
    expect(lost.stderr).toBe(
      'kvabench: --out: not with --format text, which is printed (allowed: --format html)\n',
    );
    const { stdout } = await runCli(['map', folder, '--format', 'text', '--slices', '3'], '', [mapCommand]);
    expect(stdout).toContain('toy-load on toy-fit, seed 1\n');
    expect(stdout.match(/\|$/gm)).toHaveLength(6);
  });

  it('is written by a command that refuses folders without maps', async () => {
    const { folder, maps } = await toyMaps();
    const result = await runCli(['map', folder], '', [mapCommand]);
    expect(result).toMatchObject({ exitCode: 0, stdout: `${folder}/map.html\n`, stderr: '' });
    expect(readFileSync(join(folder, 'map.html'), 'utf8')).toBe(mapPage('kvabench: toys', maps));
    const none = await runCli(['map', temporaryFolder()], '', [mapCommand]);
    expect(none.stderr).toContain('no results: run.json is missing');
    rmSync(join(folder, 'maps'), { recursive: true });
    const empty = await runCli(['map', folder], '', [mapCommand]);
    expect(empty.exitCode).toBe(1);
    expect(empty.stderr).toMatch(/there are no maps \(allowed: results of kvabench run --map\)\n$/);
  });
});

describe.skipIf(CHROMIUM === undefined)('in Chromium (skipped where none is installed)', () => {
  let browser: Browser;
  const problems: string[] = [];

  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: CHROMIUM!, args: ['--no-sandbox'] });
  }, 60_000);
  afterAll(() => browser?.close());

  async function open(maps: readonly AddressMap[], dark = false): Promise<Page> {
    const path = join(temporaryFolder(), 'map.html');
    writeFileSync(path, mapPage('toys', maps));
    const page = await browser.newPage({
      viewport: { width: 1280, height: 1000 },
      colorScheme: dark ? 'dark' : 'light',
    });
    problems.length = 0;
    page.on('console', (message) => problems.push(message.text()));
    page.on('pageerror', (error) => problems.push(String(error)));
    page.on('request', (request) => {
      const url = request.url();
      if (!url.startsWith('data:') && url !== `file://${path}`) problems.push(url);
    });
    await page.goto(`file://${path}`);
    await page.locator('canvas:visible').first().waitFor();
    await settle(page);
    return page;
  }

  /** Two frames: what was asked for is drawn. */
  const settle = (page: Page): Promise<unknown> =>
    page.evaluate('new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))');
  const readout = (page: Page, map = 0): Promise<string | null> =>
    page.locator('.map-readout').nth(map).textContent();
  const pixels = (page: Page): Promise<string> =>
    page
      .locator('canvas')
      .first()
      .evaluate((canvas) => (canvas as unknown as { toDataURL(): string }).toDataURL());

  it('scrubs both maps on one clock, by slider and by keyboard', async () => {
    const page = await open((await toyMaps()).maps);
    await page.locator('.map-time').fill('512');
    await settle(page);
    const clock = await page.locator('.map-clock').textContent();
    expect(clock).toMatch(/^2\.00\d* us$/);
    expect(await readout(page, 0)).toContain(clock!);
    expect(await readout(page, 1)).toContain(clock!);
    const before = await pixels(page);
    await page.locator('canvas').first().press('ArrowLeft');
    await page.locator('canvas').first().press('ArrowUp');
    await settle(page);
    expect(await page.locator('.map-clock').textContent()).not.toBe(clock);
    expect(await pixels(page)).not.toBe(before);
    expect(problems).toEqual([]);
  }, 60_000);

  it('says what is under the pointer', async () => {
    const { maps } = await toyMaps();
    const page = await open(maps);
    const box = (await page.locator('canvas').first().boundingBox())!;
    await page.mouse.move(box.x + box.width * 0.7, box.y + box.height * 0.95);
    await settle(page);
    expect(await readout(page)).toMatch(
      /0x[0-9a-f]+ to 0x[0-9a-f]+ \(.*\)\n.*kmem .*\nlongest here: object \d+, kmem, .* at 0x[0-9a-f]+\n(age|born) /,
    );
    expect(problems).toEqual([]);
  }, 60_000);

  it('zooms, pans and goes back to the whole', async () => {
    const page = await open((await toyMaps()).maps);
    const axis = page.locator('.map-axis').first();
    const whole = await axis.textContent();
    const canvas = page.locator('canvas').first();
    const box = (await canvas.boundingBox())!;
    await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
    await page.mouse.wheel(0, -480);
    await settle(page);
    await expect.poll(() => axis.textContent()).not.toBe(whole);
    const zoomed = await axis.textContent();
    await page.mouse.down();
    await page.mouse.move(box.x + box.width / 2 + 80, box.y + box.height / 2, { steps: 3 });
    await page.mouse.up();
    await settle(page);
    expect(await axis.textContent()).not.toBe(zoomed);
    await page.getByRole('button', { name: 'Whole map' }).click();
    await settle(page);
    expect(await axis.textContent()).toBe(whole);
    expect(problems).toEqual([]);
  }, 60_000);

  it('jumps to the first difference, and draws otherwise in the dark', async () => {
    const { maps } = await toyMaps();
    const page = await open(maps, true);
    const dark = await pixels(page);
    await page.getByRole('button', { name: 'First difference' }).click();
    await settle(page);
    expect(await page.locator('.map-clock').textContent()).toMatch(/^\d+ ns$/);
    expect(await page.locator('.map-words').textContent()).toMatch(
      /first placed otherwise than toy-fit at allocation \d+ /,
    );
    expect(await pixels(await open(maps))).not.toBe(dark);
    expect(problems).toEqual([]);
  }, 60_000);

  it('runs nothing that names or call sites contain', async () => {
    const page = await open((await toyMaps()).maps.map(hostile));
    expect(await page.title()).toBe('toys');
    expect(await page.locator('figcaption').first().textContent()).toContain('<script>');
    expect(problems).toEqual([]);
  }, 60_000);
});
