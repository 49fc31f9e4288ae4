import { MisuseError } from '../core/errors.js';
import { RequestOp, type RequestPort } from '../core/request.js';
import type { Simulation } from '../core/simulation.js';
import type { Nanoseconds } from '../core/units.js';
import type { Workload } from './contract.js';
import { Delivery } from './delivery.js';
import type { RequestSource } from './request-source.js';

/** All of a workload but its requests. */
export type WorkloadFacts = Omit<Workload, 'start'>;

/** A workload of the facts given whose requests come from a source, made anew at each start. */
export function sourceWorkload(facts: WorkloadFacts, makeSource: () => RequestSource): Workload {
  return {
    ...facts,
    start: (simulation, port, at = 0, until = Number.POSITIVE_INFINITY) => {
      requireCpus(facts, simulation);
      new SourceRun(simulation, at, until, port, makeSource()).begin();
    },
  };
}

/** @throws MisuseError if the simulation has fewer CPUs than the workload. */
export function requireCpus({ name, cpus }: WorkloadFacts, simulation: Simulation): void {
  if (simulation.cpus >= cpus) return;
  throw new MisuseError('a workload on more CPUs than the simulation', {
    name,
    cpus,
    simulation: simulation.cpus,
  });
}

class SourceRun extends Delivery {
  /** Whether the source's fields hold a request that is yet to be delivered. */
  private isDrawn = false;

  constructor(
    simulation: Simulation,
    at: Nanoseconds,
    until: Nanoseconds,
    private readonly port: RequestPort,
    private readonly source: RequestSource,
  ) {
    super(simulation, at, until);
  }

  protected deliver(): boolean {
    const { source } = this;
    while (this.isDrawn || source.next()) {
      this.isDrawn = true;
      if (!this.isDue(source.time)) return false;
      this.isDrawn = false;
      this.request(source);
    }
    return true;
  }

  private request({ op, object, cls, size, constraint, cpu }: RequestSource): void {
    if (op === RequestOp.alloc) this.port.alloc(object, cls, size, constraint, cpu);
    else if (op === RequestOp.free) this.port.free(object, cpu);
    else if (op === RequestOp.reclaim) this.port.reclaim(cpu);
    else this.port.act(object, op, size, cpu);
  }
}
