import { existsSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { InputError } from '../core/errors.js';
import { unknownName } from '../core/suggest.js';
import { shippedSuites, shippedTraces } from '../harness/catalogue.js';
import { type Component, parseComponents, readComponents } from '../harness/component.js';
import type { Registries } from '../harness/registries.js';
import { allNames, DEFAULT_SAMPLES, DEFAULT_SEEDS, readSuite, type Suite } from '../harness/suite.js';

/** What the command line says about what to run; undefined where it is silent. */
export interface SuiteChoice {
  /** Names or paths of suites, names or paths of traces. */
  readonly targets: readonly string[];
  /** As -b and -w take them. */
  readonly backends: readonly string[] | undefined;
  readonly workloads: readonly string[] | undefined;
  readonly seeds: readonly number[] | undefined;
  readonly samples: number | undefined;
  readonly cpus: number | undefined;
}

/** The suites that a command line means, its options laid over the files'. @throws InputError for bad input. */
export function chooseSuites(choice: SuiteChoice, registries: Registries): Suite[] {
  const workloads = choice.workloads?.flatMap((text) => components('workload', text, registries));
  const backends = choice.backends?.flatMap((text) => components('backend', text, registries));
  const traces: string[] = [];
  const suites: Suite[] = [];
  for (const target of choice.targets) {
    const found = locate(target);
    if (found.kind === 'trace') traces.push(found.path);
    else suites.push(readSuite(found.path, registries));
  }
  const overridden = suites.map((suite) => ({ ...suite, workloads: workloads ?? suite.workloads }));
  const loose = [
    ...traces.flatMap((path) => replayOf(path, registries)),
    ...(suites.length > 0 ? [] : (workloads ?? [])),
  ];
  const all = loose.length > 0 ? [...overridden, looseSuite(loose, registries)] : overridden;
  if (all.length === 0) {
    throw new InputError('nothing to run', { allowed: `a suite (${suiteNames()}), a trace, or -w` });
  }
  return all.map((suite) => ({
    ...suite,
    backends: backends ?? suite.backends,
    seeds: choice.seeds ?? suite.seeds,
    samples: choice.samples ?? suite.samples,
    cpus: choice.cpus ?? suite.cpus,
  }));
}

function components(kind: 'workload' | 'backend', text: string, registries: Registries): Component[] {
  const definitions = kind === 'backend' ? registries.backends : registries.workloads;
  return parseComponents(kind, text, definitions, process.cwd());
}

interface Located {
  readonly kind: 'suite' | 'trace';
  readonly path: string;
}

function locate(target: string): Located {
  if (/\.arrow$/i.test(target)) return { kind: 'trace', path: resolve(target) };
  if (/\.ya?ml$/i.test(target) || (target.includes('/') && existsSync(target)))
    return { kind: 'suite', path: target };
  const suite = shippedSuites().find(({ name }) => name === target);
  if (suite !== undefined) return { kind: 'suite', path: suite.path };
  const trace = shippedTraces().find(({ name }) => name === target);
  if (trace !== undefined) return { kind: 'trace', path: trace.path };
  const names = [...shippedSuites(), ...shippedTraces()].map(({ name }) => name);
  throw unknownName('suite or trace', target, [...names, 'a path that ends in .yaml or .arrow']);
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
