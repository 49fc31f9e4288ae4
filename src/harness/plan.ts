import { basename } from 'node:path';
import type { Backend, BackendFile, Parameters } from '../backend/contract.js';
import { InputError } from '../core/errors.js';
import { Simulation } from '../core/simulation.js';
import { ARENA_COLUMNS, CACHE_COLUMNS } from '../probe/arena-columns.js';
import { PROBE_COLUMNS } from '../probe/registry.js';
import { combinationWorkload } from '../workload/combination.js';
import type { Workload } from '../workload/contract.js';
import type { Component } from './component.js';
import { canonicalJson, sha256 } from './digest.js';
import { type ParameterColumn, parameterColumns } from './parameter-columns.js';
import { portableParameters } from './parameters.js';
import { findDefinition, type Registries } from './registries.js';
import type { Suite } from './suite.js';
import { refuseTooMany } from './sweep.js';

/** A stored cell of other columns cannot be used again. */
const COLUMNS_DIGEST = sha256(
  [...PROBE_COLUMNS, ...ARENA_COLUMNS, ...CACHE_COLUMNS].map(({ name }) => name).join(' '),
);

/** One run to be made: a workload with a seed against a backend. Can be sent to a worker. */
export interface CellPlan {
  /** Stable name, fit for a file: workload, backend and seed. */
  readonly id: string;
  readonly workload: Component;
  readonly backend: Component;
  readonly seed: number;
  readonly samples: number;
  /** Requests that the workload will make at most, where it knows. */
  readonly events: number | undefined;
  /** Simulated processors. */
  readonly cpus: number;
  /** Whether its address-space map is recorded too; that changes no figure. */
  readonly map?: boolean;
  /** All that decides the result, the same on every machine. */
  readonly configuration: Readonly<Record<string, unknown>>;
  /** sha256 of the configuration's canonical JSON. */
  readonly configurationDigest: string;
}

/** A suite spread out into cells, in the order of the result files. */
export interface Plan {
  readonly suite: Suite;
  readonly cells: readonly CellPlan[];
  /** The parameters that the suite varies, as columns of its tables. */
  readonly parameters: readonly ParameterColumn[];
  /** The part of the suite's cells that this plan has; undefined for all of them. */
  readonly shard?: Shard;
}

/** Every cell whose number is `index` modulo `count`, counting both from 1. */
export interface Shard {
  readonly index: number;
  readonly count: number;
}

/** The part of a plan that one of several machines runs. */
export function shardOf(plan: Plan, shard: Shard): Plan {
  const cells = plan.cells.filter((_, number) => number % shard.count === shard.index - 1);
  return { ...plan, cells, shard };
}

/** The plan with an address-space map recorded of each cell. */
export function withMaps(plan: Plan): Plan {
  return { ...plan, cells: plan.cells.map((cell) => ({ ...cell, map: true })) };
}

/**
 * Spreads a suite out: workload × seed × backend. Each workload and each backend is built once on trial, so that bad
 * input is found before anything runs. `version` is that of the program.
 * @throws InputError for a workload or backend that cannot be built, for two cells of one name, or too many cells.
 */
export function planSuite(suite: Suite, registries: Registries, version: string): Plan {
  refuseTooMany(suite.workloads.length * suite.seeds.length * suite.backends.length);
  const cells: CellPlan[] = [];
  for (const workload of suite.workloads) {
    for (const seed of suite.seeds) {
      const built = createWorkload(workload, seed, registries);
      const cpus = chooseCpus(suite, workload, built);
      for (const backend of suite.backends) {
        if (seed === suite.seeds[0]) tryPair(workload, built, backend, cpus, registries);
        cells.push(planCell({ suite, workload, backend, seed, cpus, built, registries, version }));
      }
    }
  }
  refuseDuplicates(cells);
  return { suite, cells, parameters: parameterColumns(suite, registries) };
}

/** Builds a workload. @throws InputError that names it. */
export function createWorkload(component: Component, seed: number, registries: Registries): Workload {
  return named('workload', component, () => buildWorkload(component, seed, registries));
}

function buildWorkload(component: Component, seed: number, registries: Registries): Workload {
  if (component.parts === undefined) {
    const definition = findDefinition('workload', component.name, registries.workloads);
    return definition.create(component.parameters as Parameters, seed);
  }
  const parts = component.parts.map(({ component: part, phases, keep }) => ({
    name: part.label,
    phases,
    keep,
    create: (partSeed: number) => buildWorkload(part, partSeed, registries),
  }));
  return combinationWorkload(component.label, parts, seed);
}

/** What of a workload's choice decides the result, the same on every machine. */
function portableWorkload(component: Component, registries: Registries): Record<string, unknown> {
  const { name, parameters, parts, workloadFile } = component;
  const digest = workloadFile === undefined ? {} : { file: workloadFile.sha256 };
  if (parts !== undefined) {
    const portable = parts.map((part) => ({
      ...part,
      component: portableWorkload(part.component, registries),
    }));
    return { name, ...digest, parts: portable };
  }
  const schema = findDefinition('workload', name, registries.workloads).parameters;
  return { name, ...digest, parameters: portableParameters(schema, parameters) };
}

/** Builds a backend for a workload. @throws InputError that names it. */
export function createBackend(
  component: Component,
  workload: Workload,
  simulation: Simulation,
  registries: Registries,
): Backend {
  const definition = findDefinition('backend', component.name, registries.backends);
  const environment = { simulation, constraints: workload.constraints };
  const create = (): Backend => definition.create(component.parameters as Parameters, environment);
  // A file of the user's is named by its own messages.
  return component.file === undefined ? named('backend', component, create) : create();
}

/** Builds a backend on trial. @throws InputError if it cannot be built or could never serve the largest request. */
function tryPair(
  component: Component,
  workload: Workload,
  backend: Component,
  cpus: number,
  registries: Registries,
): void {
  const built = createBackend(backend, workload, new Simulation(cpus), registries);
  const roots = workload.classes
    .filter((cls) => built.serves.includes(cls))
    .flatMap((cls) => built.rootsOf?.(cls) ?? built.arenas.filter(({ source }) => source === null));
  const room = roots.reduce(
    (most, { capacityBytes, figures }) => Math.max(most, capacityBytes ?? figures.totalBytes),
    0,
  );
  const largest = workload.largestRequest ?? 0;
  if (roots.length === 0 || largest <= room) return;
  throw new InputError(
    `workload '${component.label}' asks for ${largest} bytes at once, and backend '${backend.label}' has ${room}`,
    { allowed: 'an arena that holds the largest request' },
  );
}

function named<T>(kind: string, component: Component, create: () => T): T {
  try {
    return create();
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    throw new InputError(`${kind} '${component.label}': ${error.message}`);
  }
}

function chooseCpus(suite: Suite, component: Component, workload: Workload): number {
  const cpus = suite.cpus ?? workload.cpus;
  if (cpus >= workload.cpus) return cpus;
  throw new InputError(`${cpus} CPUs are too few for the workload '${component.label}'`, {
    field: 'cpus',
    allowed: `at least ${workload.cpus}`,
  });
}

interface CellParts {
  readonly suite: Suite;
  readonly workload: Component;
  readonly backend: Component;
  readonly seed: number;
  readonly cpus: number;
  readonly built: Workload;
  readonly registries: Registries;
  readonly version: string;
}

function planCell(parts: CellParts): CellPlan {
  const { suite, workload, backend, seed, cpus, registries } = parts;
  const definition = findDefinition('backend', backend.name, registries.backends);
  const configuration = {
    tool: `kvabench ${parts.version}`,
    columns: COLUMNS_DIGEST,
    workload: { ...portableWorkload(workload, registries), provenance: parts.built.provenance },
    backend: {
      name: backend.name,
      parameters: portableParameters(definition.parameters, backend.parameters),
      ...portableFile(definition.file),
    },
    seed,
    samples: suite.samples,
    cpus,
  };
  return {
    id: [workload.label, backend.label, `s${seed}`].map(fileName).join('.'),
    workload,
    backend,
    seed,
    samples: suite.samples,
    events: parts.built.events,
    cpus,
    configuration,
    configurationDigest: sha256(canonicalJson(configuration)),
  };
}

/** What decides the result of a backend of the user's, without where the file lies. */
function portableFile(file: BackendFile | undefined): Readonly<Record<string, string>> {
  return file === undefined ? {} : { file: basename(file.path), sha256: file.sha256 };
}

function fileName(label: string): string {
  return label.replaceAll(/[^A-Za-z0-9_-]+/g, '_');
}

function refuseDuplicates(cells: readonly CellPlan[]): void {
  const seen = new Map<string, CellPlan>();
  for (const cell of cells) {
    // Some file systems do not tell upper from lower case.
    const key = cell.id.toLowerCase();
    const other = seen.get(key);
    if (other !== undefined) {
      throw new InputError(
        `two cells would be called '${cell.id}': ${describeCell(other)} and ${describeCell(cell)}`,
        { allowed: 'names (key `name`) that tell workloads and backends apart' },
      );
    }
    seen.set(key, cell);
  }
}

function describeCell(cell: CellPlan): string {
  return `'${cell.workload.label}' on '${cell.backend.label}'`;
}
