const BINARY = ['', 'K', 'M', 'G', 'T'];
const DECIMAL = ['', 'k', 'M', 'G', 'T'];

/** Figures of both sides for people; in full where they differ and would look alike. */
export function figureTexts(old: number, new_: number, unit: string): [string, string] {
  const short: [string, string] = [figureText(old, unit), figureText(new_, unit)];
  return short[0] === short[1] && !Object.is(old, new_) ? [String(old), String(new_)] : short;
}

/** A change as a share: `+2.31%`; what is not 0 does not print as 0. */
export function shareText(share: number): string {
  if (Number.isNaN(share)) return '?';
  if (!Number.isFinite(share)) return share > 0 ? '+∞' : '-∞';
  const percent = share * 100;
  const size = Math.abs(percent);
  const sign = percent > 0 ? '+' : '';
  if (size > 0 && size < 0.005) return `${sign}${percent.toExponential(0)}%`;
  if (size >= 100_000) return `${sign}${percent.toExponential(1)}%`;
  return `${sign}${percent.toFixed(size < 10 ? 2 : size < 1000 ? 1 : 0)}%`;
}

/** A difference in the unit of its metric, with its sign. */
export function differenceText(difference: number, unit: string): string {
  const text = figureText(Math.abs(difference), unit);
  if (difference === 0 || Number.isNaN(difference)) return text;
  return difference > 0 ? `+${text}` : `-${text}`;
}

/** A chance: three decimals, or that it is below the last of them. */
export function chanceText(p: number | undefined): string {
  if (p === undefined) return '';
  return p < 0.001 ? '<0.001' : p.toFixed(3);
}

function figureText(value: number, unit: string): string {
  if (Number.isNaN(value)) return '-';
  if (unit === '1') return ratioText(value);
  if (unit === 'ns/event') return value.toPrecision(value >= 1000 ? 5 : 4);
  const [step, units] = unit === 'bytes' ? [1024, BINARY] : [1000, DECIMAL];
  if (value < 100_000) return Number.isInteger(value) ? String(value) : value.toPrecision(5);
  let scaled = value;
  let at = 0;
  while (scaled >= step && at < units.length - 1) {
    scaled /= step;
    at++;
  }
  return `${scaled >= 1000 ? scaled.toFixed(0) : scaled.toPrecision(4)}${units[at]}`;
}

function ratioText(value: number): string {
  if (value === 0) return '0';
  if (value >= 1e5 || (value > 0 && value < 0.0005)) return value.toExponential(2);
  return value >= 100 ? value.toFixed(1) : value.toFixed(4);
}
