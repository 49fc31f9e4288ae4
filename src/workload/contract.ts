import type { ConstraintTable, RequestPort } from '../core/request.js';
import type { Simulation } from '../core/simulation.js';
import type { Bytes, Nanoseconds } from '../core/units.js';
import type { GuestFleet } from './guest-life.js';

/**
 * A source of requests on the simulated clock: a trace replayed, or a generator. It schedules its own events on the
 * simulation, and each event becomes requests on the port. It knows nothing of backends.
 */
export interface Workload {
  readonly name: string;
  /** Object slots that it uses are below this. */
  readonly objectLimit: number;
  /** CPU numbers that it uses are below this. */
  readonly cpus: number;
  /** RequestClass numbers that it may ask for. */
  readonly classes: readonly number[];
  readonly constraints: ConstraintTable;
  /** Time of its last event, counted from its start, or an upper bound of it: sample points are spread over it. */
  readonly durationNs: Nanoseconds;
  /** Requests that it will make, or an upper bound of them, where it knows; for estimates only. */
  readonly events?: number;
  /** Size of the largest request that it may make, where it knows: a backend whose arenas are smaller is refused. */
  readonly largestRequest?: Bytes;
  /** Call sites that its allocations come from, where it knows; see `comesFrom` of RequestPort. */
  readonly sites?: readonly string[];
  /** Only where the locked-memory limits of its guests are to be followed. */
  readonly guests?: GuestFleet;
  /** Facts for the provenance record: input digests, parameters, seed. Plain JSON, nothing machine-dependent. */
  readonly provenance: Readonly<Record<string, unknown>>;
  /**
   * Announces itself (`workloadStarted`) and schedules the first event; to be called once per simulation and port. Its
   * times count from `at`, which is 0 unless several workloads share the clock; from simulated time `until` on it asks
   * for nothing more.
   */
  start(simulation: Simulation, port: RequestPort, at?: Nanoseconds, until?: Nanoseconds): void;
}
