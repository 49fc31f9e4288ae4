/**
 * Colours of backends, eight that remain distinct to the colour-blind (after Okabe and Ito, "Color Universal Design",
 * 2008), darker on white and lighter on black; every four backends the dashes change too, so that neighbours in hue differ in form.
 */
const LIGHT = [
  '#0072b2',
  '#d55e00',
  '#00805f',
  '#b8488f',
  '#9a6a00',
  '#2484bd',
  '#555555',
  '#7a52c7',
] as const;
const DARK = [
  '#4aa8e0',
  '#ff8a3d',
  '#2fc89b',
  '#e79cc8',
  '#f0b93a',
  '#9bdcff',
  '#c0c0c0',
  '#b79bff',
] as const;

const DASHES = ['', '6 3', '2 3', '9 3 2 3', '1 4', '12 3 2 3 2 3'] as const;
const BACKENDS_PER_DASH = 4;

/** Plot's names of shapes, in an order in which the first differ most. */
const SYMBOLS = ['circle', 'square2', 'triangle', 'diamond2', 'cross', 'star', 'wye', 'hexagon'] as const;

/** Shades of heat maps and single-series bars. */
const HEAT = { light: '#0072b2', dark: '#4aa8e0' } as const;

/** The colour of a backend as a custom property of the page or picture. */
export function backendColour(backend: number): string {
  return `var(--backend-${backend % LIGHT.length})`;
}

/** `stroke-dasharray` of a backend's lines; '' is a full line. */
export function backendDash(backend: number): string {
  return DASHES[Math.floor(backend / BACKENDS_PER_DASH) % DASHES.length]!;
}

/** The shape of a backend's points: the ninth backend has the colour of the first, but not its shape. */
export function backendSymbol(backend: number): (typeof SYMBOLS)[number] {
  return SYMBOLS[(backend + Math.floor(backend / LIGHT.length)) % SYMBOLS.length]!;
}

/** Custom properties of both colour schemes, for a page (`:root`) or a picture (`svg`). */
export function colourRules(selector: string): string {
  const rule = (scheme: 'light' | 'dark', colours: readonly string[]): string => {
    const paper =
      scheme === 'light'
        ? '--paper:#fff;--ink:#1b1f24;--faint:#59636e;'
        : '--paper:#12161c;--ink:#e6e8eb;--faint:#a3adb8;';
    const lines =
      scheme === 'light'
        ? '--line:#d0d7de;--tint:#f3f5f8;--best:#dff3e8;'
        : '--line:#3a424d;--tint:#1b212a;--best:#16402f;';
    const series = colours.map((colour, index) => `--backend-${index}:${colour};`).join('');
    return `${selector}{color-scheme:${scheme};${paper}${lines}${series}--heat:${HEAT[scheme]}}`;
  };
  return `${rule('light', LIGHT)}\n@media (prefers-color-scheme:dark){${rule('dark', DARK)}}`;
}
