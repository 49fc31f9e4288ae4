import { InputError } from '../core/errors.js';
import { RandomStream } from '../core/random.js';
import { type Constraint, type ConstraintTable, constraintTable, type RequestPort } from '../core/request.js';
import type { Simulation } from '../core/simulation.js';
import type { Nanoseconds } from '../core/units.js';
import type { Workload } from './contract.js';
import { PartPort } from './part-port.js';
import { requireCpus } from './source-workload.js';

/** A span of time in which a part of a combination runs; times count from the combination's start. */
export interface Phase {
  readonly start: Nanoseconds;
  /** The part asks for nothing from then on. */
  readonly stop?: Nanoseconds;
}

/** One of several workloads that run together. */
export interface Part {
  /** Different from the names of the other parts: the part's seeds come from it. */
  readonly name: string;
  /** The part runs anew in each; in ascending order of their starts. */
  readonly phases: readonly Phase[];
  /** Whether what is live when a phase stops stays so. */
  readonly keep: boolean;
  /** @throws InputError as WorkloadDefinition.create. */
  create(seed: number): Workload;
}

/** A phase with its workload, its place among the slots, and its place among the constraint rows. */
interface PlacedPhase extends Phase {
  readonly part: string;
  readonly keep: boolean;
  readonly workload: Workload;
  readonly firstObject: number;
  readonly firstConstraint: number;
}

/** Most object slots of a run. */
const MOST_OBJECTS = 2 ** 31;

/**
 * Several workloads in one run, on one clock and in one address space. Object slots and constraint rows of the parts
 * lie side by side. Each phase of each part draws from a seed of its own, which comes from the run's seed, the part's
 * name and the number of the phase: to add a part changes no other.
 * @throws InputError if the parts contradict each other or need more slots or time than there are.
 */
export function combinationWorkload(name: string, parts: readonly Part[], seed: number): Workload {
  const phases = placePhases(parts, seed);
  const workloads = phases.map(({ workload }) => workload);
  const known = workloads.every(({ largestRequest }) => largestRequest !== undefined);
  const facts = {
    name,
    objectLimit: phases.reduce((limit, phase) => Math.max(limit, objectEnd(phase)), 0),
    cpus: Math.max(...workloads.map(({ cpus }) => cpus)),
    classes: [...new Set(workloads.flatMap(({ classes }) => classes))].sort((a, b) => a - b),
    constraints: constraintTable(workloads.flatMap(({ constraints }) => rowsOf(constraints))),
    durationNs: Math.max(...phases.map(endOf)),
    ...(known ? { largestRequest: Math.max(...workloads.map((each) => each.largestRequest!)) } : {}),
    provenance: { workload: 'combination', seed, parts: phases.map(phaseProvenance) },
  };
  return {
    ...facts,
    start(simulation, port, at = 0, until = Number.POSITIVE_INFINITY) {
      requireCpus(facts, simulation);
      for (const phase of phases) startPhase(phase, simulation, port, at, until);
    },
  };
}

/** Seed of a part's phase. */
function phaseSeed(seed: number, part: string, phase: number): number {
  return new RandomStream(seed, `combination/${part}/${phase}`).uint32();
}

function placePhases(parts: readonly Part[], seed: number): PlacedPhase[] {
  const placed: PlacedPhase[] = [];
  let firstConstraint = 0;
  for (const [index, part] of parts.entries()) {
    if (parts.findIndex(({ name }) => name === part.name) < index) {
      throw new InputError(`two parts are called '${part.name}'`, {
        field: 'name',
        allowed: 'different names',
      });
    }
    for (const [number, phase] of part.phases.entries()) {
      checkPhase(part, number);
      const workload = createPhase(part, phaseSeed(seed, part.name, number));
      const firstObject = firstSlot(placed, part, phase);
      const { name, keep } = part;
      placed.push({ ...phase, part: name, keep, workload, firstObject, firstConstraint });
      firstConstraint += workload.constraints.length;
      checkReach(placed.at(-1)!);
    }
  }
  return placed;
}

/** Behind all slots in use; a part whose earlier phase has freed everything by then takes that one's slots again. */
function firstSlot(placed: readonly PlacedPhase[], part: Part, { start }: Phase): number {
  const own = placed.filter((phase) => phase.part === part.name);
  const areFree = own.length > 0 && own.every((phase) => !phase.keep && (phase.stop ?? Infinity) <= start);
  if (areFree) return own[0]!.firstObject;
  return placed.reduce((end, phase) => Math.max(end, objectEnd(phase)), 0);
}

function createPhase({ name, create }: Part, seed: number): Workload {
  try {
    const workload = create(seed);
    if (workload.guests === undefined) return workload;
    const allowed = 'none in a workload of several parts';
    throw new InputError('limits of guests cannot be followed here', { field: 'memlock', allowed });
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    throw new InputError(`part '${name}': ${error.message}`);
  }
}

function checkPhase({ name, phases }: Part, number: number): void {
  const { start, stop } = phases[number]!;
  const before = phases[number - 1];
  if (before !== undefined && start <= before.start) {
    const allowed = `times that ascend, here above ${before.start} ns`;
    throw new InputError(`part '${name}' starts at ${start} ns`, { field: 'start', allowed });
  }
  if (stop !== undefined && stop <= start) {
    throw new InputError(`part '${name}' stops at ${stop} ns`, {
      field: 'stop',
      allowed: `after the start, ${start} ns`,
    });
  }
}

function checkReach(phase: PlacedPhase): void {
  const { part, start, workload } = phase;
  if (start + workload.durationNs > 2 ** 53) {
    throw new InputError(`part '${part}' ends after 2^53 ns`, {
      field: 'start',
      allowed: 'at most 104 days in all',
    });
  }
  if (objectEnd(phase) > MOST_OBJECTS) {
    throw new InputError(`object slots up to ${objectEnd(phase)} are needed`, {
      field: 'parts',
      allowed: `at most ${MOST_OBJECTS}: phases that stop before the next starts share theirs`,
    });
  }
}

function objectEnd({ firstObject, workload }: PlacedPhase): number {
  return firstObject + workload.objectLimit;
}

/** A phase that stops frees what is live at that very time, unless it keeps it. */
function endOf({ start, stop, keep, workload }: PlacedPhase): Nanoseconds {
  const end = start + workload.durationNs;
  if (stop === undefined) return end;
  return keep ? Math.min(stop, end) : stop;
}

function rowsOf({ length, ...columns }: ConstraintTable): Constraint[] {
  return Array.from({ length }, (_, row) =>
    Object.fromEntries(Object.entries(columns).map(([name, column]) => [name, column[row]!])),
  );
}

function phaseProvenance({ part, start, stop, keep, workload }: PlacedPhase): Record<string, unknown> {
  return { part, start, stop: stop ?? null, keep, workload: workload.provenance };
}

function startPhase(
  phase: PlacedPhase,
  simulation: Simulation,
  port: RequestPort,
  at: Nanoseconds,
  until: Nanoseconds,
): void {
  const { workload, start, stop = Number.POSITIVE_INFINITY } = phase;
  if (at + start >= until) return;
  const partPort = new PartPort(port, phase.firstObject, phase.firstConstraint, workload.objectLimit);
  workload.start(simulation, partPort, at + start, Math.min(at + stop, until));
  if (at + stop < until && !phase.keep) partPort.freeAllAt(simulation, at + stop);
}
