import type { Backend } from '../backend/contract.js';
import { REQUEST_CLASS_NAMES } from '../core/request.js';
import { highBit } from '../core/units.js';

/** What a request was, and how it ended. */
export const Outcome = { granted: 0, refused: 1, freed: 2 } as const;
export type Outcome = (typeof Outcome)[keyof typeof Outcome];

/** No work, and work from 2^n up to below 2^(n+1) for n from 0 to 53. */
export const WORK_CLASSES = 55;

const OUTCOMES = Object.keys(Outcome).length;

/**
 * How much work each request was, in elements and steps that the models' searches and lookups count, over all arenas:
 * its latency as far as the algorithm decides it. Histograms by request class and outcome, one class of work for each
 * power of two. What timers and tasks do between requests is no request's work.
 */
export class RequestWork {
  private readonly requests = new Float64Array(REQUEST_CLASS_NAMES.length * OUTCOMES * WORK_CLASSES);
  private readonly work = new Float64Array(this.requests.length);
  private readonly before = new Float64Array(1);

  /** Notes what `backend` has worked before a request. */
  begin(backend: Backend): void {
    this.before[0] = workOf(backend);
  }

  /** Counts the request that has just been served. */
  end(backend: Backend, cls: number, outcome: Outcome): void {
    const work = workOf(backend) - this.before[0]!;
    const at = indexOf(cls, outcome, highBit(work));
    this.requests[at]! += 1;
    this.work[at]! += work;
  }

  /** Requests in a class of work: 0 is no work, n is from 2^(n-1) up to below 2^n. */
  requestsIn(cls: number, outcome: Outcome, workClass: number): number {
    return this.requests[indexOf(cls, outcome, workClass)]!;
  }

  /** The work of those requests together. */
  workIn(cls: number, outcome: Outcome, workClass: number): number {
    return this.work[indexOf(cls, outcome, workClass)]!;
  }
}

function indexOf(cls: number, outcome: Outcome, workClass: number): number {
  return (cls * OUTCOMES + outcome) * WORK_CLASSES + workClass;
}

function workOf(backend: Backend): number {
  return backend.workDone === undefined ? sumOfWork(backend) : backend.workDone();
}

/** Searches and lookups of all arenas. */
export function sumOfWork({ arenas }: Backend): number {
  let work = 0;
  for (let index = 0; index < arenas.length; index++) {
    const { figures } = arenas[index]!;
    work += figures.searches + figures.lookups;
  }
  return work;
}
