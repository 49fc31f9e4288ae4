import { InputError } from '../../src/core/errors.js';

/** The message of the InputError that `action` throws; anything else fails the test. */
export function inputErrorOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof InputError) return error.message;
    throw error;
  }
  throw new Error('no InputError was thrown');
}
