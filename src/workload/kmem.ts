import { Type } from '@sinclair/typebox';
import { InputError } from '../core/errors.js';
import { constraintTable, RequestClass } from '../core/request.js';
import { formatDuration, KIB, MIB, type Nanoseconds, SECOND } from '../core/units.js';
import type { Workload } from './contract.js';
import type { Parameters, WorkloadDefinition } from './definition.js';
import { KMEM_PRESETS } from './kmem-objects.js';
import { type KmemOptions, KmemSource, kmemSlots, meanKmemInterval } from './kmem-source.js';
import { sourceWorkload } from './source-workload.js';

/** Most slots: they take 4 GiB in the generator and the port. */
const MOST_SLOTS = 2 ** 26;

const duration = (minimum: number, value: Nanoseconds, description: string) =>
  Type.Number({ format: 'duration', minimum, maximum: 2 ** 52, default: value, description });
const percent = (value: number, description: string) =>
  Type.Integer({ minimum: 0, maximum: 100, default: value, description });

const parameters = Type.Object(
  {
    preset: Type.Union(
      Object.keys(KMEM_PRESETS).map((name) => Type.Literal(name)),
      { default: 'mixed', description: 'object caches and sizes, with their shares and lifetimes' },
    ),
    live: Type.Integer({
      minimum: 1,
      maximum: 2 ** 25,
      default: 20_000,
      description: 'mean population of objects in the first phase',
    }),
    short_life: duration(1, SECOND / 1000, 'mean lifetime of short-lived objects'),
    medium_life: duration(1, SECOND / 5, 'mean lifetime of objects between'),
    long_life: duration(1, 60 * SECOND, 'mean lifetime of long-lived objects'),
    ramp: duration(1, SECOND, 'time in which the first population is made'),
    duration: duration(1, 10 * SECOND, 'end of the run; what lives then is not freed'),
    phase: duration(0, 2 * SECOND, 'time after which the load changes; 0: never'),
    phase_load: Type.Integer({
      minimum: 1,
      maximum: 10_000,
      default: 200,
      description: 'arrivals in every other phase, in percent of those in the first',
    }),
    cpus: Type.Integer({ minimum: 1, maximum: 65_536, default: 4, description: 'CPUs that ask, evenly' }),
    migrate: percent(10, 'percent of the objects that are freed on another CPU; with one CPU none'),
    large_size: Type.Number({
      format: 'bytes',
      minimum: 1,
      maximum: 2 ** 40,
      default: 128 * KIB,
      description: 'size of a large buffer (ZFS: records of 128 KiB in the ARC)',
    }),
    large_live: Type.Number({
      format: 'bytes',
      minimum: 0,
      maximum: 2 ** 52,
      default: 64 * MIB,
      description: 'bytes of large buffers that are kept; 0: none',
    }),
    large_every: duration(1, SECOND / 500, 'mean time between new large buffers'),
    pressure_every: duration(0, 3 * SECOND, 'time between pressures on memory; 0: none'),
    pressure_evict: percent(25, 'percent of the large buffers that are given up under pressure'),
  },
  { additionalProperties: false },
);

/** A kernel heap under load: object caches, large buffers, memory pressure. */
export const kmem: WorkloadDefinition = {
  name: 'kmem',
  summary: 'kernel heap: object caches with lifetimes, phases of load, ARC-like buffers, memory pressure',
  parameters,
  create: (values, seed) => kmemWorkload(optionsOf(values), seed, values),
};

function kmemWorkload(options: KmemOptions, seed: number, values: Parameters): Workload {
  const sizes = options.objects.map(({ bytes }) => bytes);
  return sourceWorkload(
    {
      name: 'kmem',
      objectLimit: kmemSlots(options),
      cpus: options.cpus,
      classes: [RequestClass.kmem],
      constraints: constraintTable([]),
      durationNs: options.durationNs,
      largestRequest: Math.max(...sizes, options.largeCount > 0 ? options.largeBytes : 0),
      provenance: { workload: 'kmem', seed, ...values },
    },
    () => new KmemSource(options, seed),
  );
}

/** @throws InputError if the values contradict each other. */
function optionsOf(values: Parameters): KmemOptions {
  const options: KmemOptions = {
    objects: KMEM_PRESETS[values.preset as keyof typeof KMEM_PRESETS],
    lifeNs: [Number(values.short_life), Number(values.medium_life), Number(values.long_life)],
    live: Number(values.live),
    rampNs: Number(values.ramp),
    durationNs: Number(values.duration),
    phaseNs: Number(values.phase),
    phasePercent: Number(values.phase_load),
    cpus: Number(values.cpus),
    migratePercent: Number(values.migrate),
    largeBytes: Number(values.large_size),
    largeCount: Math.floor(Number(values.large_live) / Number(values.large_size)),
    largeEveryNs: Number(values.large_every),
    pressureNs: Number(values.pressure_every),
    pressurePercent: Number(values.pressure_evict),
  };
  requireConsistency(options, values);
  return options;
}

function requireConsistency(options: KmemOptions, values: Parameters): void {
  const { rampNs, durationNs, largeCount, largeBytes, lifeNs } = options;
  if (rampNs > durationNs) {
    throw new InputError(`the population is not made within ${formatDuration(durationNs)}`, {
      field: 'ramp',
      allowed: `at most the duration, ${formatDuration(durationNs)}`,
    });
  }
  if (!(lifeNs[0]! <= lifeNs[1]! && lifeNs[1]! <= lifeNs[2]!)) {
    throw new InputError(`lifetimes of ${lifeNs.join(', ')} ns`, {
      field: 'medium_life',
      allowed: 'from short_life to long_life',
    });
  }
  if (largeCount === 0 && Number(values.large_live) > 0) {
    throw new InputError(`no buffer of ${largeBytes} bytes fits in ${values.large_live}`, {
      field: 'large_live',
      allowed: '0, or at least large_size',
    });
  }
  requireLimits(options);
}

/** A mean interval below a nanosecond cannot be told from none. */
function requireLimits(options: KmemOptions): void {
  if (kmemSlots(options) > MOST_SLOTS) {
    throw new InputError(`${kmemSlots(options)} objects`, {
      field: 'live',
      allowed: `at most ${MOST_SLOTS} objects: 2·live in the busiest phase, 1000 and the large buffers`,
    });
  }
  const shortest = (meanKmemInterval(options) * 100) / Math.max(100, options.phasePercent);
  if (shortest >= 1) return;
  throw new InputError(`${options.live} objects need more than one arrival each nanosecond`, {
    field: 'live',
    allowed: 'fewer objects, or longer lifetimes',
  });
}
