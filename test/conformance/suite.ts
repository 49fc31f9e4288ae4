import { describe, expect, it } from 'vitest';
import type { BackendDefinition, ConformanceException, Parameters } from '../../src/backend/contract.js';
import { Client } from '../../src/conformance/client.js';
import { CONTRACT, type MakeClient } from '../../src/conformance/contract-tests.js';

export interface ConformanceOptions {
  readonly parameters?: Parameters;
  /** Instead of those of the definition. */
  readonly exceptions?: readonly ConformanceException[];
}

/**
 * Holds a backend against the contract. An excepted promise must not be kept: an exception that is not needed any more, or
 * names no promise, is an error.
 */
export function conformance(definition: BackendDefinition, options: ConformanceOptions = {}): void {
  const { parameters = {}, exceptions = definition.exceptions ?? [] } = options;
  const variant = Object.entries(parameters).map(([key, value]) => `${key}=${value}`);
  describe(`${definition.name}${variant.length > 0 ? `:${variant.join(',')}` : ''} keeps the contract`, () => {
    const makeClient: MakeClient = (rows = []) => new Client(definition, parameters, rows);
    for (const { promise, reason } of exceptions) {
      it(`has a test for its exception: ${promise}`, () => {
        expect(CONTRACT.map(({ name }) => name)).toContain(promise);
        expect(reason).not.toBe('');
      });
    }
    for (const { name, run } of CONTRACT) {
      const exception = exceptions.find(({ promise }) => promise === name);
      if (exception === undefined) it(name, () => run(makeClient));
      else it(`does not hold (${exception.reason}): ${name}`, () => expect(() => run(makeClient)).toThrow());
    }
  });
}
