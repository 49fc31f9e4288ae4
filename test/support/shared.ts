import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Root of the repository. */
export const repositoryRoot = fileURLToPath(new URL('../..', import.meta.url));

/**
 * Path of a file in the material that may lie beside the repository, or undefined where it does not. Tests that
 * need it skip with `describe.skipIf(path === undefined)` and a name that says so.
 */
export function sharedPath(relative: string): string | undefined {
  const path = fileURLToPath(new URL(`../../../shared/${relative}`, import.meta.url));
  return existsSync(path) ? path : undefined;
}
