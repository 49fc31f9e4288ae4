import { closeSync, existsSync, mkdirSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { InputError } from './errors.js';

/**
 * Writes a file whole or not at all: to a temporary name beside it, then renamed.
 * @throws InputError when it cannot be written.
 */
export function writeWhole(path: string, content: string): void {
  const temporary = `${path}.part`;
  attemptIo('cannot write', path, () => {
    makeFolder(dirname(path));
    try {
      writeFileSync(temporary, content);
      renameSync(temporary, path);
    } catch (error) {
      // On a full disk, half a file would take room that others need.
      rmSync(temporary, { force: true });
      throw error;
    }
  });
}

/** Removes a file, if there is one. @throws InputError when it cannot be removed. */
export function removeFile(path: string): void {
  attemptIo('cannot remove', path, () => rmSync(path, { force: true }));
}

/**
 * Makes a folder and those above it that are missing. Not: the recursive option of mkdir, which never returns on
 * file systems that refuse new folders as if the parent were missing, as /proc does (Node 20).
 * @throws the system's error when one cannot be made.
 */
export function makeFolder(path: string): void {
  if (existsSync(path)) return;
  const parent = dirname(path);
  if (parent !== path) makeFolder(parent);
  mkdirSync(path);
}

/** A file written piece by piece that appears under its name only when it is complete. */
export class GrowingFile {
  private readonly path: string;
  private readonly temporary: string;
  private readonly descriptor: number;

  /** @throws InputError when it cannot be written. */
  constructor(path: string) {
    this.path = path;
    this.temporary = `${path}.part`;
    this.descriptor = attemptIo('cannot write', path, () => openSync(this.temporary, 'w'));
  }

  /** @throws InputError when it cannot be written. */
  append(text: string): void {
    attemptIo('cannot write', this.path, () => writeFileSync(this.descriptor, text));
  }

  /** Removes what has been written of a file that will not be completed. */
  discard(): void {
    attemptIo('cannot remove', this.temporary, () => {
      closeSync(this.descriptor);
      rmSync(this.temporary, { force: true });
    });
  }

  /** Gives the file its name. @throws InputError when it cannot be renamed. */
  complete(): void {
    attemptIo('cannot write', this.path, () => {
      closeSync(this.descriptor);
      renameSync(this.temporary, this.path);
    });
  }
}

/** Turns what the system refuses about `path` into one message. @throws InputError */
export function attemptIo<T>(problem: string, path: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error;
    throw new InputError(`${problem}: ${error.message}`, { file: path });
  }
}
