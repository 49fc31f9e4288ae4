import { existsSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { InputError } from '../core/errors.js';
import { unknownName } from '../core/suggest.js';
import { backendFileReference } from '../harness/backend-files.js';
import { shippedSuites, shippedTrace, shippedTraces, shippedWorkloads } from '../harness/catalogue.js';
import { type Component, parseComponents, readComponents } from '../harness/component.js';
import type { Registries } from '../harness/registries.js';
import {
  allNames,
  backendFilesOf,
  DEFAULT_SAMPLES,
  DEFAULT_SEEDS,
  readSuite,
  type Suite,
} from '../harness/suite.js';
import { isWorkloadFile, parseWorkloads, readWorkloads } from '../harness/workload-file.js';
import { refuseFileOfOtherForm } from '../trace/trace-forms.js';

/** What the command line says about what to run; undefined where it is silent. */
export interface SuiteChoice {
  /** Names or paths of suites, traces and workload files. */
  readonly targets: readonly string[];
  /** As -b and -w take them. */
  readonly backends: readonly string[] | undefined;
  readonly workloads: readonly string[] | undefined;
  readonly seeds: readonly number[] | undefined;
  readonly samples: number | undefined;
  readonly cpus: number | undefined;
}

/** Paths of the files that a command line and its suites name as backends. @throws InputError for a bad suite. */
export function chosenBackendFiles(choice: SuiteChoice): string[] {
  const suites = choice.targets.map(locate).filter(({ kind }) => kind === 'suite');
  const options = choice.backends?.map(backendFileReference) ?? [];
  return [
    ...suites.flatMap(({ path }) => backendFilesOf(path)),
    ...options.flatMap((reference) => (reference === undefined ? [] : [resolve(reference.name)])),
  ];
}

/** The suites that a command line means, its options laid over the files'. @throws InputError for bad input. */
export function chooseSuites(choice: SuiteChoice, registries: Registries): Suite[] {
  const workloads = choice.workloads?.flatMap((text) =>
    parseWorkloads(text, registries.workloads, process.cwd()),
  );
  const backends = choice.backends?.flatMap((text) =>
    parseComponents('backend', text, registries.backends, process.cwd()),
  );
  const targets: Component[] = [];
  const suites: Suite[] = [];
  for (const target of choice.targets) {
    const found = locate(target);
    if (found.kind === 'trace') targets.push(...replayOf(found.path, registries));
    else if (found.kind === 'workload') targets.push(...workloadOf(found.path, registries));
    else suites.push(readSuite(found.path, registries));
  }
  const overridden = suites.map((suite) => ({ ...suite, workloads: workloads ?? suite.workloads }));
  const loose = [...targets, ...(suites.length > 0 ? [] : (workloads ?? []))];
  const all = loose.length > 0 ? [...overridden, looseSuite(loose, registries)] : overridden;
  if (all.length === 0) {
    throw new InputError('nothing to run', {
      allowed: `a suite (${suiteNames()}), a trace, a workload file, or -w`,
    });
  }
  return all.map((suite) => ({
    ...suite,
    backends: backends ?? suite.backends,
    seeds: choice.seeds ?? suite.seeds,
    samples: choice.samples ?? suite.samples,
    cpus: choice.cpus ?? suite.cpus,
  }));
}

interface Located {
  readonly kind: 'suite' | 'trace' | 'workload';
  readonly path: string;
}

function locate(target: string): Located {
  if (/\.arrow$/i.test(target)) return { kind: 'trace', path: resolve(target) };
  const isYaml = /\.ya?ml$/i.test(target);
  if (!isYaml) refuseFileOfOtherForm(target);
  if (isYaml || (target.includes('/') && existsSync(target))) {
    return { kind: isYaml && isWorkloadFile(target) ? 'workload' : 'suite', path: target };
  }
  const suite = shippedSuites().find(({ name }) => name === target);
  if (suite !== undefined) return { kind: 'suite', path: suite.path };
  const trace = shippedTrace(target);
  if (trace !== undefined) return { kind: 'trace', path: trace };
  const workload = shippedWorkloads().find(({ name }) => name === target);
  if (workload !== undefined) return { kind: 'workload', path: workload.path };
  const names = [...shippedSuites(), ...shippedTraces(), ...shippedWorkloads()].map(({ name }) => name);
  throw unknownName('suite, trace or workload', target, [...names, 'a path that ends in .yaml or .arrow']);
}

function replayOf(path: string, registries: Registries): Component[] {
  const context = { folder: process.cwd(), place: () => ({ file: path }) };
  return readComponents(
    'workload',
    { name: 'replay', parameters: { trace: path } },
    registries.workloads,
    context,
  );
}

function workloadOf(path: string, registries: Registries): Component[] {
  const context = { folder: process.cwd(), place: () => ({ file: path }) };
  return readWorkloads({ name: path, parameters: {} }, registries.workloads, context);
}

function looseSuite(workloads: readonly Component[], registries: Registries): Suite {
  const context = { folder: process.cwd(), place: () => ({}) };
  const [only] = workloads;
  return {
    name: workloads.length === 1 ? folderName(only!.label) : 'several',
    description: '',
    workloads,
    backends: allNames(registries).flatMap((name) =>
      readComponents('backend', { name, parameters: {} }, registries.backends, context),
    ),
    seeds: DEFAULT_SEEDS,
    samples: DEFAULT_SAMPLES,
    cpus: undefined,
    digest: '',
  };
}

function folderName(label: string): string {
  return basename(label).replaceAll(/[^A-Za-z0-9._-]+/g, '_');
}

function suiteNames(): string {
  return shippedSuites()
    .map(({ name }) => name)
    .join(', ');
}
