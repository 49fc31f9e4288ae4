import { closeSync, openSync, renameSync, rmSync, statSync, writeSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { InputError } from '../core/errors.js';
import { systemProblem } from './system-problem.js';

/**
 * A file that a trace is written to: under a temporary name beside `path` until `complete`, so that a file of that name
 * stays as it was, and whoever gives up leaves nothing behind.
 */
export class TraceFile {
  private readonly temporary: string;
  private descriptor: number | undefined;

  /** @throws InputError if the file exists and may not be replaced, or cannot be written. */
  constructor(
    private readonly path: string,
    overwrite: boolean,
  ) {
    refuseExisting(path, overwrite);
    this.temporary = join(dirname(path), `.${basename(path)}.${process.pid}.partial`);
    this.descriptor = attempt(path, () => openSync(this.temporary, 'w'));
  }

  /** Adds bytes at the end. @throws InputError if they cannot be written; then the file is given up. */
  put(bytes: Uint8Array): void {
    this.attempt(() => {
      for (let written = 0; written < bytes.byteLength; ) {
        written += writeSync(this.descriptor!, bytes, written);
      }
    });
  }

  /** Gives the file its name. @throws InputError if it cannot have it; then the file is given up. */
  complete(): void {
    this.attempt(() => {
      renameSync(this.temporary, this.path);
      this.close();
    });
  }

  /** Gives up: removes the temporary file. Does nothing after `complete`. */
  discard(): void {
    if (this.descriptor === undefined) return;
    this.close();
    rmSync(this.temporary, { force: true });
  }

  private close(): void {
    closeSync(this.descriptor!);
    this.descriptor = undefined;
  }

  /** What fails leaves nothing behind: on a full disk, half a file would take room that others need. */
  private attempt(action: () => void): void {
    try {
      attempt(this.path, action);
    } catch (error) {
      this.discard();
      throw error;
    }
  }
}

/** Only a regular file can be replaced: a rename over /dev/null would take it from everybody. */
function refuseExisting(file: string, overwrite: boolean): void {
  const existing = attempt(file, () => statSync(file, { throwIfNoEntry: false }));
  if (existing === undefined) return;
  if (!existing.isFile()) throw new InputError('cannot be replaced: it is no regular file', { file });
  if (!overwrite) throw new InputError('the file exists; --force replaces it', { file });
}

function attempt<T>(file: string, write: () => T): T {
  try {
    return write();
  } catch (error) {
    throw new InputError(`cannot write the trace: ${systemProblem(error)}`, { file });
  }
}
