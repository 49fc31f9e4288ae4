import { Type } from '@sinclair/typebox';
import type { BackendDefinition } from './contract.js';
import { FreebsdStacks, KSTACK_PARAMETERS } from './freebsd-kstack.js';

/**
 * An object for each stack, of its size, as until April 2020, with the stack cache of 13.0.
 * Spec freebsd-vmem-kstack §5, §6.
 */
export const freebsdKstackPerObject: BackendDefinition = {
  name: 'freebsd-kstack-per-object',
  summary: "FreeBSD's kernel stacks in a VM object each, as before April 2020",
  heldBy: ['freebsd-kstack', 'freebsd-vmem'],
  parameters: Type.Object(KSTACK_PARAMETERS, { additionalProperties: false }),
  create: (parameters, environment) => new FreebsdStacks('per-stack', parameters, environment),
};
