import type { Backend } from '../backend/contract.js';
import { REQUEST_CLASS_NAMES, UNCONSTRAINED } from '../core/request.js';
import type { Bytes } from '../core/units.js';
import { rootsOf } from './arenas.js';

/** Why a request was refused, by the state of its root arenas when it was. */
export const Refusal = { exhausted: 0, fragmented: 1, constraint: 2, policy: 3 } as const;
export type Refusal = (typeof Refusal)[keyof typeof Refusal];

const REASONS = Object.keys(Refusal).length;

/** Counts of refused requests by request class and reason. */
export class Refusals {
  private readonly counts = new Float64Array(REQUEST_CLASS_NAMES.length * REASONS);

  /**
   * Counts a request that `backend` has just refused, with its reason. The first refusal looks at all free segments, unless
   * a sample has; from then on the arenas follow them.
   */
  record(backend: Backend, cls: number, size: Bytes, constraint: number): void {
    this.counts[cls * REASONS + reasonOf(backend, cls, size, constraint)]! += 1;
  }

  count(cls: number, reason: Refusal): number {
    return this.counts[cls * REASONS + reason]!;
  }
}

function reasonOf(backend: Backend, cls: number, size: Bytes, constraint: number): Refusal {
  const need = backend.footprint(cls, size);
  let free = 0;
  for (const root of rootsOf(backend, cls)) {
    if (root.largestFree() >= need) return constraint === UNCONSTRAINED ? Refusal.policy : Refusal.constraint;
    free += root.freeBytes();
  }
  return free >= need ? Refusal.fragmented : Refusal.exhausted;
}
