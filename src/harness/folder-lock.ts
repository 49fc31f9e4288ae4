import { readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { InputError } from '../core/errors.js';
import { attemptIo } from '../core/files.js';

/** Files of this name, or that begin with it, are no contents of a folder. */
export const LOCK_FILE = '.lock';

/** How long a lock without contents may belong to a run that is just writing them, in milliseconds. */
const WRITING_MS = 10_000;
const ATTEMPTS = 10;

/** Who holds a lock. */
interface Holder {
  readonly pid: number;
  readonly host: string;
  /** When the process was started, as the system has it; '' where it does not say. Process numbers are used again. */
  readonly started: string;
}

/**
 * Keeps other runs out of a folder while one writes there: a file that only one process can create. The lock of a
 * process that is dead, for example killed, is taken over.
 */
export class FolderLock {
  private held = true;

  private constructor(private readonly path: string) {}

  /** Takes the lock of a folder that exists. @throws InputError if a run holds it, or it cannot be written. */
  static take(folder: string): FolderLock {
    const path = join(folder, LOCK_FILE);
    return attemptIo('cannot lock the folder', folder, () => {
      for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
        if (created(path)) return new FolderLock(path);
        removeStale(path, folder);
      }
      throw heldBy('other runs', folder);
    });
  }

  /** Gives the lock back; once is enough. */
  release(): void {
    if (!this.held) return;
    this.held = false;
    attemptIo('cannot unlock', this.path, () => rmSync(this.path, { force: true }));
  }
}

function created(path: string): boolean {
  const { pid } = process;
  const holder: Holder = { pid, host: hostname(), started: startOf(pid) };
  try {
    writeFileSync(path, JSON.stringify(holder), { flag: 'wx' });
    return true;
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false;
    throw error;
  }
}

/** @throws InputError if the lock is not stale. */
function removeStale(path: string, folder: string): void {
  const text = textOf(path);
  if (text === undefined) return;
  refuseLive(text, path, folder);
  // Another process may have taken the lock over since it was read: what is moved away is looked at again.
  const aside = `${path}.${process.pid}`;
  try {
    renameSync(path, aside);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return;
    throw error;
  }
  if (textOf(aside) === text) rmSync(aside);
  else {
    renameSync(aside, path);
    throw heldBy('another run', folder);
  }
}

function refuseLive(text: string, path: string, folder: string): void {
  const holder = parseHolder(text);
  if (holder === undefined) {
    if (Date.now() - statSync(path).mtimeMs < WRITING_MS) throw heldBy('a run that is starting', folder);
    return;
  }
  if (holder.host !== hostname()) {
    throw new InputError(`process ${holder.pid} on '${holder.host}' is writing its results here`, {
      file: folder,
      allowed: `another --out, or, if that run is over, to delete ${path}`,
    });
  }
  if (isAlive(holder)) throw heldBy(`process ${holder.pid}`, folder);
}

function heldBy(who: string, folder: string): InputError {
  return new InputError(`${who} is writing results here`, {
    file: folder,
    allowed: 'another --out, or to wait for the end of that run',
  });
}

function parseHolder(text: string): Holder | undefined {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function isAlive({ pid, started }: Holder): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // Anything but "no such process" means that there is one.
    if (hasCode(error, 'ESRCH')) return false;
  }
  return startOf(pid) === started;
}

/** Start of a process in clock ticks since the boot (proc_pid_stat(5), field 22); '' for a zombie and without /proc. */
function startOf(pid: number): string {
  const stat = textOf(`/proc/${pid}/stat`) ?? '';
  // The command, field 2, stands in parentheses and may hold anything.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' ? '' : (fields[19] ?? '');
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT') || hasCode(error, 'ESRCH')) return undefined;
    throw error;
  }
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
