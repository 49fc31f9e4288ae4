import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { InputError, type InputPlace } from '../core/errors.js';
import { type Component, type ComponentRequest, readComponents } from './component.js';
import { sha256 } from './digest.js';
import type { Definition, Registries } from './registries.js';
import { schemaProblem } from './schema-check.js';
import { SUITE_SCHEMA, type SuiteFile } from './suite-schema.js';
import { type YamlPath, YamlSource } from './yaml-source.js';

export const DEFAULT_SAMPLES = 200;
export const DEFAULT_SEEDS: readonly number[] = [1];

/** What is replayed against what, every name looked up and every parameter complete. */
export interface Suite {
  readonly name: string;
  readonly description: string;
  readonly workloads: readonly Component[];
  readonly backends: readonly Component[];
  readonly seeds: readonly number[];
  /** Sample points per cell. */
  readonly samples: number;
  /** Simulated processors; undefined for as many as each workload uses. */
  readonly cpus: number | undefined;
  /** sha256 of the suite file, or '' for a suite that the command line describes. */
  readonly digest: string;
}

/** Reads a suite file. @throws InputError with file, line and column for anything that is not right. */
export function readSuite(path: string, registries: Registries): Suite {
  const text = readInput(path);
  const source = new YamlSource(text, path);
  const file = checkedFile(source, path);
  const reader = new SuiteReader(source, dirname(path));
  return {
    name: file.name,
    description: file.description ?? '',
    workloads: reader.components('workload', 'workloads', file.workloads, registries.workloads),
    backends: reader.components(
      'backend',
      'backends',
      file.backends ?? allNames(registries),
      registries.backends,
    ),
    seeds: file.seeds ?? DEFAULT_SEEDS,
    samples: file.samples ?? DEFAULT_SAMPLES,
    cpus: file.cpus,
    digest: sha256(text),
  };
}

/** Names of all backends: what a suite without `backends` means. */
export function allNames(registries: Registries): string[] {
  return registries.backends.map((definition) => definition.name);
}

function readInput(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new InputError(`cannot read the suite: ${(error as Error).message}`, { file: path });
  }
}

function checkedFile(source: YamlSource, path: string): SuiteFile {
  const problem = schemaProblem(SUITE_SCHEMA, source.value);
  if (problem === undefined) return source.value as SuiteFile;
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

/** An item of `workloads` or `backends`: a name, or a mapping of name, label and parameters. */
type Item = string | Readonly<Record<string, unknown>>;

class SuiteReader {
  private readonly source: YamlSource;
  private readonly folder: string;

  constructor(source: YamlSource, folder: string) {
    this.source = source;
    this.folder = folder;
  }

  components(
    kind: 'workload' | 'backend',
    list: 'workloads' | 'backends',
    items: readonly Item[],
    definitions: readonly Definition[],
  ): Component[] {
    return items.flatMap((item, index) => {
      const path: YamlPath = [list, index];
      const place = (parameter: string, value?: number): InputPlace =>
        this.source.place([
          ...path,
          ...(parameter === '' ? [] : [parameter]),
          ...(value === undefined ? [] : [value]),
        ]);
      return readComponents(kind, componentRequest(kind, item), definitions, { folder: this.folder, place });
    });
  }
}

function componentRequest(kind: 'workload' | 'backend', item: Item): ComponentRequest {
  if (typeof item === 'string') return { name: item, parameters: {} };
  const { [kind]: name, name: label, ...parameters } = item;
  return { name: String(name), label: label === undefined ? undefined : String(label), parameters };
}
