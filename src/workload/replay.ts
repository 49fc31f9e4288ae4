import { basename } from 'node:path';
import { Type } from '@sinclair/typebox';
import { InputError, MisuseError } from '../core/errors.js';
import {
  type ConstraintTable,
  REQUEST_CLASS_NAMES,
  REQUEST_OP_NAMES,
  RequestClass,
  RequestOp,
  type RequestPort,
  UNCONSTRAINED,
} from '../core/request.js';
import type { Simulation } from '../core/simulation.js';
import type { Bytes, Nanoseconds } from '../core/units.js';
import { openTrace } from '../trace/arrow-reader.js';
import type { Trace, TraceBlock } from '../trace/trace.js';
import type { Workload } from './contract.js';
import type { Parameters, WorkloadDefinition } from './definition.js';
import { Delivery } from './delivery.js';

/** How a trace is replayed. */
export interface ReplayOptions {
  /** Names of the request classes to replay; by default all that the trace has but stack areas, tasks and pages. */
  readonly classes?: readonly string[];
  /** Bytes of the guard page in a recorded stack area, see ReplayWorkload. Default 4096. */
  readonly stackGuard?: Bytes;
}

const DEFAULT_CLASSES = [
  'kmem',
  'kstack',
  'va',
  'guest',
  'malloc',
  'poolPage',
  'interrupt',
  'pageable',
] as const;
const DEFAULT_STACK_GUARD = 4096;

/** Routes of classes that are not replayed, and of numbers that are no classes. */
const SKIPPED = 255;
const NO_CLASS = 254;

/**
 * A recorded trace as a workload: each event of the chosen classes becomes one request at its time, on its CPU, in
 * its slot.
 *
 * Stack areas are the recorded kernel's own answer to stack requests. A trace that has the requests (`kstack`)
 * replays those and leaves the areas out. One that has areas only replays each as a `kstack` request of the area's
 * size less the guard page and without its constraint, because guard and alignment are the backend's own business.
 * Areas are replayed as such, and tasks and pages at all, only if they are asked for by name.
 */
export class ReplayWorkload implements Workload {
  readonly name: string;
  readonly objectLimit: number;
  readonly cpus: number;
  readonly classes: readonly number[];
  readonly constraints: ConstraintTable;
  readonly durationNs: number;
  readonly events: number;
  readonly sites: readonly string[];
  readonly provenance: Readonly<Record<string, unknown>>;
  /** Request class to pass on for each class of the trace, or SKIPPED. */
  private readonly route = new Uint8Array(256).fill(NO_CLASS).fill(SKIPPED, 0, REQUEST_CLASS_NAMES.length);
  private readonly stackGuard: Bytes;

  /** @throws InputError if a class is unknown or the trace has no event of any chosen class. */
  constructor(
    private readonly trace: Trace,
    options: ReplayOptions = {},
  ) {
    const { metadata } = trace;
    this.name = metadata.name;
    this.objectLimit = metadata.objectLimit;
    this.cpus = metadata.cpuCount;
    this.constraints = trace.constraints;
    this.durationNs = metadata.durationNs;
    this.events = metadata.eventCount;
    this.sites = metadata.sites;
    this.stackGuard = options.stackGuard ?? DEFAULT_STACK_GUARD;
    const chosen = chooseClasses(trace, options.classes);
    const areasAsStacks =
      chosen.includes('kstack') && count(trace, 'kstack') === 0 && count(trace, 'stackArea') > 0;
    for (const name of chosen) this.route[RequestClass[name]] = RequestClass[name];
    if (areasAsStacks) this.route[RequestClass.stackArea] = RequestClass.kstack;
    this.classes = chosen.map((name) => RequestClass[name]);
    this.provenance = {
      workload: 'replay',
      trace: basename(trace.path),
      digest: metadata.digest,
      source: metadata.provenance.source,
      sourceDigest: metadata.provenance.sourceDigest,
      classes: chosen,
      stackGuard: areasAsStacks ? this.stackGuard : null,
    };
  }

  /** @throws MisuseError if the simulation has fewer CPUs than the trace. */
  start(
    simulation: Simulation,
    port: RequestPort,
    at: Nanoseconds = 0,
    until: Nanoseconds = Number.POSITIVE_INFINITY,
  ): void {
    if (simulation.cpus < this.cpus) {
      throw new MisuseError('a trace of more CPUs than the simulation', {
        trace: this.cpus,
        simulation: simulation.cpus,
      });
    }
    new ReplayRun(simulation, at, until, port, this.trace, this.route, this.stackGuard).begin();
  }
}

/** One replay: reads the trace from its beginning, a block at a time. */
class ReplayRun extends Delivery {
  private readonly blocks: Iterator<TraceBlock>;
  private block: TraceBlock | undefined;
  private nextRow = 0;
  /** Events in the blocks before the present one. */
  private eventsBefore = 0;
  private lastTime = 0;
  private readonly tellsSites: boolean;

  constructor(
    simulation: Simulation,
    at: Nanoseconds,
    until: Nanoseconds,
    private readonly port: RequestPort,
    private readonly trace: Trace,
    private readonly route: Uint8Array,
    private readonly stackGuard: Bytes,
  ) {
    super(simulation, at, until);
    this.blocks = trace.blocks()[Symbol.iterator]();
    this.tellsSites = port.comesFrom !== undefined;
  }

  protected deliver(): boolean {
    while (this.block !== undefined || this.readBlock()) {
      if (!this.deliverBlock(this.block!)) return false;
      this.eventsBefore += this.block!.length;
      this.block = undefined;
    }
    return true;
  }

  private readBlock(): boolean {
    const result = this.blocks.next();
    if (result.done === true) return false;
    this.block = result.value;
    this.nextRow = 0;
    return true;
  }

  /** Handles the rows that are due; returns whether the block is used up. */
  private deliverBlock(block: TraceBlock): boolean {
    const { route } = this;
    const { length, timeNs, cls, op } = block;
    for (let row = this.nextRow; row < length; row++) {
      const target = route[cls[row]!]!;
      if (target === SKIPPED && op[row] !== RequestOp.reclaim) continue;
      const time = timeNs[row]!;
      if (!(time >= this.lastTime && time < Number.POSITIVE_INFINITY)) throw this.damaged(block, row, 'time');
      if (target === NO_CLASS) throw this.damaged(block, row, 'cls');
      if (!this.isDue(time)) {
        this.nextRow = row;
        return false;
      }
      this.lastTime = time;
      this.request(block, row, target);
    }
    return true;
  }

  private request(block: TraceBlock, row: number, target: number): void {
    const object = block.object[row]!;
    const cpu = block.cpu[row]!;
    const { metadata } = this.trace;
    if (object >= metadata.objectLimit) throw this.damaged(block, row, 'object');
    if (cpu >= metadata.cpuCount) throw this.damaged(block, row, 'cpu');
    const op = block.op[row]!;
    if (op === RequestOp.alloc) this.allocate(block, row, target);
    else if (op === RequestOp.free) this.port.free(object, cpu);
    else if (op === RequestOp.reclaim) this.port.reclaim(cpu);
    else if (op < RequestOp.reclaim) this.port.act(object, op, this.checkedSize(block, row), cpu);
    else throw this.damaged(block, row, 'op');
  }

  private allocate(block: TraceBlock, row: number, target: number): void {
    let size = this.checkedSize(block, row);
    let constraint = block.constraint[row]!;
    if (target !== block.cls[row]!) {
      size -= this.stackGuard;
      constraint = UNCONSTRAINED;
    }
    if (size < 1) throw this.damaged(block, row, 'size');
    if (!(constraint >= UNCONSTRAINED && constraint < this.trace.constraints.length)) {
      throw this.damaged(block, row, 'constraint');
    }
    if (this.tellsSites) this.port.comesFrom!(block.site[row]!);
    this.port.alloc(block.object[row]!, target, size, constraint, block.cpu[row]!);
  }

  private checkedSize(block: TraceBlock, row: number): Bytes {
    const size = block.size[row]!;
    if (size >= 1 && size <= 2 ** 53 && size === Math.floor(size)) return size;
    throw this.damaged(block, row, 'size');
  }

  private damaged(block: TraceBlock, row: number, column: DamagedColumn): InputError {
    const { metadata } = this.trace;
    const value = column === 'time' ? block.timeNs[row] : block[column][row];
    const allowed: Readonly<Record<DamagedColumn, string>> = {
      time: `integers that never decrease, here from ${this.lastTime} up`,
      cls: `below ${REQUEST_CLASS_NAMES.length}`,
      object: `below ${metadata.objectLimit}`,
      cpu: `below ${metadata.cpuCount}`,
      op: REQUEST_OP_NAMES.map((name, number) => `${number} ${name}`).join(', '),
      size: `an integer from 1 to 2^53; a stack area is larger than its guard of ${this.stackGuard}`,
      constraint: `from -1, below ${this.trace.constraints.length}`,
    };
    return new InputError(`event ${this.eventsBefore + row} has ${column} ${value}`, {
      file: this.trace.path,
      field: column,
      allowed: allowed[column],
    });
  }
}

type DamagedColumn = 'time' | 'cls' | 'object' | 'cpu' | 'op' | 'size' | 'constraint';
type ClassName = keyof typeof RequestClass;

function chooseClasses(trace: Trace, asked: readonly string[] | undefined): readonly ClassName[] {
  const names = asked === undefined || asked.length === 0 ? DEFAULT_CLASSES : asked;
  const unknown = names.find((name) => !Object.hasOwn(RequestClass, name));
  if (unknown !== undefined) {
    throw new InputError(`'${unknown}' is no request class`, {
      field: 'classes',
      allowed: REQUEST_CLASS_NAMES.join(', '),
    });
  }
  const chosen = REQUEST_CLASS_NAMES.filter((name) => names.includes(name) && isPresent(trace, name));
  if (chosen.length > 0) return chosen;
  const present = REQUEST_CLASS_NAMES.filter((name) => count(trace, name) > 0);
  throw new InputError(`no event of class ${names.join(', ')} in the trace`, {
    file: trace.path,
    field: 'classes',
    allowed: present.join(', ') || 'nothing: the trace is empty',
  });
}

/** A trace with stack areas can answer for stacks. */
function isPresent(trace: Trace, name: ClassName): boolean {
  return count(trace, name) > 0 || (name === 'kstack' && count(trace, 'stackArea') > 0);
}

function count(trace: Trace, name: string): number {
  return trace.metadata.allocations[name] ?? 0;
}

const parameters = Type.Object(
  {
    trace: Type.String({
      format: 'path',
      description: 'trace file (Arrow IPC), as `kvabench trace import` writes it',
    }),
    classes: Type.Array(Type.Union(REQUEST_CLASS_NAMES.map((name) => Type.Literal(name))), {
      default: [],
      description:
        'request classes to replay; empty: all that the trace has but stack areas, tasks and pages',
    }),
    stack_guard: Type.Number({
      format: 'bytes',
      default: DEFAULT_STACK_GUARD,
      description: 'guard page within a recorded stack area, where areas stand in for stack requests',
    }),
  },
  { additionalProperties: false },
);

/** A recorded trace: the workload of the registry. */
export const replay: WorkloadDefinition = {
  name: 'replay',
  summary: 'replays a recorded or generated trace',
  parameters,
  create: (values) => new ReplayWorkload(openTrace(String(values.trace)), optionsOf(values)),
};

function optionsOf(values: Parameters): ReplayOptions {
  return { classes: values.classes as readonly string[], stackGuard: Number(values.stack_guard) };
}
