import { resolve } from 'node:path';
import type { TObject } from '@sinclair/typebox';
import type { BackendDefinition, BackendFile } from '../backend/contract.js';
import { BACKENDS } from '../backend/registry.js';
import type { InputPlace } from '../core/errors.js';
import { unknownName } from '../core/suggest.js';
import { WORKLOADS, type WorkloadDefinition } from '../workload/registry.js';

/** What suites may name. Tests pass registries of their own. */
export interface Registries {
  readonly workloads: readonly WorkloadDefinition[];
  readonly backends: readonly BackendDefinition[];
}

/** What the program ships. */
export const REGISTRIES: Registries = { workloads: WORKLOADS, backends: BACKENDS };

/** What workload and backend definitions have in common. */
export interface Definition {
  readonly name: string;
  readonly summary: string;
  readonly parameters: TObject;
  /** Of a backend of the user's; it may be named by its path as well. */
  readonly file?: BackendFile;
}

/**
 * The definition called `name`, or loaded from the file of that path as seen from `folder`.
 * @throws InputError with the nearest name and all names.
 */
export function findDefinition<T extends Definition>(
  kind: string,
  name: string,
  definitions: readonly T[],
  place: InputPlace = {},
  folder = '.',
): T {
  const path = resolve(folder, name);
  const found = definitions.find((definition) => definition.name === name || definition.file?.path === path);
  if (found !== undefined) return found;
  throw unknownName(
    kind,
    name,
    definitions.map((definition) => definition.name),
    place,
  );
}
