import { basename } from 'node:path';
import { visibleText } from '../core/visible-text.js';
import { shippedSuites, shippedTraces } from '../harness/catalogue.js';
import type { Definition } from '../harness/registries.js';
import { REGISTRIES } from '../harness/registries.js';
import { shellWord } from './escape.js';
import type { StoredCell, StoredRun } from './read-results.js';

interface RecordedComponent {
  readonly name?: unknown;
  readonly parameters?: Readonly<Record<string, unknown>>;
}

/**
 * The command line that gives these cells' results again, from their configuration: `-w` and `-b` with every parameter
 * that is not the default. Of files it has the names only, for that is all that a run remembers of them.
 */
export function repeatCommand(run: StoredRun, cells: readonly StoredCell[]): string {
  const backends = distinct(
    cells.map(({ configuration, backend }) => componentWord(configuration.backend, 'backends', backend)),
  );
  const workloads = distinct(
    cells.map(({ configuration, workload }) => componentWord(configuration.workload, 'workloads', workload)),
  );
  const cpus = distinct(cells.map(({ configuration }) => String(configuration.cpus)));
  const words = [
    ...workloads.flatMap((word) => ['-w', word]),
    ...backends.flatMap((word) => ['-b', word]),
    ...distinct(cells.map(({ seed }) => String(seed))).flatMap((seed) => ['--seed', seed]),
    '--samples',
    String(run.suite.samples),
    ...(cpus.length === 1 ? ['--cpus', cpus[0]!] : []),
  ];
  return ['kvabench run', ...words.map((word) => shellWord(visibleText(word)))].join(' ');
}

/** The command line of the whole run: the suite's name if it is shipped, else that of its file. */
export function suiteCommand(run: StoredRun): string {
  const { name, sha256 } = run.suite;
  const isShipped = shippedSuites().some((suite) => suite.name === name);
  const file = isShipped ? name : `${name}.yaml`;
  return sha256 === '' ? '' : `kvabench run ${shellWord(visibleText(file))}`;
}

/** A combination is known by the name of its file only, and so is a backend of the user's. */
function componentWord(recorded: unknown, kind: 'workloads' | 'backends', label: string): string {
  const { name, parameters = {} } = recorded as RecordedComponent;
  const definition = REGISTRIES[kind].find((candidate) => candidate.name === name);
  if (definition === undefined) return label;
  const pairs = Object.entries(parameters).filter(([key, value]) => !isDefault(definition, key, value));
  const list = pairs.map(([key, value]) => `${key}=${valueText(value)}`);
  return list.length === 0 ? String(name) : `${String(name)}:${list.join(',')}`;
}

function isDefault(definition: Definition, key: string, value: unknown): boolean {
  if (value === null || (Array.isArray(value) && value.length === 0)) return true;
  const schema = definition.parameters.properties[key];
  return JSON.stringify(schema?.default) === JSON.stringify(value);
}

/** A trace that is shipped is found by its name from anywhere. */
function valueText(value: unknown): string {
  const text = Array.isArray(value) ? value.join('+') : String(value);
  const trace = shippedTraces().find(({ path }) => basename(path) === text);
  return trace === undefined ? text : `workloads/traces/${text}`;
}

function distinct(words: readonly string[]): string[] {
  return [...new Set(words)];
}
