import { Type } from '@sinclair/typebox';
import type { BackendDefinition } from './contract.js';
import { LinuxVmapSystem, VMAP_PARAMETERS } from './linux-vmap-system.js';

/** Linux 6.12 as it is: as many nodes as CPUs, with pools. See LinuxVmapSystem. */
export const linuxVmap: BackendDefinition = {
  name: 'linux-vmap',
  summary: 'Linux 6.12 vmap: one tree of free ranges, lazy frees, pools per node, kept thread stacks',
  heldBy: ['linux-vmap'],
  exceptions: [
    {
      promise: 'exhaustion changes nothing, and ends with the first free',
      reason:
        'what was freed last waits for a purge, so that the first requests leave another rest than the same ones later',
    },
  ],
  parameters: Type.Object(VMAP_PARAMETERS, { additionalProperties: false }),
  create: (values, environment) => new LinuxVmapSystem(values, environment),
};
