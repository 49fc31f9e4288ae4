import { unknownName } from '../core/suggest.js';
import type { BackendDefinition } from './contract.js';
import { firstFitMap } from './first-fit-map.js';
import { illumosVmem } from './illumos-vmem.js';
import { illumosVmemNoqc } from './illumos-vmem-noqc.js';

/** Every backend, by name. The conformance suite runs over all of them. */
export const BACKENDS: readonly BackendDefinition[] = [firstFitMap, illumosVmem, illumosVmemNoqc];

/** @throws InputError if there is no backend of that name; it suggests the nearest one. */
export function findBackend(name: string): BackendDefinition {
  const found = BACKENDS.find((definition) => definition.name === name);
  if (found !== undefined) return found;
  throw unknownName(
    'backend',
    name,
    BACKENDS.map((definition) => definition.name),
  );
}
