import { readFileSync } from 'node:fs';
import { InputError } from '../core/errors.js';
import { schemaProblem } from './schema-check.js';
import type { YamlSource } from './yaml-source.js';

/** Text of an input file; `kind` is the noun, for example `suite`. @throws InputError if it cannot be read. */
export function readInput(kind: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new InputError(`cannot read the ${kind}: ${(error as Error).message}`, { file: path });
  }
}

/** Holds a YAML file against a schema. @throws InputError with file, line, column and field of what does not fit. */
export function requireSchema(source: YamlSource, schema: object, path: string): void {
  const problem = schemaProblem(schema, source.value);
  if (problem === undefined) return;
  const place =
    problem.key === undefined ? source.place(problem.path) : source.keyPlace([...problem.path, problem.key]);
  const field = problem.path.join('.');
  throw new InputError(problem.text, {
    ...place,
    file: path,
    ...(field === '' ? {} : { field }),
    ...(problem.allowed === '' ? {} : { allowed: problem.allowed }),
  });
}
