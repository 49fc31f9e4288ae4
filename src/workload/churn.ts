import { Type } from '@sinclair/typebox';
import { InputError, MisuseError } from '../core/errors.js';
import {
  constraintTable,
  REQUEST_CLASS_NAMES,
  RequestClass,
  type RequestPort,
  UNCONSTRAINED,
} from '../core/request.js';
import type { Simulation } from '../core/simulation.js';
import { type Bytes, type Nanoseconds, roundDown } from '../core/units.js';
import { ChurnGenerator, type ChurnOptions } from './churn-generator.js';
import type { Workload } from './contract.js';
import type { Parameters, WorkloadDefinition } from './definition.js';
import { Delivery } from './delivery.js';

/** A ChurnGenerator as a workload. */
export class ChurnWorkload implements Workload {
  readonly name = 'churn';
  readonly objectLimit: number;
  readonly cpus: number;
  readonly classes: readonly number[];
  readonly constraints = constraintTable([]);
  readonly durationNs: Nanoseconds;
  readonly events: number;
  readonly largestRequest: Bytes;
  readonly provenance: Readonly<Record<string, unknown>>;

  constructor(
    private readonly options: ChurnOptions,
    private readonly seed: number,
  ) {
    this.objectLimit = options.live;
    this.cpus = options.cpus;
    this.classes = [options.cls];
    this.durationNs = options.operations * options.meanIntervalNs;
    this.events = options.operations;
    const { minBytes, maxBytes, stepBytes } = options.sizes;
    this.largestRequest = minBytes + roundDown(maxBytes - minBytes, stepBytes);
    const { cls, ...rest } = options;
    this.provenance = { workload: 'churn', seed, class: REQUEST_CLASS_NAMES[cls], ...rest };
  }

  /** @throws MisuseError if the simulation has fewer CPUs than the workload. */
  start(simulation: Simulation, port: RequestPort): void {
    if (simulation.cpus < this.cpus) {
      throw new MisuseError('a churn on more CPUs than the simulation', {
        churn: this.cpus,
        simulation: simulation.cpus,
      });
    }
    new ChurnRun(simulation, port, this.options.cls, new ChurnGenerator(this.options, this.seed)).begin();
  }
}

class ChurnRun extends Delivery {
  private isDrawn = false;

  constructor(
    simulation: Simulation,
    private readonly port: RequestPort,
    private readonly cls: number,
    private readonly generator: ChurnGenerator,
  ) {
    super(simulation);
  }

  protected deliver(): boolean {
    const { generator, port, cls } = this;
    while (this.isDrawn || generator.next()) {
      this.isDrawn = true;
      if (!this.isDue(generator.time)) return false;
      this.isDrawn = false;
      const { object, cpu } = generator;
      if (generator.isAlloc) port.alloc(object, cls, generator.size, UNCONSTRAINED, cpu);
      else port.free(object, cpu);
    }
    return true;
  }
}

const parameters = Type.Object(
  {
    class: Type.Union(
      [Type.Literal('kmem'), Type.Literal('kstack'), Type.Literal('va'), Type.Literal('guest')],
      { default: 'va', description: 'class of every request' },
    ),
    sizes: Type.Union([Type.Literal('uniform'), Type.Literal('power-law')], {
      default: 'uniform',
      description: 'distribution over min_size, min_size + size_step, … up to max_size',
    }),
    min_size: Type.Number({ format: 'bytes', default: 4096, description: 'smallest size' }),
    max_size: Type.Number({
      format: 'bytes',
      default: 65536,
      description: 'largest size, if a step ends there',
    }),
    size_step: Type.Number({ format: 'bytes', default: 4096, description: 'distance of neighbouring sizes' }),
    exponent: Type.Integer({
      minimum: 1,
      maximum: 4,
      default: 2,
      description: 'power law: the k-th size has a chance proportional to k^-exponent',
    }),
    live: Type.Integer({
      minimum: 1,
      maximum: 2 ** 31,
      default: 1000,
      description: 'objects alive in the steady state, reached first by allocating only',
    }),
    operations: Type.Integer({
      minimum: 1,
      maximum: 2 ** 53,
      default: 100_000,
      description: 'allocations and frees together',
    }),
    mean_interval_ns: Type.Integer({
      minimum: 1,
      maximum: 2 ** 53,
      default: 1000,
      description: 'mean time between operations in nanoseconds',
    }),
    cpus: Type.Integer({ minimum: 1, maximum: 65536, default: 1, description: 'CPUs that ask, evenly' }),
  },
  { additionalProperties: false },
);

/** A seeded steady-state churn: the workload of the registry. */
export const churn: WorkloadDefinition = {
  name: 'churn',
  summary: 'seeded steady-state churn of one request class: ramp up, then random replacement',
  parameters,
  create: (values, seed) => new ChurnWorkload(optionsOf(values), seed),
};

/** @throws InputError if the run would last longer than 2^53 ns. */
function optionsOf(values: Parameters): ChurnOptions {
  const operations = Number(values.operations);
  const meanIntervalNs = Number(values.mean_interval_ns);
  if (operations * meanIntervalNs > 2 ** 53) {
    throw new InputError(`${operations} operations at ${meanIntervalNs} ns`, {
      field: 'mean_interval_ns',
      allowed: 'at most 2^53 ns (104 days) in all',
    });
  }
  return {
    cls: RequestClass[values.class as keyof typeof RequestClass],
    sizes: {
      shape: values.sizes as ChurnOptions['sizes']['shape'],
      minBytes: Number(values.min_size),
      maxBytes: Number(values.max_size),
      stepBytes: Number(values.size_step),
      exponent: Number(values.exponent),
    },
    live: Number(values.live),
    operations,
    meanIntervalNs,
    cpus: Number(values.cpus),
  };
}
