import { describe, expect, it } from 'vitest';
import type { BackendDefinition, Parameters } from '../../src/backend/contract.js';
import { Client } from '../../src/conformance/client.js';
import { CONTRACT, type MakeClient } from '../../src/conformance/contract-tests.js';

/** A contract test that a backend is known not to pass. */
export interface Skip {
  readonly test: string;
  readonly reason: string;
}

export interface ConformanceOptions {
  readonly parameters?: Parameters;
  readonly skips?: readonly Skip[];
}

/**
 * Holds a backend against the contract. A skipped test must fail: a skip that is not needed any more, or names no
 * test, is an error.
 */
export function conformance(definition: BackendDefinition, options: ConformanceOptions = {}): void {
  const { parameters = {}, skips = [] } = options;
  const variant = Object.entries(parameters).map(([key, value]) => `${key}=${value}`);
  describe(`${definition.name}${variant.length > 0 ? `:${variant.join(',')}` : ''} keeps the contract`, () => {
    const makeClient: MakeClient = (rows = []) => new Client(definition, parameters, rows);
    for (const { test, reason } of skips) {
      it(`has a test for its skip: ${test}`, () => {
        expect(CONTRACT.map(({ name }) => name)).toContain(test);
        expect(reason).not.toBe('');
      });
    }
    for (const { name, run } of CONTRACT) {
      const skip = skips.find(({ test }) => test === name);
      if (skip === undefined) it(name, () => run(makeClient));
      else it(`does not hold (${skip.reason}): ${name}`, () => expect(() => run(makeClient)).toThrow());
    }
  });
}
