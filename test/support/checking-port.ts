import { createHash } from 'node:crypto';
import { RequestOp, type RequestPort } from '../../src/core/request.js';
import type { Simulation } from '../../src/core/simulation.js';
import type { Workload } from '../../src/workload/contract.js';

/**
 * Grants every request of a workload and throws where one breaks the contract of workloads. Keeps counts and a digest
 * of everything asked for, so that two runs can be compared whatever their length.
 */
export class CheckingPort implements RequestPort {
  allocs = 0;
  frees = 0;
  actions = 0;
  peak = 0;
  lastTime = 0;
  /** Called after each request. */
  onRequest: () => void = () => {};
  private readonly size: Float64Array;
  private readonly hash = createHash('sha256');
  private readonly words = new Float64Array(7);

  /** @param origin time of the workload's start */
  constructor(
    private readonly simulation: Simulation,
    private readonly workload: Workload,
    private readonly origin = 0,
  ) {
    this.size = new Float64Array(workload.objectLimit);
  }

  get events(): number {
    return this.allocs + this.frees + this.actions;
  }

  get live(): number {
    return this.allocs - this.frees;
  }

  /** Digest of all requests with their times, counted from the start; to be asked for once. */
  digest(): string {
    return this.hash.digest('hex');
  }

  alloc(object: number, cls: number, size: number, constraint: number, cpu: number): boolean {
    const { workload } = this;
    this.require(object >= 0 && object < workload.objectLimit && Number.isInteger(object), `slot ${object}`);
    this.require(this.size[object] === 0, `slot ${object} is live`);
    this.require(workload.classes.includes(cls), `class ${cls}`);
    this.require(
      size >= 1 && Number.isInteger(size) && size <= (workload.largestRequest ?? 2 ** 53),
      `size ${size}`,
    );
    this.require(constraint >= -1 && constraint < workload.constraints.length, `constraint ${constraint}`);
    this.size[object] = size;
    this.allocs++;
    this.peak = Math.max(this.peak, this.live);
    this.record(RequestOp.alloc, object, cls, size, constraint, cpu);
    return true;
  }

  free(object: number, cpu: number): void {
    this.require(this.size[object]! > 0, `free of slot ${object}`);
    this.size[object] = 0;
    this.frees++;
    this.record(RequestOp.free, object, 0, 0, 0, cpu);
  }

  act(object: number, op: number, amount: number, cpu: number): void {
    this.require(op >= RequestOp.swapOut && op <= RequestOp.deflate, `op ${op}`);
    this.require(amount >= 1 && amount <= this.size[object]! && Number.isInteger(amount), `amount ${amount}`);
    this.actions++;
    this.record(op, object, 0, amount, 0, cpu);
  }

  reclaim(cpu: number): void {
    this.actions++;
    this.record(RequestOp.reclaim, 0, 0, 0, 0, cpu);
  }

  private record(
    op: number,
    object: number,
    cls: number,
    size: number,
    constraint: number,
    cpu: number,
  ): void {
    const time = this.simulation.now - this.origin;
    this.require(time >= this.lastTime && Number.isInteger(time), `time ${time} after ${this.lastTime}`);
    this.require(time <= this.workload.durationNs, `time ${time} after the end`);
    this.require(cpu >= 0 && cpu < this.workload.cpus && Number.isInteger(cpu), `cpu ${cpu}`);
    this.lastTime = time;
    this.words.set([time, op, object, cls, size, constraint, cpu]);
    this.hash.update(this.words);
    this.onRequest();
  }

  private require(holds: boolean, what: string): void {
    if (!holds) throw new Error(`${this.workload.name}, request ${this.events}: ${what}`);
  }
}
