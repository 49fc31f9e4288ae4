import { type RequestClass, RequestOp, UNCONSTRAINED } from '../core/request.js';
import type { Bytes, Nanoseconds } from '../core/units.js';

/**
 * Requests in time order, one at a time: what a generator is, free of clock and backend. `next` fills the fields in
 * place, so that a run of any length allocates nothing; benchmarks may drive a model with a source directly.
 *
 * A source does not learn what became of its requests. So it is the same for every backend, and a trace of it replays
 * as the source itself does.
 */
export abstract class RequestSource {
  /** Counted from the start of the workload; never decreases. */
  time: Nanoseconds = 0;
  op: RequestOp = RequestOp.alloc;
  /** Slot, see RequestPort. */
  object = 0;
  /** Class of an allocation. */
  cls: RequestClass = 0;
  /** Bytes asked for by an allocation, or concerned by what is neither allocation nor free. */
  size: Bytes = 0;
  /** Row of the workload's constraint table; of an allocation. */
  constraint = UNCONSTRAINED;
  cpu = 0;

  /** Moves to the next request; false when there is none, then and ever after. */
  abstract next(): boolean;
}
