import { dirname, resolve } from 'node:path';
import { InputError, type InputPlace } from '../core/errors.js';
import { backendFileReference } from './backend-files.js';
import { type Component, type ComponentRequest, readComponents } from './component.js';
import { sha256 } from './digest.js';
import type { Definition, Registries } from './registries.js';
import { SUITE_SCHEMA, type SuiteFile } from './suite-schema.js';
import { readWorkloads } from './workload-file.js';
import { readInput, requireSchema } from './yaml-file.js';
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
  const text = readInput('suite', path);
  const { source, file } = readSuiteFile(text, path);
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
    seeds: seedsOf(file, source),
    samples: file.samples ?? DEFAULT_SAMPLES,
    cpus: file.cpus,
    digest: sha256(text),
  };
}

/** @throws InputError where both a list and a number of seeds are given. */
function seedsOf({ seeds, runs }: SuiteFile, source: YamlSource): readonly number[] {
  if (runs === undefined) return seeds ?? DEFAULT_SEEDS;
  if (seeds === undefined) return Array.from({ length: runs }, (_, index) => index + 1);
  throw new InputError('both runs and seeds', { ...source.place(['runs']), allowed: 'one of them' });
}

/** Paths of the files that a suite names as backends. @throws InputError for a file that is no suite. */
export function backendFilesOf(path: string): string[] {
  const { backends = [] } = readSuiteFile(readInput('suite', path), path).file;
  const names = backends.map((item) => componentRequest('backend', item).name);
  return names
    .filter((name) => backendFileReference(name)?.name === name)
    .map((name) => resolve(dirname(path), name));
}

function readSuiteFile(
  text: string,
  path: string,
): { readonly source: YamlSource; readonly file: SuiteFile } {
  const source = new YamlSource(text, path);
  requireSchema(source, SUITE_SCHEMA, path);
  return { source, file: source.value as SuiteFile };
}

/** Names of all backends that are shipped: what a suite without `backends` means. */
export function allNames(registries: Registries): string[] {
  return registries.backends.filter(({ file }) => file === undefined).map(({ name }) => name);
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
      const context = { folder: this.folder, place };
      const request = componentRequest(kind, item);
      return kind === 'workload'
        ? readWorkloads(request, definitions, context)
        : readComponents(kind, request, definitions, context);
    });
  }
}

function componentRequest(kind: 'workload' | 'backend', item: Item): ComponentRequest {
  if (typeof item === 'string') return { name: item, parameters: {} };
  const { [kind]: name, name: label, ...parameters } = item;
  return { name: String(name), label: label === undefined ? undefined : String(label), parameters };
}
