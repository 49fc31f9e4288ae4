import type { Backend } from '../backend/contract.js';
import { InputError, MisuseError } from '../core/errors.js';
import type { RequestPort } from '../core/request.js';
import { Simulation } from '../core/simulation.js';
import type { Nanoseconds } from '../core/units.js';
import type { RunView } from '../probe/contract.js';
import { GuestLimits } from '../probe/guest-limits.js';
import type { Workload } from '../workload/contract.js';
import { canonicalJson, sha256 } from './digest.js';
import { type MapFile, mapFile } from './map/map-file.js';
import { MapPort } from './map/map-port.js';
import { type CellPlan, createBackend, createWorkload } from './plan.js';
import type { Registries } from './registries.js';
import { CheckedPort, type Clock } from './request-port.js';
import { Sampler, type Samples } from './sampler.js';
import { summarise } from './summary.js';

/** What one cell found. Exact throughout: the same on every machine. */
export interface CellResult {
  readonly id: string;
  /** Labels. */
  readonly workload: string;
  readonly backend: string;
  readonly seed: number;
  readonly cpus: number;
  /** Simulated time at the end. */
  readonly durationNs: Nanoseconds;
  readonly configuration: Readonly<Record<string, unknown>>;
  readonly configurationDigest: string;
  /** Digest of every address that the backend answered, see CheckedPort. */
  readonly placementDigest: string;
  readonly samples: Samples;
  /** In the order of SUMMARY_COLUMNS. */
  readonly summary: readonly number[];
  /** sha256 over all figures of this result and the placement digest, in hex. */
  readonly resultDigest: string;
  /** The address-space map, where it was recorded; it is stored in a file of its own. */
  readonly map?: MapFile;
}

/**
 * Runs one cell to its end and checks every invariant of the backend there.
 * @throws InputError where the workload's input is damaged or it breaks the rules of the port, or a backend of the
 * user's breaks its contract.
 * @throws InvariantError where a model contradicts itself.
 */
export function runCell(plan: CellPlan, registries: Registries): CellResult {
  const { simulation, workload, backend, port, sampler } = prepareCell(plan, registries);
  const { objectLimit, durationNs, sites = [] } = workload;
  const recorder =
    plan.map === true ? new MapPort({ simulation, backend, port, objectLimit, durationNs }) : undefined;
  sampler.start(simulation);
  drive(plan, workload, simulation, recorder ?? port);
  sampler.finish();
  backend.check();
  const { placementDigest } = port;
  const identity = { plan, placementDigest, durationNs: simulation.now, sites };
  const map = recorder && mapFile(recorder, identity);
  backend.finish?.();
  const result = assemble(plan, simulation.now, placementDigest, sampler);
  return map === undefined ? result : { ...result, map };
}

/** A cell put together, before its first event. */
export interface PreparedCell {
  readonly simulation: Simulation;
  readonly workload: Workload;
  readonly backend: Backend;
  readonly port: CheckedPort;
  readonly sampler: Sampler;
}

/** Puts a cell together. @throws InputError for a workload or backend that cannot be built. */
export function prepareCell(plan: CellPlan, registries: Registries): PreparedCell {
  const simulation = new Simulation(plan.cpus);
  const workload = createWorkload(plan.workload, plan.seed, registries);
  const backend = createBackend(plan.backend, workload, simulation, registries);
  const port = connect(workload, backend, plan.cpus, true, simulation);
  const { guests, durationNs } = workload;
  const guestLimits = guests === undefined ? {} : { guestLimits: new GuestLimits(guests, durationNs) };
  const view: RunView = { simulation, backend, requests: port.figures, ...guestLimits };
  const sampler = new Sampler(view, plan.samples, durationNs);
  return { simulation, workload, backend, port, sampler };
}

/**
 * Digest of a result's figures, whatever order or thread they were computed in. Tables without rows are not in it, so that
 * a new one changes the digests of those results alone that it has something to say of.
 */
export function digestResult(placementDigest: string, samples: Samples, summary: readonly number[]): string {
  const { timeNs, rows, arenas, caches } = samples;
  const tables = Object.fromEntries(Object.entries(samples.tables).filter(([, each]) => each.length > 0));
  return sha256(canonicalJson({ placementDigest, timeNs, rows, arenas, caches, tables, summary }));
}

/** The port between a workload and a backend; `recording` is false only when the replay itself is timed. */
export function connect(
  workload: Workload,
  backend: Backend,
  cpus: number,
  recording: boolean,
  clock: Clock,
): CheckedPort {
  return new CheckedPort(backend, {
    objectLimit: workload.objectLimit,
    cpus,
    constraints: workload.constraints.length,
    recording,
    clock,
  });
}

/** Runs a workload to its end. @throws InputError where it breaks the rules of the port or its input is damaged. */
export function drive(plan: CellPlan, workload: Workload, simulation: Simulation, port: RequestPort): void {
  try {
    workload.start(simulation, port);
    simulation.run();
  } catch (error) {
    if (!(error instanceof MisuseError)) throw error;
    const where = `workload '${plan.workload.label}' on backend '${plan.backend.label}' at ${simulation.now} ns`;
    const problem = new InputError(`${where}: ${error.message}`);
    problem.cause = error;
    throw problem;
  }
}

function assemble(
  plan: CellPlan,
  durationNs: Nanoseconds,
  placementDigest: string,
  sampler: Samples,
): CellResult {
  const { timeNs, rows, arenas, caches, tables } = sampler;
  const samples = { timeNs, rows, arenas, caches, tables };
  const summary = summarise(samples);
  return {
    id: plan.id,
    workload: plan.workload.label,
    backend: plan.backend.label,
    seed: plan.seed,
    cpus: plan.cpus,
    durationNs,
    configuration: plan.configuration,
    configurationDigest: plan.configurationDigest,
    placementDigest,
    samples,
    summary,
    resultDigest: digestResult(placementDigest, samples, summary),
  };
}
