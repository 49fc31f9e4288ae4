import { readFileSync } from 'node:fs';
import { InvariantError } from '../core/errors.js';

/** Scripts that run in a page; each is a file of page/, compiled by itself, without imports. */
export type PageScript = 'address-map' | 'highlight-backend' | 'sort-tables';

/**
 * The compiled text of a script for a page, to stand between `<script type="module">` and its end. It is the same when
 * this module runs from its source: `npm run build` makes it.
 * @throws InvariantError where it has not been built.
 */
export function pageScript(name: PageScript): string {
  const file = new URL(`../../dist/report/page/${name}.js`, import.meta.url);
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new InvariantError(
      `the page script ${name} is missing; npm run build makes it`,
      `${file}: ${String(error)}`,
    );
  }
}
