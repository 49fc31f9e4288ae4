import type { TObject } from '@sinclair/typebox';
import type { BackendDefinition } from '../backend/contract.js';
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
}

/** The definition called `name`. @throws InputError with the nearest name and all names. */
export function findDefinition<T extends Definition>(
  kind: string,
  name: string,
  definitions: readonly T[],
  place: InputPlace = {},
): T {
  const found = definitions.find((definition) => definition.name === name);
  if (found !== undefined) return found;
  throw unknownName(
    kind,
    name,
    definitions.map((definition) => definition.name),
    place,
  );
}
