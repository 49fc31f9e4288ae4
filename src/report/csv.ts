import { stringify } from 'csv-stringify/sync';
import { InvariantError } from '../core/errors.js';
import type { Field } from '../probe/contract.js';

/**
 * CSV text of rows: RFC 4180 with line feeds, UTF-8. Numbers are printed as ECMAScript prints them, which is the
 * shortest text that reads back as the same number, so equal figures give equal bytes everywhere; NaN is empty.
 */
export function csvText(rows: readonly (readonly Field[])[]): string {
  return stringify(rows.map((row) => row.map(csvField)));
}

/** A field before quoting. @throws InvariantError for an infinite number, which no column can hold. */
export function csvField(field: Field): string {
  if (typeof field === 'string') return plainText(field);
  if (Number.isNaN(field)) return '';
  if (!Number.isFinite(field)) throw new InvariantError('an infinite figure');
  return String(field);
}

/** How text begins that spreadsheets run; the wide signs are taken for the narrow ones in East Asian locales. */
const FORMULA = /^'*[=+\-@\t\r\n＝＋－＠]/;

/** Spreadsheets run text that starts like a formula: an apostrophe in front makes it text. Numbers stay as they are. */
function plainText(text: string): string {
  return FORMULA.test(text) ? `'${text}` : text;
}

/** The text that `csvText` was given, from a field of what it wrote. */
export function textOfCsv(field: string): string {
  return field.startsWith("'") && FORMULA.test(field) ? field.slice(1) : field;
}
