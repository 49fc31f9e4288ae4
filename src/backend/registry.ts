import { bestFitMap } from './best-fit-map.js';
import { bitmap } from './bitmap.js';
import { buddy } from './buddy.js';
import type { BackendDefinition } from './contract.js';
import { firstFitMap } from './first-fit-map.js';
import { illumosVmem } from './illumos-vmem.js';
import { illumosVmemNoqc } from './illumos-vmem-noqc.js';
import { linuxVmap } from './linux-vmap.js';
import { linuxVmapNopool } from './linux-vmap-nopool.js';
import { tlsf } from './tlsf.js';

/** Every backend, by name. The conformance suite runs over all of them. */
export const BACKENDS: readonly BackendDefinition[] = [
  bestFitMap,
  bitmap,
  buddy,
  firstFitMap,
  illumosVmem,
  illumosVmemNoqc,
  linuxVmap,
  linuxVmapNopool,
  tlsf,
];
