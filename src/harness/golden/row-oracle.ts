import { readFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import type { Static, TSchema } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import { InputError, InvariantError, MisuseError } from '../../core/errors.js';

/** Figures by name, as text. */
export type RowFields = Readonly<Record<string, string>>;

/** One row of a vector, and what the model makes of it. */
export interface RowCheck {
  /** Which row, for people. */
  readonly label: string;
  readonly wanted: RowFields;
  readonly got: RowFields;
  /** What helps to understand a difference. */
  context?(): string;
}

/** How vectors are checked that are rows of figures, each of which stands for itself or follows from those before. */
export interface RowOracle {
  readonly name: string;
  /** What it calls its rows. */
  readonly unit: 'operations' | 'rows';
  /** Whether a file or case directory holds vectors of this oracle. */
  claims(path: string): boolean;
  /** Name of the vectors at a path that it claims. */
  caseName(path: string): string;
  /** Computes row by row; what follows a difference need not make sense. @throws InputError for broken vectors. */
  rows(path: string): Iterable<RowCheck>;
}

/** First difference between a model and a vector of rows. */
export interface RowMismatch {
  readonly where: string;
  readonly wanted: string;
  readonly got: string;
  readonly context: string;
}

/** Rows that agree, and the first that does not. */
export interface RowOutcome {
  readonly rows: number;
  readonly mismatch?: RowMismatch;
}

/** Compares every field that a row of the vector has. @throws InputError for broken vectors. */
export function verifyRows(oracle: RowOracle, path: string): RowOutcome {
  let rows = 0;
  try {
    for (const check of oracle.rows(path)) {
      const field = Object.keys(check.wanted).find((name) => check.wanted[name] !== check.got[name]);
      if (field !== undefined) return { rows, mismatch: differenceOf(check, field) };
      rows++;
    }
  } catch (error) {
    // A model that contradicts itself has failed the case; anything else is not about the case.
    if (!(error instanceof InvariantError || error instanceof MisuseError)) throw error;
    const where = `row ${rows + 1}: the model gave up`;
    return { rows, mismatch: { where, wanted: 'a result', got: error.message, context: '' } };
  }
  if (rows === 0) throw new InputError('no rows', { file: path });
  return { rows };
}

function differenceOf({ label, wanted, got, context }: RowCheck, field: string): RowMismatch {
  return {
    where: `${label}: ${field}`,
    wanted: wanted[field]!,
    got: got[field] ?? '(not modelled)',
    context: context?.() ?? '',
  };
}

/** Whether the path is one of these files in a directory that has the oracle's name. */
export function isVectorFile(path: string, oracle: string, files: readonly string[]): boolean {
  return basename(dirname(path)) === oracle && files.includes(basename(path));
}

/** Contents of a JSON file. @throws InputError if it is none, or not of the schema's form. */
export function checkedJson<T extends TSchema>(schema: T, file: string): Static<T> {
  const document = readJson(file);
  if (Value.Check(schema, document)) return document;
  const error = Value.Errors(schema, document).First();
  throw new InputError(error?.message ?? 'no vectors', { file, field: error?.path ?? '' });
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new InputError(`not JSON (${(error as Error).message})`, { file });
  }
}
