import { Type } from '@sinclair/typebox';
import { MIB } from '../core/units.js';
import type { BackendDefinition } from './contract.js';
import { createSegkp, SEGKP_PARAMETERS } from './illumos-segkp.js';

/** Thread stacks in a segment of fixed size: amd64, and the 32-bit kernel before 2005. See SegkpBackend. */
export const illumosSegkpStatic: BackendDefinition = {
  name: 'illumos-segkp-static',
  summary: 'illumos with thread stacks in segkp, a segment of fixed size beside the heap',
  heldBy: ['illumos-vmem', 'kva-layout'],
  parameters: Type.Object(
    {
      ...SEGKP_PARAMETERS,
      segkp_size: Type.Number({
        format: 'bytes',
        minimum: 1,
        maximum: 2 ** 40,
        default: 200 * MIB,
        description: 'bytes of segkp, whole pages (segkpsize); on amd64 200 MiB to 8 GiB',
      }),
    },
    { additionalProperties: false },
  ),
  create: (parameters, environment) => createSegkp(parameters, environment, Number(parameters.segkp_size)),
};
