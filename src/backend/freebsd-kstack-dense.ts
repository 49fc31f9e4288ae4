import { Type } from '@sinclair/typebox';
import type { BackendDefinition, Parameters } from './contract.js';
import { FreebsdStacks, KSTACK_PARAMETERS } from './freebsd-kstack.js';

/**
 * One object for the stacks of default size, side by side in its indices, and a second for others. The indices follow from
 * an arena of address space that has nothing but stacks, as landed in 2024, or are the lowest unit numbers that are free, as a
 * review of 2020 proposed. Without reservations the object is of type OBJT_PHYS. Spec freebsd-vmem-kstack §5, §6.
 */
export const freebsdKstackDense: BackendDefinition = {
  name: 'freebsd-kstack-dense',
  summary: "FreeBSD's kernel stacks in one VM object without holes: as landed in 2024, or by unit numbers",
  heldBy: ['freebsd-kstack', 'freebsd-vmem'],
  parameters: Type.Object(
    {
      indices: Type.Union([Type.Literal('kva'), Type.Literal('unit')], {
        default: 'kva',
        description: 'where indices come from: an arena of stack addresses (2024), or the lowest free number',
      }),
      reservations: Type.Boolean({
        default: true,
        description:
          'whether pages of the object may come from reservations (not since it is of type OBJT_PHYS)',
      }),
      ...KSTACK_PARAMETERS,
    },
    { additionalProperties: false },
  ),
  create: (parameters, environment) => new FreebsdStacks(layoutOf(parameters), parameters, environment),
};

function layoutOf({ indices, reservations }: Parameters) {
  if (indices === 'kva') return reservations === true ? 'dense-kva' : 'dense-kva-noreserv';
  return reservations === true ? 'dense-unr' : 'dense-unr-noreserv';
}
