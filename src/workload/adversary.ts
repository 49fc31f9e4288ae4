import { Type } from '@sinclair/typebox';
import { InputError } from '../core/errors.js';
import { constraintTable, REQUEST_CLASS_NAMES, RequestClass } from '../core/request.js';
import { isPowerOfTwo, MIB } from '../core/units.js';
import { type AdversaryOptions, AdversarySource, countOperations } from './adversary-source.js';
import type { Workload } from './contract.js';
import type { Parameters, WorkloadDefinition } from './definition.js';
import { sourceWorkload } from './source-workload.js';
import { steadyDuration } from './steady-pace.js';

/** Most units that may be live: they take 4 GiB in the generator and the port. */
const MOST_UNITS = 2 ** 26;

/**
 * An AdversarySource as a workload.
 * @throws InputError if it would last longer than 2^53 ns.
 */
export function adversaryWorkload(options: AdversaryOptions, seed: number): Workload {
  const { cls, ...rest } = options;
  return sourceWorkload(
    {
      name: 'adversary',
      objectLimit: options.liveUnits,
      cpus: options.cpus,
      classes: [cls],
      constraints: constraintTable([]),
      durationNs: steadyDuration(countOperations(options), options.meanIntervalNs, 'mean_interval'),
      largestRequest: options.largestUnits * options.unitBytes,
      provenance: { workload: 'adversary', seed, class: REQUEST_CLASS_NAMES[cls], ...rest },
    },
    () => new AdversarySource(options, seed),
  );
}

const parameters = Type.Object(
  {
    class: Type.Union(
      [Type.Literal('kmem'), Type.Literal('kstack'), Type.Literal('va'), Type.Literal('guest')],
      { default: 'va', description: 'class of every request' },
    ),
    pattern: Type.Union([Type.Literal('robson'), Type.Literal('checkerboard')], {
      default: 'robson',
      description:
        'robson: sizes of 1, 2, 4, … units, before each size all but the objects that block it are freed; checkerboard: one unit, every other freed, then the largest size',
    }),
    unit: Type.Number({ format: 'bytes', default: 4096, description: 'smallest size' }),
    largest: Type.Number({
      format: 'bytes',
      default: 128 * 4096,
      description: 'largest size, a multiple of unit; of robson, unit times a power of two',
    }),
    live: Type.Number({
      format: 'bytes',
      default: 64 * MIB,
      description: 'bytes that are live at most, and at the end of each phase as nearly as the size allows',
    }),
    mean_interval: Type.Number({
      format: 'duration',
      minimum: 1,
      maximum: 1e9,
      default: 1000,
      description: 'mean time between operations',
    }),
    cpus: Type.Integer({ minimum: 1, maximum: 65536, default: 1, description: 'CPUs that ask, evenly' }),
  },
  { additionalProperties: false },
);

/** Programs that drive placement policies towards their worst case. */
export const adversary: WorkloadDefinition = {
  name: 'adversary',
  summary: "worst cases of placement: Robson's program and the checkerboard, without sight of addresses",
  parameters,
  create: (values, seed) => adversaryWorkload(optionsOf(values), seed),
};

/** @throws InputError if unit, largest and live do not fit each other. */
function optionsOf(values: Parameters): AdversaryOptions {
  const unitBytes = requireUnit(Number(values.unit));
  const pattern = values.pattern as AdversaryOptions['pattern'];
  return {
    cls: RequestClass[values.class as keyof typeof RequestClass],
    pattern,
    unitBytes,
    largestUnits: requireLargest(Number(values.largest), unitBytes, pattern),
    liveUnits: requireLive(Number(values.live), Number(values.largest), unitBytes),
    meanIntervalNs: Number(values.mean_interval),
    cpus: Number(values.cpus),
  };
}

function requireUnit(unit: number): number {
  if (unit >= 1) return unit;
  throw new InputError(`${unit} is no size`, { field: 'unit', allowed: 'at least 1 byte' });
}

function requireLargest(largest: number, unit: number, pattern: AdversaryOptions['pattern']): number {
  const ratio = largest / unit;
  const isWhole = Number.isInteger(ratio) && ratio >= 2;
  if (isWhole && (pattern === 'checkerboard' || isPowerOfTwo(ratio))) return ratio;
  const kind = pattern === 'robson' ? '2, 4, 8, …' : '2, 3, 4, …';
  throw new InputError(`${largest} bytes with units of ${unit}`, {
    field: 'largest',
    allowed: `${kind} times unit`,
  });
}

function requireLive(live: number, largest: number, unit: number): number {
  const units = Math.floor(live / unit);
  if (live >= largest && units <= MOST_UNITS) return units;
  throw new InputError(`${live} live bytes with sizes from ${unit} to ${largest}`, {
    field: 'live',
    allowed: `from ${largest}, the largest size, to ${MOST_UNITS * unit}, 2^26 units`,
  });
}
