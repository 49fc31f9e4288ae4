import { existsSync } from 'node:fs';
import { unknownName } from '../core/suggest.js';
import { shippedTrace, shippedTraces } from '../harness/catalogue.js';

/**
 * Path of the trace that a command line names: that of a file, or the name of a shipped trace as `run` takes it. A file
 * of that name goes first; `-` stays as it is. What looks like a path is left to whoever opens it.
 * @throws InputError for a word that is neither
 */
export function tracePath(text: string): string {
  if (text === '-' || existsSync(text)) return text;
  const shipped = shippedTrace(text);
  if (shipped !== undefined) return shipped;
  if (/[/.]/.test(text)) return text;
  throw unknownName('trace', text, [...shippedTraces().map(({ name }) => name), 'the path of a file']);
}
