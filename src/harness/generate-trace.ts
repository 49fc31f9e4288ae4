import { AddressSpace } from '../core/address.js';
import { InputError, MisuseError } from '../core/errors.js';
import { type ConstraintTable, RequestOp, type RequestPort, UNCONSTRAINED } from '../core/request.js';
import { type EventHandler, Priority, Simulation } from '../core/simulation.js';
import type { Bytes } from '../core/units.js';
import { TraceWriter } from '../trace/arrow-writer.js';
import { pause } from '../trace/interruptible.js';
import type { TraceConstraint, TraceMetadata } from '../trace/trace.js';
import type { Workload } from '../workload/contract.js';
import type { Component } from './component.js';
import { canonicalJson } from './digest.js';
import { createWorkload } from './plan.js';
import type { Registries } from './registries.js';

/** A workload to be written out as a trace. */
export interface GenerateRequest {
  readonly workload: Component;
  readonly seed: number;
  /** Path of the trace. */
  readonly output: string;
  /** Replace an existing file. */
  readonly overwrite: boolean;
  /** Name of the trace; by default the workload's label. */
  readonly name: string | undefined;
  readonly licence: string | undefined;
  /** Version of kvabench. */
  readonly tool: string;
  /** Gives the work up. */
  readonly signal?: AbortSignal;
}

/**
 * Writes what a workload asks for as a trace, in memory for its live objects only. Every request is granted and none
 * has an address: a replay of the trace asks any backend for the same as the workload itself.
 * @throws InputError if the workload cannot be built, asks for nothing or breaks the rules of the port, or the trace
 * cannot be written; the signal's reason if it gave the work up. Then there is no new file and an old one is as it was.
 */
export async function generateTrace(
  request: GenerateRequest,
  registries: Registries,
): Promise<TraceMetadata> {
  const workload = createWorkload(request.workload, request.seed, registries);
  const writer = new TraceWriter(request.output, { overwrite: request.overwrite });
  try {
    await drive(workload, writer, request.signal);
    if (writer.eventCount === 0)
      throw new InputError(`workload '${request.workload.label}' asks for nothing`);
    return writer.finish(describe(request, workload));
  } finally {
    writer.discard();
  }
}

async function drive(workload: Workload, writer: TraceWriter, signal?: AbortSignal): Promise<void> {
  const simulation = new Simulation(workload.cpus);
  try {
    workload.start(simulation, new WritingPort(simulation, writer, workload.objectLimit));
    while (!simulation.run()) await pause(signal);
  } catch (error) {
    if (!(error instanceof MisuseError)) throw error;
    throw new InputError(`workload '${workload.name}' at ${simulation.now} ns: ${error.message}`);
  }
}

/** Requests between two pauses, in which an interrupt is noticed. */
const BATCH_REQUESTS = 65_536;

/** Grants everything and writes it down. A free and an action repeat the class of their allocation. */
class WritingPort implements RequestPort, EventHandler {
  private readonly cls: Uint8Array;
  private readonly size: Float64Array;
  private readonly own: number;

  constructor(
    private readonly simulation: Simulation,
    private readonly writer: TraceWriter,
    objectLimit: number,
  ) {
    this.cls = new Uint8Array(objectLimit);
    this.size = new Float64Array(objectLimit);
    this.own = simulation.register(this);
  }

  /** The pause that was asked for; it comes behind all that is due at its time. */
  fire(): void {
    this.simulation.pause();
  }

  alloc(object: number, cls: number, size: Bytes, constraint: number, cpu: number): boolean {
    this.cls[object] = cls;
    this.size[object] = size;
    this.append(RequestOp.alloc, cls, object, size, constraint, cpu);
    return true;
  }

  free(object: number, cpu: number): void {
    this.append(RequestOp.free, this.cls[object]!, object, this.size[object]!, UNCONSTRAINED, cpu);
  }

  act(object: number, op: number, amount: Bytes, cpu: number): void {
    this.append(op, this.cls[object]!, object, amount, UNCONSTRAINED, cpu);
  }

  reclaim(cpu: number): void {
    this.append(RequestOp.reclaim, 0, 0, 1, UNCONSTRAINED, cpu);
  }

  private append(
    op: number,
    cls: number,
    object: number,
    size: Bytes,
    constraint: number,
    cpu: number,
  ): void {
    const { simulation, writer } = this;
    writer.append(simulation.now, cpu, op, cls, object, size, constraint, -1, -1);
    if (writer.eventCount % BATCH_REQUESTS === 0)
      simulation.schedule(simulation.now, Priority.sample, this.own);
  }
}

function describe({ workload, seed, name, licence, tool }: GenerateRequest, built: Workload) {
  return {
    name: name ?? workload.label,
    provenance: {
      source: '',
      sourceDigest: '',
      importer: `generator ${workload.name}`,
      options: { seed, workload: canonicalJson(built.provenance) },
      capture: `kvabench trace generate ${workload.label} --seed ${seed}`,
      licence: licence ?? '',
      tool,
    },
    origin: '0',
    clock: 'simulated',
    cpuCount: built.cpus,
    skipped: [],
    sites: [],
    constraints: constraintRows(built.constraints),
  };
}

/** The rows as a trace stores them: without what is 0, addresses as text. */
function constraintRows(table: ConstraintTable): TraceConstraint[] {
  const space = AddressSpace.canonical;
  return Array.from({ length: table.length }, (_, row) => {
    const lengths = { align: table.align[row]!, phase: table.phase[row]!, nocross: table.nocross[row]! };
    const [minAddress, maxAddress] = [table.minAddress[row]!, table.maxAddress[row]!];
    return {
      ...Object.fromEntries(Object.entries(lengths).filter(([, length]) => length !== 0)),
      ...(minAddress === 0 ? {} : { minAddress: space.format(minAddress) }),
      ...(maxAddress === 0 ? {} : { maxAddress: space.format(maxAddress) }),
    };
  });
}
