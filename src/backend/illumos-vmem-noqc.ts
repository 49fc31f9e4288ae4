import { Type } from '@sinclair/typebox';
import type { BackendDefinition } from './contract.js';
import { IllumosStack, STACK_PARAMETERS } from './illumos-stack.js';

/** The same stack with every vmem_alloc going to the segment list: what the quantum caches are worth. */
export const illumosVmemNoqc: BackendDefinition = {
  name: 'illumos-vmem-noqc',
  summary: 'illumos vmem without quantum caches, otherwise as illumos-vmem',
  heldBy: ['illumos-vmem'],
  parameters: Type.Object(STACK_PARAMETERS, { additionalProperties: false }),
  create: (parameters, environment) => new IllumosStack(parameters, environment),
};
