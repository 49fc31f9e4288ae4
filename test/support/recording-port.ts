import { REQUEST_CLASS_NAMES, REQUEST_OP_NAMES, type RequestPort } from '../../src/core/request.js';
import type { Simulation } from '../../src/core/simulation.js';

/** Grants every request and writes it down with its time, as text. */
export class RecordingPort implements RequestPort {
  readonly log: string[] = [];

  constructor(private readonly simulation: Simulation) {}

  alloc(object: number, cls: number, size: number, constraint: number, cpu: number): boolean {
    const row = constraint < 0 ? '' : ` row ${constraint}`;
    this.log.push(`${this.simulation.now} cpu${cpu} +${object} ${REQUEST_CLASS_NAMES[cls]} ${size}${row}`);
    return true;
  }

  free(object: number, cpu: number): void {
    this.log.push(`${this.simulation.now} cpu${cpu} -${object}`);
  }

  act(object: number, op: number, amount: number, cpu: number): void {
    this.log.push(`${this.simulation.now} cpu${cpu} ${REQUEST_OP_NAMES[op]} ${object} ${amount}`);
  }

  reclaim(cpu: number): void {
    this.log.push(`${this.simulation.now} cpu${cpu} reclaim`);
  }
}
