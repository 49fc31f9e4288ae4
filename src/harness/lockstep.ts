import type { Backend } from '../backend/contract.js';
import { type Address, NO_ADDRESS } from '../core/address.js';
import { InputError } from '../core/errors.js';
import { BROADER_CLASS, REQUEST_CLASS_NAMES, RequestOp, type RequestPort } from '../core/request.js';
import { Simulation } from '../core/simulation.js';
import type { Bytes, Nanoseconds } from '../core/units.js';
import { type ArenaExcerpt, arenasAround } from './arena-excerpt.js';
import { connect, drive } from './cell.js';
import { type CellPlan, createBackend, createWorkload } from './plan.js';
import type { Registries } from './registries.js';
import type { CheckedPort } from './request-port.js';

/** Requests that are shown: the one that differs and those before it. */
const HISTORY = 9;

/** How two backends are held against each other. */
export interface LockstepOptions {
  /** Compare distances from the first allocation of the class instead of addresses. */
  readonly relative: boolean;
}

/** A request, with the answers of both backends. */
export interface LockstepRequest {
  /** Counts from 1. */
  readonly request: number;
  readonly timeNs: Nanoseconds;
  readonly op: RequestOp;
  /** Slot of the object; -1 for a reclaim, which has none. */
  readonly object: number;
  /** RequestClass; of an allocation only. */
  readonly cls: number;
  /** Of an allocation, else the bytes concerned, or 0. */
  readonly size: Bytes;
  readonly cpu: number;
  /** Name of the call site, '' where none is known. */
  readonly site: string;
  /** Of an allocation; NO_ADDRESS where the request was refused. */
  readonly answers: readonly [Address, Address];
}

/** The first allocation that two backends answer differently. */
export interface PlacementDifference {
  /** Allocations up to this one, itself included. */
  readonly allocation: number;
  /** The last of them is the one that differs. */
  readonly history: readonly LockstepRequest[];
  /** Per backend, its arenas around both answers, as they are after the request. */
  readonly arenas: readonly [readonly ArenaExcerpt[], readonly ArenaExcerpt[]];
}

/** What came of taking two backends through the same requests. */
export interface LockstepResult {
  readonly requests: number;
  readonly allocations: number;
  /** Allocations of classes that both backends serve. */
  readonly compared: number;
  readonly difference?: PlacementDifference;
}

/**
 * Takes two backends through the same requests, side by side on one clock, up to the first allocation that they answer
 * with different addresses, or that only one of them refuses.
 * @throws InputError where the workload is damaged, or the backends have no request class in common.
 */
export function compareInLockstep(
  plans: readonly [CellPlan, CellPlan],
  options: LockstepOptions,
  registries: Registries,
): LockstepResult {
  const [plan] = plans;
  const simulation = new Simulation(plan.cpus);
  const workload = createWorkload(plan.workload, plan.seed, registries);
  const backends = pairOf((index) => createBackend(plans[index].backend, workload, simulation, registries));
  requireCommonClass(plans, backends, workload.classes);
  const ports = pairOf((index) => connect(workload, backends[index], plan.cpus, false, simulation));
  const port = new LockstepPort(simulation, backends, ports[0], ports[1], options.relative);
  try {
    drive(plan, workload, simulation, port);
  } catch (error) {
    if (!(error instanceof Diverged)) throw error;
    const history = port.history.list(workload.sites ?? []);
    const around = history.at(-1)!.answers;
    const arenas = pairOf((index) => arenasAround(backends[index], around[index], around));
    return { ...port.counts(), difference: { allocation: port.allocations, history, arenas } };
  }
  return port.counts();
}

function pairOf<T>(make: (index: 0 | 1) => T): [T, T] {
  return [make(0), make(1)];
}

function serves({ serves }: Backend, cls: number): boolean {
  return serves.includes(cls) || serves.includes(BROADER_CLASS[cls]!);
}

function requireCommonClass(
  plans: readonly [CellPlan, CellPlan],
  backends: readonly [Backend, Backend],
  classes: readonly number[],
): void {
  if (classes.some((cls) => backends.every((backend) => serves(backend, cls)))) return;
  const names = (of: readonly number[]): string => of.map((cls) => REQUEST_CLASS_NAMES[cls]).join(', ');
  const [a, b] = pairOf((index) => `'${plans[index].backend.label}' serves ${names(backends[index].serves)}`);
  throw new InputError(
    `nothing to compare: the workload asks for ${names(classes)}; backend ${a}, and backend ${b}`,
    { allowed: 'two backends that serve a class in common' },
  );
}

/** Thrown out of a simulation to end it. */
class Diverged extends Error {}

/** Passes each request to two ports and compares where they placed it. Nothing is allocated per request. */
class LockstepPort implements RequestPort {
  requests = 0;
  allocations = 0;
  compared = 0;
  readonly history: RequestRing;
  private site = -1;
  /** 1 for classes that both backends serve. */
  private readonly isCommon: Uint8Array;
  /** Address of the first object of each class that was granted, per backend; 0 where addresses are compared. */
  private readonly originA: Float64Array;
  private readonly originB: Float64Array;
  private readonly hasOrigin: Uint8Array;

  constructor(
    simulation: Simulation,
    backends: readonly [Backend, Backend],
    private readonly a: CheckedPort,
    private readonly b: CheckedPort,
    relative: boolean,
  ) {
    const classes = REQUEST_CLASS_NAMES.length;
    this.history = new RequestRing(simulation);
    this.isCommon = Uint8Array.from(REQUEST_CLASS_NAMES, (_, cls) =>
      backends.every((backend) => serves(backend, cls)) ? 1 : 0,
    );
    this.originA = new Float64Array(classes);
    this.originB = new Float64Array(classes);
    this.hasOrigin = new Uint8Array(classes).fill(relative ? 0 : 1);
  }

  counts(): LockstepResult {
    const { requests, allocations, compared } = this;
    return { requests, allocations, compared };
  }

  comesFrom(site: number): void {
    this.site = site;
  }

  /** @throws Diverged where the answers differ. */
  alloc(object: number, cls: number, size: Bytes, constraint: number, cpu: number): boolean {
    const { a, b } = this;
    this.requests++;
    this.allocations++;
    const grantedA = a.alloc(object, cls, size, constraint, cpu);
    const grantedB = b.alloc(object, cls, size, constraint, cpu);
    const row = this.history.enter(this.requests, RequestOp.alloc, object, cpu);
    this.history.describeAlloc(row, cls, size, this.site);
    const answerA = grantedA ? a.address[object]! : NO_ADDRESS;
    const answerB = grantedB ? b.address[object]! : NO_ADDRESS;
    this.history.answerA[row] = answerA;
    this.history.answerB[row] = answerB;
    if (this.isCommon[cls] === 0) return grantedA || grantedB;
    this.compared++;
    if (grantedA !== grantedB) throw new Diverged();
    if (!grantedA) return false;
    if (this.hasOrigin[cls] === 0) {
      this.hasOrigin[cls] = 1;
      this.originA[cls] = answerA;
      this.originB[cls] = answerB;
    }
    if (answerA - this.originA[cls]! !== answerB - this.originB[cls]!) throw new Diverged();
    return true;
  }

  free(object: number, cpu: number): void {
    this.note(RequestOp.free, object, 0, cpu);
    this.a.free(object, cpu);
    this.b.free(object, cpu);
  }

  act(object: number, op: number, amount: Bytes, cpu: number): void {
    this.note(op, object, amount, cpu);
    this.a.act(object, op, amount, cpu);
    this.b.act(object, op, amount, cpu);
  }

  reclaim(cpu: number): void {
    this.note(RequestOp.reclaim, -1, 0, cpu);
    this.a.reclaim(cpu);
    this.b.reclaim(cpu);
  }

  private note(op: number, object: number, amount: Bytes, cpu: number): void {
    this.requests++;
    this.history.describeAlloc(this.history.enter(this.requests, op, object, cpu), 0, amount, -1);
  }
}

/** The last requests, as columns. */
class RequestRing {
  readonly answerA = new Float64Array(HISTORY);
  readonly answerB = new Float64Array(HISTORY);
  private readonly request = new Float64Array(HISTORY);
  private readonly timeNs = new Float64Array(HISTORY);
  private readonly op = new Uint8Array(HISTORY);
  private readonly object = new Float64Array(HISTORY);
  private readonly cpu = new Float64Array(HISTORY);
  private readonly cls = new Uint8Array(HISTORY);
  private readonly size = new Float64Array(HISTORY);
  private readonly site = new Int32Array(HISTORY);

  constructor(private readonly simulation: Simulation) {}

  /** Takes a row, the oldest when all are taken. */
  enter(request: number, op: number, object: number, cpu: number): number {
    const row = request % HISTORY;
    this.request[row] = request;
    this.timeNs[row] = this.simulation.now;
    this.op[row] = op;
    this.object[row] = object;
    this.cpu[row] = cpu;
    this.answerA[row] = NO_ADDRESS;
    this.answerB[row] = NO_ADDRESS;
    return row;
  }

  describeAlloc(row: number, cls: number, size: Bytes, site: number): void {
    this.cls[row] = cls;
    this.size[row] = size;
    this.site[row] = site;
  }

  /** The requests that are kept, in their order. */
  list(sites: readonly string[]): LockstepRequest[] {
    const rows = Array.from(this.request.keys()).filter((row) => this.request[row]! > 0);
    rows.sort((a, b) => this.request[a]! - this.request[b]!);
    return rows.map((row) => ({
      request: this.request[row]!,
      timeNs: this.timeNs[row]!,
      op: this.op[row] as RequestOp,
      object: this.object[row]!,
      cls: this.cls[row]!,
      size: this.size[row]!,
      cpu: this.cpu[row]!,
      site: sites[this.site[row]!] ?? '',
      answers: [this.answerA[row]!, this.answerB[row]!],
    }));
  }
}
