import { Type } from '@sinclair/typebox';
import type { BackendDefinition } from './contract.js';
import { FreebsdStacks, KSTACK_PARAMETERS } from './freebsd-kstack.js';

/**
 * One object for all stacks, indexed by address (kstack_object, April 2020): guard pages leave holes in its indices.
 * Spec freebsd-vmem-kstack §5, §6.
 */
export const freebsdKstackSingle: BackendDefinition = {
  name: 'freebsd-kstack-single',
  summary: "FreeBSD's kernel stacks in one VM object, indexed by address: as committed in April 2020",
  heldBy: ['freebsd-kstack', 'freebsd-vmem'],
  parameters: Type.Object(KSTACK_PARAMETERS, { additionalProperties: false }),
  create: (parameters, environment) => new FreebsdStacks('single', parameters, environment),
};
