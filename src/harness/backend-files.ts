import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { Blame } from '../backend/blame.js';
import type { BackendDefinition, BackendFile } from '../backend/contract.js';
import { completeDefinition } from '../backend/user-backend.js';
import { InputError } from '../core/errors.js';
import { attemptIo } from '../core/files.js';
import { sha256 } from './digest.js';
import type { Registries } from './registries.js';

const REFERENCE = /^(.*?\.m?js)(?::(.*))?$/s;

/** A backend as -b and suites name it: name or file, and the text behind the colon if there is one. */
export interface BackendReference {
  readonly name: string;
  readonly pairs: string | undefined;
}

/** Cuts `./my-backend.js:key=value` in two; undefined where the text names no file. */
export function backendFileReference(text: string): BackendReference | undefined {
  const match = REFERENCE.exec(text);
  return match === null ? undefined : { name: match[1]!, pairs: match[2] };
}

/**
 * The registries with the backends of these files as well.
 * @param limitMs milliseconds that a file may take to load
 * @throws InputError for a file that is missing, cannot be loaded, does not finish loading or exports no backend, and
 * for a name that another backend has.
 */
export async function withBackendFiles(
  registries: Registries,
  paths: readonly string[],
  limitMs = LOAD_LIMIT_MS,
): Promise<Registries> {
  for (const path of new Set(paths.map((path) => resolve(path)))) await refuseEndless(path, limitMs);
  return withLoadedFiles(registries, paths);
}

/** No backend computes for so long before it is asked for anything. */
const LOAD_LIMIT_MS = 30_000;

/** What the thread of a trial does. A file that fails is none that does not end: its error is told when it is loaded. */
const TRIAL = `
const { parentPort, workerData } = require('node:worker_threads');
const ended = () => parentPort.postMessage('ended');
import(workerData).then(ended, ended);
`;

/**
 * Loads a file on trial in a thread of its own, which alone can be stopped when it computes for ever.
 * @throws InputError if that takes longer than `limitMs`.
 */
async function refuseEndless(path: string, limitMs: number): Promise<void> {
  const trial = new Worker(TRIAL, {
    eval: true,
    workerData: pathToFileURL(path).href,
    stdout: true,
    stderr: true,
  });
  const outcome = new Promise<string>((done) => {
    trial.once('message', () => done(''));
    trial.once('error', () => done(''));
    trial.once('exit', () => done('it waits for what never comes, or ends the process'));
  });
  const limit = new AbortController();
  try {
    const late = setTimeout(limitMs, `given up after ${limitMs / 1000} s`, { signal: limit.signal });
    const problem = await Promise.race([outcome, late]);
    if (problem === '') return;
    throw new InputError(`does not finish loading: ${problem}`, { file: named(path) });
  } finally {
    limit.abort();
    await trial.terminate();
  }
}

async function withLoadedFiles(registries: Registries, paths: readonly string[]): Promise<Registries> {
  const backends = [...registries.backends];
  for (const path of new Set(paths.map((path) => resolve(path)))) {
    const loaded = await loadBackendFile(path);
    const other = backends.find(({ name }) => name === loaded.name);
    if (other !== undefined) {
      const whose = other.file === undefined ? 'a backend that is shipped' : named(other.file.path);
      const place = { file: named(path), field: 'name', allowed: 'another name' };
      throw new InputError(`'${loaded.name}' is the name of ${whose}`, place);
    }
    backends.push(loaded);
  }
  return { ...registries, backends };
}

/**
 * The registries with the backend of a file that has been loaded before, in another thread.
 * @throws InputError if it cannot be loaded, or has been changed since.
 */
export async function withSameFile(registries: Registries, file: BackendFile): Promise<Registries> {
  const loaded = await withLoadedFiles(registries, [file.path]);
  if (loaded.backends.at(-1)?.file?.sha256 === file.sha256) return loaded;
  throw new InputError('the file has been changed during the run', { file: named(file.path) });
}

/**
 * Loads the backend that a file exports, complete and guarded. The digest in the module's address makes the engine load
 * a file anew that has been changed.
 * @throws InputError
 */
export async function loadBackendFile(path: string): Promise<BackendDefinition> {
  const file = named(path);
  const digest = sha256(attemptIo('cannot read the backend', file, () => readFileSync(path)));
  const exported = await importModule(`${pathToFileURL(path).href}?sha256=${digest}`, path, file);
  const definition = completeDefinition(exported.default ?? exported.backend, file);
  return { ...definition, file: { path, sha256: digest } };
}

interface BackendModule {
  readonly default?: unknown;
  readonly backend?: unknown;
}

async function importModule(address: string, path: string, file: string): Promise<BackendModule> {
  try {
    return await import(/* @vite-ignore */ address);
  } catch (error) {
    if (error instanceof SyntaxError) {
      throw new InputError(`cannot be loaded: ${error.message}`, { file, ...syntaxPlace(path) });
    }
    throw new Blame(file).thrown('cannot be loaded', error);
  }
}

/** Where the syntax is wrong, which the engine tells a process of its own only; nothing if it does not. */
function syntaxPlace(path: string): { line?: number } {
  const { stderr } = spawnSync(process.execPath, ['--check', path], { encoding: 'utf8' });
  const match = /^.*:(\d+)$/m.exec(stderr);
  return match === null ? {} : { line: Number(match[1]) };
}

/** How messages name a file: as seen from the current folder where it lies below that. */
function named(path: string): string {
  const short = relative(process.cwd(), path);
  return short.startsWith('..') ? path : short;
}
