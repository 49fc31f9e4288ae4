import { join } from 'node:path';
import { InputError, MisuseError } from '../../core/errors.js';

/**
 * What is wrong with a golden case, from an error that came up while it was read or its arenas were set up: no kernel
 * has arenas that a model refuses to create. Any other error is rethrown.
 */
export function badCase(error: unknown, directory: string): InputError {
  if (error instanceof InputError) return error;
  if (!(error instanceof MisuseError)) throw error;
  return new InputError(error.message, { file: join(directory, 'case.json'), field: 'arenas' });
}
