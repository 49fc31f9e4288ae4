import { Type } from '@sinclair/typebox';
import type { BackendDefinition } from './contract.js';
import { createSegkp, SEGKP_PARAMETERS } from './illumos-segkp.js';

/** Thread stacks from the heap: the 32-bit kernel since 2005 (segkp_fromheap). See SegkpBackend. */
export const illumosSegkpHeap: BackendDefinition = {
  name: 'illumos-segkp-heap',
  summary: 'illumos with thread stacks in segkp, an arena that imports from the heap (32-bit x86 since 2005)',
  heldBy: ['illumos-vmem', 'kva-layout'],
  parameters: Type.Object(SEGKP_PARAMETERS, { additionalProperties: false }),
  create: (parameters, environment) => createSegkp(parameters, environment, 0),
};
