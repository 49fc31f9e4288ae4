import { Type } from '@sinclair/typebox';
import type { VmemArena } from '../arena/illumos-vmem/arena.js';
import type { BackendDefinition, Parameters } from './contract.js';
import { SHARED_PARAMETERS, SharedGuestStack } from './shared-guests.js';

/** Guests beside everything else in heap_arena: plain kernel memory. */
class GuestInHeap extends SharedGuestStack {
  protected override createGuest(parameters: Parameters): VmemArena {
    return this.guestArenaOver(this.arenaNamed('heap'), parameters);
  }
}

/** What bhyve did at first. See SharedGuestStack. */
export const illumosGuestInHeap: BackendDefinition = {
  name: 'illumos-guest-in-heap',
  summary: 'illumos before segkvmm, guests as plain kernel memory: they share heap with kmem and va',
  heldBy: ['illumos-vmem', 'kva-layout'],
  parameters: Type.Object(SHARED_PARAMETERS, { additionalProperties: false }),
  create: (parameters, environment) => new GuestInHeap(parameters, environment),
};
