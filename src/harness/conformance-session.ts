import { resolve } from 'node:path';
import type { Parameters } from '../backend/contract.js';
import { judge, PROMISES, type PromiseOptions, type Verdict } from '../conformance/promises.js';
import { backendFileReference, withBackendFiles } from './backend-files.js';
import { onlyComponent, parseComponents } from './component.js';
import { findDefinition, REGISTRIES } from './registries.js';

/** A backend to be held to its promises. Can be sent to a worker. */
export interface ConformanceJob {
  /** As -b takes it. */
  readonly backend: string;
  readonly seed: number;
  readonly histories: number;
}

/** What a session says, in this order: the label once, then for each promise its start and the verdict. */
export type SessionMessage =
  | { readonly label: string }
  | { readonly started: number }
  | { readonly verdict: Verdict };

/**
 * Loads a backend and holds it to the promises from number `first` on, telling each step as it is made.
 * @throws InputError for a file that is no backend, or bad parameters.
 */
export async function holdToPromises(
  job: ConformanceJob,
  first: number,
  tell: (message: SessionMessage) => void,
): Promise<void> {
  const file = backendFileReference(job.backend);
  const files = file === undefined ? [] : [resolve(file.name)];
  const { backends } = await withBackendFiles(REGISTRIES, files);
  const components = parseComponents('backend', job.backend, backends, process.cwd(), '');
  const component = onlyComponent(components, { field: job.backend });
  const definition = findDefinition('backend', component.name, backends);
  const parameters = component.parameters as Parameters;
  const options: PromiseOptions = { parameters, seed: job.seed, histories: job.histories };
  tell({ label: component.label });
  for (const [index, promise] of PROMISES.entries()) {
    if (index < first) continue;
    tell({ started: index });
    tell({ verdict: judge(promise, definition, options) });
  }
}
