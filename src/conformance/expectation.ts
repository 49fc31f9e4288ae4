import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';

/**
 * Requires what a backend said to be what was wanted, in one line.
 * @throws AssertionError with both values otherwise.
 */
export function requireEqual(said: unknown, wanted: unknown, what: string): void {
  if (!isDeepStrictEqual(said, wanted)) assert.fail(`${what}: ${inWords(said)}, not ${inWords(wanted)}`);
}

function inWords(value: unknown): string {
  if (value instanceof Map) return inWords(Object.fromEntries(value));
  return value === undefined ? 'nothing' : JSON.stringify(value);
}
