import { backendColour, backendDash } from './palette.js';

/** A piece of a backend's line, to stand before its name in a legend or table. */
export function swatch(backend: number): string {
  const dash = backendDash(backend);
  const dashes = dash === '' ? '' : ` stroke-dasharray="${dash}"`;
  return (
    '<svg class="swatch" width="22" height="10" viewBox="0 0 22 10" aria-hidden="true">' +
    `<path d="M1 5H21" stroke="${backendColour(backend)}" stroke-width="3"${dashes}/></svg>`
  );
}
