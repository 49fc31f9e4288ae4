import { Type } from '@sinclair/typebox';
import { InputError } from '../core/errors.js';
import { constraintTable, REQUEST_CLASS_NAMES, RequestClass } from '../core/request.js';
import { type Bytes, MIB } from '../core/units.js';
import { ChurnGenerator, type ChurnOptions } from './churn-generator.js';
import type { Workload } from './contract.js';
import type { Parameters, WorkloadDefinition } from './definition.js';
import { type FiftyPercentOptions, FiftyPercentSource, fiftyPercentObjects } from './fifty-percent-source.js';
import { type SizeOptions, SizeTable } from './size-table.js';
import { sourceWorkload } from './source-workload.js';
import { steadyDuration } from './steady-pace.js';

/** Most objects of a fill: they take 4 GiB in the generator and the port. */
const MOST_OBJECTS = 2 ** 26;

/** A ChurnGenerator as a workload. */
export function churnWorkload(options: ChurnOptions, seed: number): Workload {
  const { cls, ...rest } = options;
  return sourceWorkload(
    {
      name: 'churn',
      objectLimit: options.live,
      cpus: options.cpus,
      classes: [cls],
      constraints: constraintTable([]),
      durationNs: options.operations * options.meanIntervalNs,
      events: options.operations,
      largestRequest: new SizeTable(options.sizes).largest,
      provenance: { workload: 'churn', seed, class: REQUEST_CLASS_NAMES[cls], ...rest },
    },
    () => new ChurnGenerator(options, seed),
  );
}

/**
 * A FiftyPercentSource as a workload.
 * @throws InputError if the fill has no room for the largest request, or cannot be reached.
 */
export function fiftyPercentWorkload(options: FiftyPercentOptions, seed: number): Workload {
  const { cls, ...rest } = options;
  const largest = new SizeTable(options.sizes).largest * options.growth;
  requireReach(options, largest);
  return sourceWorkload(
    {
      name: 'churn',
      objectLimit: fiftyPercentObjects(options),
      cpus: options.cpus,
      classes: [cls],
      constraints: constraintTable([]),
      durationNs: options.operations * options.meanIntervalNs,
      events: options.operations,
      largestRequest: largest,
      provenance: {
        workload: 'churn',
        setup: 'fifty-percent',
        seed,
        class: REQUEST_CLASS_NAMES[cls],
        ...rest,
      },
    },
    () => new FiftyPercentSource(options, seed),
  );
}

/** Filling takes at least as many operations as if every size were the largest, halving half as many. */
function requireReach(options: FiftyPercentOptions, largest: Bytes): void {
  const { fillBytes, operations, growth } = options;
  if (largest > fillBytes) {
    throw new InputError(`no room in ${fillBytes} bytes for a request of ${largest}`, {
      field: 'fill',
      allowed: `at least ${largest} bytes, the largest size times growth`,
    });
  }
  if (fiftyPercentObjects(options) > MOST_OBJECTS) {
    throw new InputError(`${fillBytes} bytes of the smallest size are too many objects`, {
      field: 'fill',
      allowed: `${MOST_OBJECTS} objects of the smallest size`,
    });
  }
  const fewest = Math.floor((fillBytes * growth) / largest);
  const least = fewest + Math.floor(fewest / 2);
  if (operations < least) {
    throw new InputError(`${operations} operations end before half of ${fillBytes} bytes is freed`, {
      field: 'operations',
      allowed: `at least ${least}`,
    });
  }
}

const parameters = Type.Object(
  {
    class: Type.Union(
      [Type.Literal('kmem'), Type.Literal('kstack'), Type.Literal('va'), Type.Literal('guest')],
      { default: 'va', description: 'class of every request' },
    ),
    sizes: Type.Union([Type.Literal('uniform'), Type.Literal('power-law'), Type.Literal('bimodal')], {
      default: 'uniform',
      description:
        'distribution over min_size, min_size + size_step, … up to max_size; bimodal: uniform over that range or large_min to large_max',
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
    large_min: Type.Number({
      format: 'bytes',
      default: 262144,
      description: 'bimodal: smallest size of the second range',
    }),
    large_max: Type.Number({
      format: 'bytes',
      default: 1048576,
      description: 'bimodal: largest size of the second range',
    }),
    large_percent: Type.Integer({
      minimum: 1,
      maximum: 99,
      default: 10,
      description: 'bimodal: share of allocations whose size is of the second range',
    }),
    setup: Type.Union([Type.Literal('ramp'), Type.Literal('fifty-percent')], {
      default: 'ramp',
      description:
        'ramp: allocate live objects, then replace one at a time; fifty-percent: fill, free half, then churn below fill bytes',
    }),
    live: Type.Integer({
      minimum: 1,
      maximum: 2 ** 31,
      default: 1000,
      description: 'ramp: objects alive in the steady state, reached first by allocating only',
    }),
    fill: Type.Number({
      format: 'bytes',
      default: 64 * MIB,
      description: 'fifty-percent: live bytes that the set-up reaches and the churn stays below',
    }),
    half: Type.Union([Type.Literal('random'), Type.Literal('alternate')], {
      default: 'random',
      description: 'fifty-percent: free a random half, or every other object in order of allocation',
    }),
    growth: Type.Integer({
      minimum: 1,
      maximum: 1024,
      default: 1,
      description: 'fifty-percent: after the set-up, sizes are this many times as large',
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
  summary: 'seeded churn of one request class: ramp up or fill and free half, then random replacement',
  parameters,
  create: (values, seed) =>
    values.setup === 'fifty-percent'
      ? fiftyPercentWorkload(fiftyPercentOptionsOf(values), seed)
      : churnWorkload({ ...commonOptionsOf(values), live: Number(values.live) }, seed),
};

function fiftyPercentOptionsOf(values: Parameters): FiftyPercentOptions {
  return {
    ...commonOptionsOf(values),
    fillBytes: Number(values.fill),
    half: values.half as FiftyPercentOptions['half'],
    growth: Number(values.growth),
  };
}

/** @throws InputError if the run would last longer than 2^53 ns. */
function commonOptionsOf(values: Parameters): Omit<ChurnOptions, 'live'> {
  const operations = Number(values.operations);
  const meanIntervalNs = Number(values.mean_interval_ns);
  steadyDuration(operations, meanIntervalNs, 'mean_interval_ns');
  return {
    cls: RequestClass[values.class as keyof typeof RequestClass],
    sizes: sizesOf(values),
    operations,
    meanIntervalNs,
    cpus: Number(values.cpus),
  };
}

function sizesOf(values: Parameters): SizeOptions {
  const shape = values.sizes as SizeOptions['shape'];
  const range = {
    shape,
    minBytes: Number(values.min_size),
    maxBytes: Number(values.max_size),
    stepBytes: Number(values.size_step),
    exponent: Number(values.exponent),
  };
  if (shape !== 'bimodal') return range;
  const large = {
    minBytes: Number(values.large_min),
    maxBytes: Number(values.large_max),
    percent: Number(values.large_percent),
  };
  return { ...range, large };
}
