import { bestFitMap } from './best-fit-map.js';
import { bhyveReservoir } from './bhyve-reservoir.js';
import { bitmap } from './bitmap.js';
import { buddy } from './buddy.js';
import type { BackendDefinition } from './contract.js';
import { firstFitMap } from './first-fit-map.js';
import { illumosVmem } from './illumos-vmem.js';
import { illumosVmemNoqc } from './illumos-vmem-noqc.js';
import { tlsf } from './tlsf.js';

/** Every backend, by name. The conformance suite runs over all of them. */
export const BACKENDS: readonly BackendDefinition[] = [
  bestFitMap,
  bhyveReservoir,
  bitmap,
  buddy,
  firstFitMap,
  illumosVmem,
  illumosVmemNoqc,
  tlsf,
];
