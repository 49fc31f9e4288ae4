import type { RequestPort } from '../core/request.js';
import { type EventHandler, Priority, type Simulation } from '../core/simulation.js';
import type { Bytes, Nanoseconds } from '../core/units.js';

/** Marks a slot that is not live; the others have their CPU. */
const NOT_LIVE = -1;

/**
 * The port as a part of a combination sees it: its object slots and constraint rows start at 0. It remembers what is
 * live, granted or not, so that all of it can be freed when the part stops.
 */
export class PartPort implements RequestPort, EventHandler {
  /** CPU of the allocation of each live slot. */
  private readonly cpu: Int32Array;
  private stopping: Simulation | undefined;

  constructor(
    private readonly port: RequestPort,
    private readonly firstObject: number,
    private readonly firstConstraint: number,
    objectLimit: number,
  ) {
    this.cpu = new Int32Array(objectLimit).fill(NOT_LIVE);
  }

  /** Frees at that time whatever is live then, in the order of the slots, each on the CPU that allocated it. */
  freeAllAt(simulation: Simulation, time: Nanoseconds): void {
    this.stopping = simulation;
    simulation.workloadStarted();
    simulation.schedule(time, Priority.request, simulation.register(this));
  }

  fire(): void {
    for (let object = 0; object < this.cpu.length; object++) {
      if (this.cpu[object] !== NOT_LIVE) this.free(object, this.cpu[object]!);
    }
    this.stopping!.workloadFinished();
  }

  alloc(object: number, cls: number, size: Bytes, constraint: number, cpu: number): boolean {
    this.cpu[object] = cpu;
    const row = constraint < 0 ? constraint : constraint + this.firstConstraint;
    return this.port.alloc(object + this.firstObject, cls, size, row, cpu);
  }

  free(object: number, cpu: number): void {
    this.cpu[object] = NOT_LIVE;
    this.port.free(object + this.firstObject, cpu);
  }

  act(object: number, op: number, amount: Bytes, cpu: number): void {
    this.port.act(object + this.firstObject, op, amount, cpu);
  }

  reclaim(cpu: number): void {
    this.port.reclaim(cpu);
  }
}
