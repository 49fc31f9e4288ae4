import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type Static, type TSchema, Type } from '@sinclair/typebox';
import { InputError } from '../core/errors.js';
import { attemptIo } from '../core/files.js';
import { RUN_FILE } from '../harness/result-folder.js';
import { schemaProblem } from '../harness/schema-check.js';
import { TIMING_PACKAGE } from './record-timing.js';
import { type StoredDescription, type StoredField, StoredTable } from './stored-table.js';
import { DATA_PACKAGE } from './write-tables.js';

const RUN_FORMAT = 'kvabench run 1';

const map = Type.Record(Type.String(), Type.Unknown());

const RUN_SCHEMA = Type.Object({
  format: Type.Literal(RUN_FORMAT),
  status: Type.Union([Type.Literal('running'), Type.Literal('complete'), Type.Literal('failed')]),
  version: Type.String(),
  commit: Type.String(),
  started: Type.String(),
  machine: Type.Record(Type.String(), Type.Union([Type.String(), Type.Number()])),
  suite: Type.Object({
    name: Type.String(),
    description: Type.Optional(Type.String()),
    sha256: Type.String(),
    samples: Type.Integer(),
  }),
  seeds: Type.Array(Type.Integer()),
  cells: Type.Array(
    Type.Object({
      id: Type.String(),
      workload: Type.String(),
      backend: Type.String(),
      configuration: map,
      configurationDigest: Type.String(),
    }),
  ),
  failures: Type.Array(Type.Object({ id: Type.String(), message: Type.String() })),
});

const PACKAGE_SCHEMA = Type.Object({
  resources: Type.Array(
    Type.Object({
      name: Type.String({ pattern: '^[a-z0-9][a-z0-9-]*$' }),
      title: Type.String(),
      hash: Type.String({ pattern: '^sha256:[0-9a-f]{64}$' }),
      schema: Type.Object({
        fields: Type.Array(
          Type.Object({
            name: Type.String(),
            type: Type.Union([Type.Literal('string'), Type.Literal('integer'), Type.Literal('number')]),
            unit: Type.Optional(Type.String()),
            kind: Type.Union([Type.Literal('exact'), Type.Literal('measured')]),
            better: Type.Union([Type.Literal('less'), Type.Literal('more'), Type.Literal('none')]),
            description: Type.String(),
          }),
        ),
      }),
    }),
  ),
});

/** run.json of a finished run. */
export type StoredRun = Static<typeof RUN_SCHEMA>;

/** A cell as run.json has it, and why it has no result if it has none. */
export interface StoredCell {
  readonly id: string;
  readonly workload: string;
  readonly backend: string;
  readonly seed: number;
  readonly configuration: Readonly<Record<string, unknown>>;
  readonly configurationDigest: string;
  /** One line; undefined for a cell with a result. */
  readonly failure: string | undefined;
}

/** A folder that `kvabench run` wrote, each table read when it is first asked for. */
export class Results {
  private readonly read = new Map<string, StoredTable>();

  private constructor(
    readonly path: string,
    readonly run: StoredRun,
    readonly cells: readonly StoredCell[],
    private readonly descriptions: ReadonlyMap<string, StoredDescription>,
  ) {}

  /**
   * Opens a folder of results.
   * @throws InputError for a folder that holds none, or those of an unfinished run or of another version, and for
   * descriptions that are broken.
   */
  static open(path: string): Results {
    const file = join(path, RUN_FILE);
    if (!existsSync(file)) {
      const allowed = 'a folder that kvabench run wrote';
      throw new InputError(problemOf(path), { file: path, allowed });
    }
    const run = readRun(file);
    const exact = readDescriptions(join(path, DATA_PACKAGE));
    const timing = join(path, TIMING_PACKAGE);
    const measured = existsSync(timing) ? readDescriptions(timing) : [];
    const descriptions = new Map([...exact, ...measured].map((table) => [table.name, table]));
    return new Results(path, run, cellsOf(run, file), descriptions);
  }

  /** Names of the tables, timing tables among them where there are any. */
  get tableNames(): readonly string[] {
    return [...this.descriptions.keys()];
  }

  /** Whether the run has written a table of this name, without reading it. */
  has(name: string): boolean {
    return this.descriptions.has(name);
  }

  /** A table by the name of its file without `.csv`. @throws InputError if it is missing or broken. */
  table(name: string): StoredTable {
    const known = this.read.get(name);
    if (known !== undefined) return known;
    const file = join(this.path, `${name}.csv`);
    const description = this.descriptions.get(name);
    if (description === undefined) {
      const allowed = 'results of this version';
      throw new InputError(`${DATA_PACKAGE} knows no such table`, { file, allowed });
    }
    const table = StoredTable.read(file, description);
    this.read.set(name, table);
    return table;
  }
}

/** Why there is nothing to be read in this place. */
function problemOf(path: string): string {
  const found = attemptIo('cannot read', path, () => statSync(path, { throwIfNoEntry: false }));
  if (found === undefined) return 'no such folder';
  return found.isDirectory() ? `no results: ${RUN_FILE} is missing` : 'no folder';
}

function readRun(file: string): StoredRun {
  const value = readJson(file);
  const { format } = value as { format?: unknown };
  if (format !== RUN_FORMAT) {
    const problem = `results of format ${JSON.stringify(format ?? null)}`;
    throw new InputError(problem, { file, field: 'format', allowed: JSON.stringify(RUN_FORMAT) });
  }
  const run = conforming(RUN_SCHEMA, value, file);
  if (run.status !== 'running') return run;
  throw new InputError('the run has not been finished', {
    file,
    field: 'status',
    allowed: 'results of a finished run; `kvabench run --resume` finishes it',
  });
}

function cellsOf(run: StoredRun, file: string): StoredCell[] {
  const failures = new Map(run.failures.map(({ id, message }) => [id, message]));
  return run.cells.map((cell, index) => {
    const { seed } = cell.configuration;
    if (typeof seed !== 'number') {
      throw new InputError('the cell has no seed', { file, field: `cells.${index}.configuration.seed` });
    }
    return { ...cell, seed, failure: failures.get(cell.id) };
  });
}

function readDescriptions(file: string): StoredDescription[] {
  const { resources } = conforming(PACKAGE_SCHEMA, readJson(file), file);
  return resources.map(({ name, title, hash, schema }) => ({
    name,
    title,
    fields: schema.fields as StoredField[],
    digest: hash.slice('sha256:'.length),
  }));
}

/** @throws InputError unless the file holds a JSON object. */
function readJson(file: string): object {
  const text = attemptIo('cannot read', file, () => readFileSync(file, 'utf8'));
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new InputError(`broken JSON: ${(error as Error).message}`, { file });
  }
  if (typeof value === 'object' && value !== null) return value;
  throw new InputError('no JSON object', { file, allowed: 'the file as kvabench wrote it' });
}

function conforming<T extends TSchema>(schema: T, value: object, file: string): Static<T> {
  const problem = schemaProblem(schema, value);
  if (problem === undefined) return value as Static<T>;
  const field = problem.path.join('.');
  throw new InputError(problem.text, {
    file,
    ...(field === '' ? {} : { field }),
    ...(problem.allowed === '' ? {} : { allowed: problem.allowed }),
  });
}
