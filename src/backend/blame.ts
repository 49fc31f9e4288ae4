import { basename } from 'node:path';
import { inspect } from 'node:util';
import { InputError } from '../core/errors.js';

/** Turns what goes wrong in a file of the user's into one clear message. */
export class Blame {
  /** `file` as the user named it. */
  constructor(readonly file: string) {}

  /** Runs code of the file's. @throws InputError for whatever it throws, with the line in the file where it did. */
  attempt<T>(what: () => string, action: () => T): T {
    try {
      return action();
    } catch (error) {
      throw this.thrown(what(), error);
    }
  }

  /** The error for one that code of the file's threw while it did `what`. */
  thrown(what: string, error: unknown): InputError {
    if (error instanceof InputError && error.place.file === this.file) return error;
    const problem =
      error instanceof Error ? `${error.name}: ${error.message}` : `${inWords(error)} was thrown`;
    return new InputError(`${what}: ${problem}`, { file: this.file, ...this.placeIn(error) });
  }

  /** The error for a part of the file that is not as it must be. */
  wrong(field: string, value: unknown, allowed: string): InputError {
    const problem = value === undefined ? 'is missing' : `${inWords(value)} is not acceptable`;
    return new InputError(problem, { file: this.file, field, allowed });
  }

  /** Line and column of the topmost frame of the file, if the error's stack has one. */
  private placeIn(error: unknown): { line?: number; column?: number } {
    const stack = error instanceof Error ? (error.stack ?? '') : '';
    const frame = stack
      .split('\n')
      .find((line) => /^\s+at /.test(line) && line.includes(basename(this.file)));
    const match = frame === undefined ? null : /:(\d+):(\d+)\)?$/.exec(frame);
    return match === null ? {} : { line: Number(match[1]), column: Number(match[2]) };
  }
}

/** A value of the user's in one short line, whatever it is. */
export function inWords(value: unknown): string {
  const text = inspect(value, { depth: 0, breakLength: Number.POSITIVE_INFINITY, maxStringLength: 60 });
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}
