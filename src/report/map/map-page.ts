import type { AddressMap } from '../../harness/map/address-map.js';
import { contentPolicy } from '../content-policy.js';
import { escapeMarkup } from '../escape.js';
import { pageScript } from '../page-script.js';
import { drawMap, mapSection } from './map-section.js';

const PAGE_STYLE = `
:root{color-scheme:light dark}
body{margin:0 auto;max-width:90rem;padding:1rem clamp(.75rem,3vw,2rem);font:1rem/1.5 system-ui,sans-serif;background:#fff;color:#1d2430}
@media (prefers-color-scheme:dark){body{background:#14181f;color:#e6eaf0}}
`;

/** The maps as a page of their own: one file that opens from disk. @throws InvariantError where the script was not built. */
export function mapPage(title: string, maps: readonly AddressMap[]): string {
  const { html, style, script } = mapSection(maps.map(drawMap));
  const scriptText = `\n${pageScript(script)}`;
  const lines = [
    '<!doctype html>',
    '<html lang="en">',
    '<head>',
    '<meta charset="utf-8">',
    `<meta http-equiv="Content-Security-Policy" content="${contentPolicy([scriptText])}">`,
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    `<title>${escapeMarkup(title)}</title>`,
    `<style>${PAGE_STYLE}${style}</style>`,
    '</head>',
    '<body>',
    `<h1>${escapeMarkup(title)}</h1>`,
    '<h2>Address space over time</h2>',
    html,
    `<script type="module">${scriptText}</script>`,
    '</body>',
    '</html>',
  ];
  return `${lines.join('\n')}\n`;
}
