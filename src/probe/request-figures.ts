import { Refusals } from './refusals.js';
import { RequestLifetimes } from './request-lifetimes.js';
import { RequestSizes } from './request-sizes.js';
import { RequestWork } from './request-work.js';

/** Running totals of what the workload asked for and what it got; kept by the request port, read by probes. */
export class RequestFigures {
  allocs = 0;
  frees = 0;
  /** Allocations that the backend refused. */
  failures = 0;
  /** Frees of objects whose allocation had failed. */
  skippedFrees = 0;
  /** Requests of classes that the backend does not serve: not passed on. */
  unserved = 0;
  /** Events other than allocations and frees that the backend took: swapping, devices, balloons, reclaims. */
  actions = 0;
  /** Such events that it has no model of, or whose object was never granted: not passed on. */
  skippedActions = 0;
  liveObjects = 0;
  peakLiveObjects = 0;
  /** Bytes of live objects as requested. */
  liveBytes = 0;
  peakLiveBytes = 0;
  /** Bytes of live objects as the backend rounds them. */
  footprintBytes = 0;
  peakFootprintBytes = 0;
  /** Sizes asked for, granted or not, by class. */
  readonly sizes = new RequestSizes();
  /** Lifetimes of freed objects, by class. */
  readonly lifetimes = new RequestLifetimes();
  readonly refusals = new Refusals();
  readonly work = new RequestWork();
}
