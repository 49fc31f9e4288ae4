import { formatBytes } from '../../core/units.js';
import { type AddressMap, divergence, SHOWN_KINDS } from '../../harness/map/address-map.js';
import type { MapFile } from '../../harness/map/map-file.js';
import { escapeMarkup } from '../escape.js';
import type { PageScript } from '../page-script.js';
import { MAP_STYLE } from './map-style.js';
import { KIND_COLOURS, type MapPicture, mapPicture } from './tile-picture.js';

/** The maps' part of a page. Everything in it is a fragment; whoever builds the page puts it together. */
export interface MapSection {
  /** Shows everything without script, the data for the script included. */
  readonly html: string;
  readonly style: string;
  readonly script: PageScript;
}

/** A map with its picture. */
export interface DrawnMap {
  readonly map: AddressMap;
  readonly picture: MapPicture;
}

/** A map as the script has it: rows as they are, and which row each line of the picture shows. */
interface MapData extends Omit<MapFile, 'ladder' | 'rows'> {
  readonly starts: readonly string[];
  readonly heights: readonly number[];
  readonly lines: readonly number[];
}

/** What the script is told of a group of maps with one clock. */
interface GroupData {
  readonly durationNs: number;
  readonly maps: readonly MapData[];
  /** Per map, the time of its first difference from the first map, of that the earliest; null where there is none. */
  readonly parts: readonly (number | null)[];
}

/** Draws the picture of a map. */
export function drawMap(map: AddressMap): DrawnMap {
  return { map, picture: mapPicture(map) };
}

/** Characters that a map takes in a page, but for a few. */
export function markupLength({ map, picture }: DrawnMap): number {
  return picture.source.length + embeddedJson(mapData(map, picture.lines)).length;
}

/**
 * Address-space maps as a part of a page: for each workload and seed, its backends side by side on one clock.
 * Names, labels and call sites are data of others: they are escaped.
 */
export function mapSection(maps: readonly DrawnMap[]): MapSection {
  const groups = new Map<string, DrawnMap[]>();
  for (const drawn of maps) {
    const { workload, seed } = drawn.map.file;
    const key = `${workload}, seed ${seed}`;
    groups.set(key, [...(groups.get(key) ?? []), drawn]);
  }
  const html = [
    '<div class="map-section">',
    '<p class="map-hint">Time runs to the right, addresses rise upwards; only addresses where something ever was are shown. ' +
      'A tile has the colour of what takes most of its bytes, and is the paler the less that is.</p>',
    legend(maps.map(({ picture }) => picture)),
    ...[...groups].map(([title, group]) => groupHtml(title, group)),
    '</div>',
  ];
  return { html: html.join('\n'), style: MAP_STYLE, script: 'address-map' };
}

/** JSON that cannot end the element that it stands in. */
function embeddedJson(value: unknown): string {
  return JSON.stringify(value).replaceAll('<', '\\u003c');
}

/** The colours that any of the pictures has. */
function legend(pictures: readonly MapPicture[]): string {
  const present = new Set(pictures.flatMap(({ kinds }) => kinds));
  const items = SHOWN_KINDS.filter((kind) => present.has(kind)).map((kind) => {
    const colour = `rgb(${KIND_COLOURS[kind]!.join(' ')}${kind === 'free' ? ' / .22' : ''})`;
    return `<li><span class="map-swatch" style="background:${colour}"></span>${escapeMarkup(kind)}</li>`;
  });
  return `<ul class="map-legend">${items.join('')}</ul>`;
}

function groupHtml(title: string, drawn: readonly DrawnMap[]): string {
  const maps = drawn.map(({ map }) => map);
  const durationNs = Math.max(...maps.map(({ file }) => file.durationNs), 1);
  const parts = maps.map((map, index) => (index === 0 ? undefined : divergence(maps[0]!, map)));
  const others = parts.flatMap((part) => part?.byNs ?? []);
  const marks = parts.map(
    (part, index) => (index > 0 || others.length === 0 ? part?.byNs : Math.min(...others)) ?? null,
  );
  const data: GroupData = {
    durationNs,
    maps: drawn.map(({ map, picture }) => mapData(map, picture.lines)),
    parts: marks,
  };
  const figures = drawn.map(({ map, picture }, index) => {
    const part = parts[index];
    const words = part === undefined ? '' : partWords(maps[0]!, part.after, part.by);
    return figureHtml({ map, picture, durationNs, partNs: marks[index]!, words });
  });
  return [
    '<div class="map-group">',
    `<h3>${escapeMarkup(title)}</h3>`,
    controls(others.length > 0),
    `<div class="map-grid">${figures.join('\n')}</div>`,
    `<script type="application/json" class="map-data">${embeddedJson(data)}</script>`,
    '</div>',
  ].join('\n');
}

function mapData({ file, rows }: AddressMap, lines: readonly number[]): MapData {
  const { ladder: _, rows: __, ...rest } = file;
  const starts = rows.map(({ start }) => `0x${start.toString(16)}`);
  return { ...rest, starts, heights: rows.map(({ bytes }) => bytes), lines };
}

function partWords({ file }: AddressMap, after: number, by: number): string {
  const which = by === after + 1 ? `at allocation ${by}` : `between allocations ${after + 1} and ${by}`;
  return `first placed otherwise than ${file.backend} ${which} (as distances from the first object of each class)`;
}

function controls(hasPart: boolean): string {
  const button = (action: string, text: string): string =>
    `<button type="button" data-action="${action}">${text}</button>`;
  return [
    '<div class="map-controls" hidden>',
    '<label>Time <input type="range" class="map-time" min="0" max="1023" value="1023" step="1"></label>',
    '<output class="map-clock"></output>',
    button('in', 'Zoom in'),
    button('out', 'Zoom out'),
    button('whole', 'Whole map'),
    hasPart ? button('part', 'First difference') : '',
    '</div>',
  ].join('');
}

interface FigureParts {
  readonly map: AddressMap;
  readonly picture: MapPicture;
  readonly durationNs: number;
  readonly partNs: number | null;
  readonly words: string;
}

function figureHtml({ map, picture, durationNs, partNs, words }: FigureParts): string {
  const { file } = map;
  const share = (ns: number): string => `${((100 * ns) / durationNs).toFixed(3)}%`;
  const backend = escapeMarkup(file.backend);
  const mark = partNs === null ? '' : `<span class="map-mark" style="left:${share(partNs)}"></span>`;
  const alt = `Address space of ${backend} over time, ${file.columns} by ${map.rows.length} tiles`;
  return [
    '<figure class="map">',
    `<figcaption><strong>${backend}</strong></figcaption>`,
    `<div class="map-frame"><img class="map-picture" alt="${alt}" src="${picture.source}" style="width:${share(file.columns * file.columnNs)}">${mark}` +
      `<canvas class="map-canvas" tabindex="0" role="img" aria-label="${alt}; arrow keys move, plus and minus zoom" hidden></canvas></div>`,
    `<div class="map-axis"><span>0 s</span><span>${(durationNs / 1e9).toPrecision(3)} s</span></div>`,
    '<output class="map-readout" hidden></output>',
    words === '' ? '' : `<p class="map-words">${escapeMarkup(words)}</p>`,
    windowTable(map),
    '</figure>',
  ].join('\n');
}

function windowTable({ file }: AddressMap): string {
  const rows = [...file.windows].reverse().map(({ start, granule, rows: count }) => {
    return `<tr><td>${escapeMarkup(start)}</td><td>${count}</td><td>${formatBytes(granule)}</td></tr>`;
  });
  const head = '<thead><tr><th>from</th><th>rows</th><th>bytes a row</th></tr></thead>';
  return `<details><summary>${file.windows.length} window${file.windows.length === 1 ? '' : 's'} of addresses</summary><table>${head}<tbody>${rows.join('')}</tbody></table></details>`;
}
