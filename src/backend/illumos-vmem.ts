import { Type } from '@sinclair/typebox';
import type { BackendDefinition } from './contract.js';
import { IllumosStack, QCACHE_PARAMETERS, STACK_PARAMETERS } from './illumos-stack.js';

/** The illumos kernel as it is: vmem arenas with quantum caches, kmem caches on top. See IllumosStack. */
export const illumosVmem: BackendDefinition = {
  name: 'illumos-vmem',
  summary: 'illumos vmem with quantum caches and kmem caches, segkp for stacks, an arena for guests',
  heldBy: ['illumos-vmem'],
  parameters: Type.Object({ ...STACK_PARAMETERS, ...QCACHE_PARAMETERS }, { additionalProperties: false }),
  create: (parameters, environment) => new IllumosStack(parameters, environment),
};
