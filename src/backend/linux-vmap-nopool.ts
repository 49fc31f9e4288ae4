import { Type } from '@sinclair/typebox';
import type { BackendDefinition } from './contract.js';
import { LinuxVmapSystem, VMAP_PARAMETERS } from './linux-vmap-system.js';

/** The same with one node, as on one CPU: no pool is ever used. The limit of waiting pages goes by the CPUs still. */
export const linuxVmapNopool: BackendDefinition = {
  name: 'linux-vmap-nopool',
  summary: 'Linux 6.12 vmap with one node, hence without pools: every request goes to the tree',
  heldBy: ['linux-vmap'],
  exceptions: [
    {
      promise: 'exhaustion changes nothing, and ends with the first free',
      reason:
        'what was freed last waits for a purge, so that the first requests leave another rest than the same ones later',
    },
  ],
  parameters: Type.Object(VMAP_PARAMETERS, { additionalProperties: false }),
  create: (values, environment) => new LinuxVmapSystem(values, environment, 1),
};
