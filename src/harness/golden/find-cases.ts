import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { InputError } from '../../core/errors.js';
import { findRowOracle } from './row-registry.js';

/** Directory of the cases that are shipped. */
export const SHIPPED_CASES = fileURLToPath(new URL('../../../test/golden/cases', import.meta.url));

/**
 * Every case directory and file of rows at or below `directory`, in the order of their paths.
 * @throws InputError when it is no directory or holds no case.
 */
export function findCases(directory: string): string[] {
  if (findRowOracle(directory) !== undefined && existsSync(directory)) return [directory];
  if (!existsSync(directory) || !statSync(directory).isDirectory()) {
    throw new InputError('no such directory', { file: directory, allowed: 'a directory with golden cases' });
  }
  const found = [...casesBelow(directory)].sort();
  if (found.length === 0) {
    throw new InputError('no golden case at or below', {
      file: directory,
      allowed: 'directories with case.json',
    });
  }
  return found;
}

/**
 * A case by path, or by the name of a shipped one, with or without its oracle.
 * @throws InputError when there is none.
 */
export function resolveCases(nameOrPath: string): string[] {
  if (existsSync(nameOrPath)) return findCases(nameOrPath);
  const named = findCases(SHIPPED_CASES).filter((path) => path.endsWith(`/${nameOrPath}`));
  if (named.length > 0) return named;
  throw new InputError(`no golden case '${nameOrPath}'`, {
    allowed: 'a directory, or the name of a shipped case',
  });
}

function* casesBelow(directory: string): Generator<string> {
  if (existsSync(join(directory, 'case.json'))) {
    yield directory;
    return;
  }
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) yield* casesBelow(path);
    else if (findRowOracle(path) !== undefined) yield path;
  }
}
