import { existsSync, readdirSync, readFileSync, renameSync, rmdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { InputError } from '../core/errors.js';
import { attemptIo, makeFolder, writeWhole } from '../core/files.js';
import type { Field } from '../probe/contract.js';
import { type CellResult, digestResult } from './cell.js';
import { FolderLock, LOCK_FILE } from './folder-lock.js';
import type { CellPlan } from './plan.js';

/** What to do with a folder that has results already. */
export type FolderMode = 'refuse' | 'resume' | 'force';

/** Present in every folder of results: by it they are known. */
export const RUN_FILE = 'run.json';
const CELLS = 'cells';
/** Address-space maps, a file for each cell of a run with --map. */
const MAPS = 'maps';
/** What cells without a result died of, a file each. */
const FAILURES = 'failures';

/** What finds the stored result of a cell. */
export type StoredKey = Pick<CellPlan, 'id' | 'configurationDigest' | 'map'>;

/** What a run can do about a folder that has results. */
const RUN_WAYS = '--resume to finish them, --force to replace them, or another --out';

/** Suffix of the folder in which results that are to replace others come about. */
const PART = '.part';

/**
 * A folder of results: run.json, a file per finished cell in cells/, and the tables. Every file appears complete or
 * not at all, so that an interrupted run keeps its finished cells. Results that replace others come about in a
 * folder beside them, and take their place when they are complete. One run at a time writes to a folder.
 */
export class ResultFolder {
  private work: string;

  private constructor(
    private readonly target: string,
    private readonly mode: FolderMode,
    private readonly owned: readonly string[],
    replaces: boolean,
    private readonly lock: FolderLock,
  ) {
    this.work = replaces ? `${target}${PART}` : target;
  }

  /** Where the files are at present. */
  get path(): string {
    return this.work;
  }

  /**
   * Takes a folder for a new run. Only what this program writes (`owned`, cells/, maps/, failures/ and run.json) is ever
   * removed; `ways` are the options that the refusal of a folder with results offers.
   * @throws InputError if it is not empty and must not be used, is in use, or cannot be written.
   */
  static open(path: string, mode: FolderMode, owned: readonly string[], ways = RUN_WAYS): ResultFolder {
    entriesOf(path);
    attemptIo('cannot write', path, () => makeFolder(path));
    const lock = FolderLock.take(path);
    try {
      const replaces = checkUse(path, mode, ways);
      const folder = new ResultFolder(path, mode, owned, replaces, lock);
      folder.prepare(replaces);
      return folder;
    } catch (error) {
      lock.release();
      throw error;
    }
  }

  private prepare(replaces: boolean): void {
    const { work } = this;
    if (replaces) entriesOf(work);
    attemptIo('cannot write', work, () => {
      if (replaces) rmSync(work, { recursive: true, force: true });
      makeFolder(join(work, CELLS));
      rmSync(join(work, FAILURES), { recursive: true, force: true });
    });
  }

  /** Lets other runs use the folder. */
  close(): void {
    this.lock.release();
  }

  /** Puts complete results in the place of those that they replace. @throws InputError when that cannot be done. */
  settle(): void {
    const { work, target } = this;
    if (work === target) return;
    attemptIo('cannot write', target, () => {
      this.clear(target);
      for (const name of readdirSync(work)) renameSync(join(work, name), join(target, name));
      rmdirSync(work);
    });
    this.work = target;
  }

  /**
   * After a run that could not go on: removes what is of no use to a later one. Earlier results and finished cells
   * stay. Closes the folder.
   * @returns how many cells are kept in `path`.
   */
  abandon(): number {
    const { work, target, mode } = this;
    return attemptIo('cannot clean up', work, () => {
      const kept = readdirSync(join(work, CELLS)).length;
      const isNew = kept === 0 && work === target && mode !== 'resume';
      if (isNew) this.clear(work);
      else if (kept === 0 && work !== target) rmSync(work, { recursive: true, force: true });
      this.close();
      if (isNew && readdirSync(work).length === 0) rmdirSync(work);
      return kept;
    });
  }

  /** Path of a file in the folder. */
  file(name: string): string {
    return join(this.work, name);
  }

  /** Stores a finished cell, and its map if it has one. @throws InputError when it cannot be written. */
  storeCell(result: CellResult): void {
    const { map, ...figures } = result;
    // A cell that is there has its map.
    if (map !== undefined) writeWhole(mapPath(this.work, result.id), `${JSON.stringify(map)}\n`);
    writeWhole(cellFile(this.work, result.id), `${JSON.stringify(figures)}\n`);
  }

  /** Stores what a cell without a result died of. @throws InputError when it cannot be written. */
  storeFailure(id: string, detail: string): void {
    writeWhole(this.file(join(FAILURES, `${id}.txt`)), detail);
  }

  /** The stored result of a cell, or undefined where there is none of its configuration. */
  storedCell(plan: StoredKey): CellResult | undefined {
    return storedIn(this.work, plan);
  }

  /** The result of a cell that has been run. @throws InputError if it is missing or damaged. */
  readCell(plan: StoredKey): CellResult {
    return readCellIn(this.work, plan);
  }

  private clear(folder: string): void {
    for (const name of [CELLS, MAPS, FAILURES, RUN_FILE, ...this.owned]) {
      rmSync(join(folder, name), { recursive: true, force: true });
    }
  }
}

/**
 * Whether a run of this mode replaces the results in a folder.
 * @throws InputError if there are any and it must not touch them, or the folder is something else's.
 */
function checkUse(path: string, mode: FolderMode, ways = RUN_WAYS): boolean {
  const hasResults = entriesOf(path).length > 0;
  if (hasResults && mode === 'refuse') {
    throw new InputError('the folder has results', { file: path, allowed: ways });
  }
  return hasResults && mode === 'force';
}

/**
 * The cells that a run of this mode would find stored in a folder; nothing is changed.
 * @throws InputError where ResultFolder.open would refuse the folder, or a stored cell is damaged.
 */
export function findStored(path: string, mode: FolderMode, cells: readonly CellPlan[]): ReadonlySet<string> {
  checkUse(path, mode);
  const stored = mode === 'resume' ? cells.filter((cell) => storedIn(path, cell) !== undefined) : [];
  return new Set(stored.map(({ id }) => id));
}

function cellFile(folder: string, id: string): string {
  return join(folder, CELLS, `${id}.json`);
}

/** The result of a cell in a folder that nobody writes to. @throws InputError if it is missing or damaged. */
export function readCellIn(folder: string, plan: StoredKey): CellResult {
  const result = storedIn(folder, plan);
  if (result !== undefined) return result;
  throw new InputError('the result is missing', { file: cellFile(folder, plan.id) });
}

/** What a cell without a result died of, as it was stored. @throws InputError if it cannot be read. */
export function readFailureIn(folder: string, id: string): string {
  const path = join(folder, FAILURES, `${id}.txt`);
  return attemptIo('cannot read', path, () => readFileSync(path, 'utf8'));
}

function mapPath(folder: string, id: string): string {
  return join(folder, MAPS, `${id}.json`);
}

/** Paths of the address-space maps in a folder of results, in the order of their names. @throws InputError */
export function mapFilesIn(folder: string): string[] {
  const path = join(folder, MAPS);
  const names = attemptIo('cannot read', path, () => (existsSync(path) ? readdirSync(path) : []));
  return names
    .filter((name) => name.endsWith('.json'))
    .sort()
    .map((name) => join(path, name));
}

/** Path of a cell's address-space map in a folder of results; undefined where none was recorded. */
export function mapFileOf(folder: string, id: string): string | undefined {
  const path = mapPath(folder, id);
  return existsSync(path) ? path : undefined;
}

function storedIn(folder: string, plan: StoredKey): CellResult | undefined {
  const path = cellFile(folder, plan.id);
  if (!existsSync(path) || (plan.map === true && !existsSync(mapPath(folder, plan.id)))) return undefined;
  const result = parseCell(path);
  return result.configurationDigest === plan.configurationDigest ? result : undefined;
}

/** What is in a folder, which must be ours if it is there and not empty. @throws InputError otherwise. */
function entriesOf(path: string): string[] {
  const names = attemptIo('cannot use the folder', path, () => (existsSync(path) ? readdirSync(path) : []));
  const entries = names.filter((name) => !name.startsWith(LOCK_FILE));
  if (entries.length === 0 || entries.includes(RUN_FILE)) return entries;
  throw new InputError('the folder is not empty and holds no results of kvabench', {
    file: path,
    allowed: 'a new or empty folder',
  });
}

function parseCell(path: string): CellResult {
  const text = attemptIo('cannot read', path, () => readFileSync(path, 'utf8'));
  const place = {
    file: path,
    allowed: 'a result that kvabench wrote; delete the file to have the cell run again',
  };
  let stored: CellResult;
  try {
    stored = JSON.parse(text);
  } catch (error) {
    throw new InputError(`damaged result: ${(error as Error).message}`, place);
  }
  const { samples, summary, placementDigest } = stored;
  if (
    samples?.rows === undefined ||
    stored.resultDigest !== digestResult(placementDigest, samples, summary)
  ) {
    throw new InputError('damaged result: its digest does not fit its figures', place);
  }
  return withoutNulls(stored);
}

function fieldOf(value: Field | null): Field {
  return value ?? Number.NaN;
}

/** JSON has no NaN: it was written as null. */
function withoutNulls(stored: CellResult): CellResult {
  const numbers = (values: readonly (number | null)[]): number[] =>
    values.map((value) => value ?? Number.NaN);
  const { timeNs, rows, arenas, caches, tables } = stored.samples;
  const samples = {
    timeNs,
    rows: rows.map(numbers),
    arenas: arenas.map((arena) => ({ ...arena, values: numbers(arena.values) })),
    caches: caches.map((cache) => ({ ...cache, values: numbers(cache.values) })),
    tables: Object.fromEntries(
      Object.entries(tables).map(([name, fields]) => [name, fields.map((row) => row.map(fieldOf))]),
    ),
  };
  return { ...stored, samples, summary: numbers(stored.summary) };
}
