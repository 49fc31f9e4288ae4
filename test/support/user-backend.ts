import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryRoot } from './shared.js';

const SOURCE = readFileSync(join(repositoryRoot, 'docs/my-backend.js'), 'utf8');

/** The shipped example with the first occurrence of each text replaced, as a file. */
export function userBackendFile(
  folder: string,
  name = 'my-backend.js',
  ...changes: readonly (readonly [string, string])[]
): string {
  let source = SOURCE;
  for (const [old, replacement] of changes) {
    if (!source.includes(old)) throw new Error(`the example has no '${old}'`);
    source = source.replace(old, () => replacement);
  }
  const path = join(folder, name);
  writeFileSync(path, source);
  return path;
}

/** The deliberate mistakes that both `run` and `conformance` must notice: a change to the example, by name. */
export const BROKEN_BACKENDS: Readonly<Record<string, readonly [string, string]>> = {
  throws: ['let low = base;', "let low = base; if (live.length === 7) throw new TypeError('no room');"],
  'throws in free': ['live.splice(index, 1);', 'null.splice(index, 1);'],
  'throws no error': ['let low = base;', 'throw 5;'],
  overlaps: ['low = next.end;', 'low = next.start;'],
  'overlaps with footprints': ['end: start + length }', 'end: start + bytes }'],
  misaligns: ['quantumOf(cls), constraint)', 'quantumOf(cls), -1)'],
  'leaks some': ['live.splice(index, 1);', 'if (index % 50 !== 0) live.splice(index, 1);'],
  'leaks all': ['live.splice(index, 1);', ''],
  'answers nothing': ['return start;', 'return;'],
  'answers fractions': ['return start;', 'return start + 0.5;'],
  'leaves its range': ['return start;', 'return start + 2 ** 50;'],
  'has a footprint below the request': ['Math.ceil(bytes', 'Math.floor(bytes'],
};
