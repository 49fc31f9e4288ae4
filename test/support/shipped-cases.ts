import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect, it } from 'vitest';
import { findCases } from '../../src/harness/golden/find-cases.js';

/** Directories of cases, each behind its name. */
export function namedCases(directories: readonly string[]): (readonly [string, string])[] {
  return directories.map((directory) => [basename(directory), directory] as const);
}

/** Declares a test for each case below `shipped` that its files are those of the same case below `original`. */
export function casesAreShippedAsIn(original: () => string, shipped: string): void {
  it.each(namedCases(findCases(shipped)))('%s is shipped as it is there', (name, directory) => {
    expect(readdirSync(directory)).toEqual(readdirSync(join(original(), name)));
    for (const file of readdirSync(directory)) {
      const isSame = readFileSync(join(directory, file)).equals(readFileSync(join(original(), name, file)));
      expect([file, isSame]).toEqual([file, true]);
    }
  });
}
