import { Type } from '@sinclair/typebox';
import { InputError } from '../core/errors.js';
import { constraintTable, RequestClass } from '../core/request.js';
import { type Bytes, formatDuration, KIB, MIB, type Nanoseconds, SECOND } from '../core/units.js';
import type { Workload } from './contract.js';
import type { Parameters, WorkloadDefinition } from './definition.js';
import { sourceWorkload } from './source-workload.js';
import {
  largestOf,
  PHASES,
  slotsOf,
  stormStart,
  type ThreadsAndHeapOptions,
  ThreadsAndHeapSource,
} from './threads-and-heap-source.js';

/** Larger heap objects are ranges. */
const LARGEST_KMEM = 64 * KIB;

const duration = (minimum: Nanoseconds, value: Nanoseconds, description: string) =>
  Type.Number({ format: 'duration', minimum, maximum: 2 ** 52, default: value, description });
const count = (value: number, description: string) =>
  Type.Integer({ minimum: 0, maximum: 2 ** 24, default: value, description });
const bytes = (minimum: Bytes, value: Bytes, description: string) =>
  Type.Number({ format: 'bytes', minimum, maximum: 2 ** 40, default: value, description });
const share = (value: number, description: string) =>
  Type.Integer({ minimum: 0, maximum: 1000, default: value, description });

const parameters = Type.Object(
  {
    threads: count(8000, 'threads at the end of the ramp; as many are kept'),
    stack_size: bytes(1, 8 * KIB, 'default stack without red zone (default: 32-bit x86 of 2005)'),
    large_stacks: share(5, 'of 1000 stacks are larger by 12, 28 or 60 KiB (5 : 3 : 2)'),
    heap: bytes(0, 300 * MIB, 'heap bytes at the end of the ramp; as many are kept'),
    heap_sizes: Type.Union([Type.Literal('mixed'), Type.Literal('ranges'), Type.Literal('even')], {
      default: 'mixed',
      description:
        'mixed: 90 % kmem objects of 4 to 64 KiB, 8.5 % ranges of 128 to 512 KiB, 1.5 % of 1 to 4 MiB; ranges: the same sizes, all ranges; even: ranges of heap_unit',
    }),
    heap_unit: bytes(1, 64 * KIB, 'size of every heap object where heap_sizes is even'),
    ramp: duration(1, 240 * SECOND, 'time in which threads and heap grow together, in proportion'),
    churn: Type.Boolean({
      default: true,
      description:
        'whether threads end (means 0.5 s, 60 s, 10 h; 70 : 25 : 5 of those new) and others follow',
    }),
    replace_every: duration(0, SECOND / 50, 'mean time between replacements of heap objects; 0: none'),
    storms: Type.Integer({
      minimum: 0,
      maximum: 1000,
      default: 1,
      description: 'thread storms after the ramp; the last one starts at 70 % of the duration',
    }),
    storm_threads: count(2000, 'threads that a storm adds'),
    storm_time: duration(1, 10 * SECOND, 'time in which a storm forks, and again in which its threads exit'),
    storm_stay: share(0, 'of 1000 threads of a storm stay'),
    driver_loads: count(8, 'contiguous requests of drivers, at 80 % of the duration'),
    driver_size: bytes(1, 8 * MIB, 'size of each of them'),
    pressure_every: duration(
      0,
      0,
      'time between pressures on memory, at which all caches give back; 0: none',
    ),
    drain: Type.Boolean({ default: true, description: 'whether all threads exit at 95 % of the duration' }),
    duration: duration(1, 600 * SECOND, 'simulated time'),
    cpus: Type.Integer({ minimum: 1, maximum: 4096, default: 4, description: 'CPUs that ask, evenly' }),
  },
  { additionalProperties: false },
);

/** Threads and heap demand that ramp together until something fails, and beyond. */
export const threadsAndHeap: WorkloadDefinition = {
  name: 'threads-and-heap',
  summary: 'threads and heap that grow together: ramp, churn, thread storms, drivers, drain',
  parameters,
  create(values, seed) {
    const options = optionsOf(values);
    return threadsAndHeapWorkload(options, seed, values);
  },
};

function threadsAndHeapWorkload(options: ThreadsAndHeapOptions, seed: number, values: Parameters): Workload {
  return sourceWorkload(
    {
      name: 'threads-and-heap',
      objectLimit: slotsOf(options),
      cpus: options.cpus,
      classes: [RequestClass.kmem, RequestClass.kstack, RequestClass.va],
      constraints: constraintTable([]),
      durationNs: options.durationNs,
      largestRequest: largestOf(options),
      provenance: { workload: 'threads-and-heap', seed, ...values },
    },
    () => new ThreadsAndHeapSource(options, seed),
  );
}

/** @throws InputError if the values contradict each other. */
function optionsOf(values: Parameters): ThreadsAndHeapOptions {
  const number = (name: string): number => Number(values[name]);
  const storms = number('storm_threads') === 0 ? 0 : number('storms');
  const options: ThreadsAndHeapOptions = {
    threads: number('threads'),
    stackBytes: number('stack_size'),
    largePerMille: number('large_stacks'),
    heapBytes: number('heap'),
    unitBytes: values.heap_sizes === 'even' ? number('heap_unit') : 0,
    largestKmem: values.heap_sizes === 'mixed' ? LARGEST_KMEM : 0,
    rampNs: number('ramp'),
    durationNs: number('duration'),
    churn: values.churn === true,
    replaceNs: number('replace_every'),
    storms,
    stormThreads: number('storm_threads'),
    stormNs: number('storm_time'),
    stayPerMille: number('storm_stay'),
    driverLoads: number('driver_loads'),
    driverBytes: number('driver_size'),
    pressureNs: number('pressure_every'),
    drain: values.drain === true,
    cpus: number('cpus'),
  };
  checkOptions(options);
  return options;
}

/** @throws InputError that names the parameter. */
function checkOptions(options: ThreadsAndHeapOptions): void {
  const { threads, heapBytes, unitBytes, rampNs, durationNs, storms, stormNs } = options;
  if (threads === 0 && heapBytes === 0) {
    throw new InputError('neither threads nor heap', { field: 'threads', allowed: 'threads, heap or both' });
  }
  if (heapBytes > 0 && unitBytes > heapBytes) {
    throw new InputError(`${unitBytes} bytes at a time`, {
      field: 'heap_unit',
      allowed: `at most heap, ${heapBytes}`,
    });
  }
  if (slotsOf(options) > 2 ** 28) {
    throw new InputError(`${slotsOf(options)} objects at a time`, {
      field: 'heap',
      allowed: `at most ${2 ** 28} objects`,
    });
  }
  const latest = Math.floor((durationNs * PHASES.stormsBy) / 100);
  if (rampNs > latest) {
    const allowed = `at most ${PHASES.stormsBy} % of the duration, ${formatDuration(latest)}`;
    throw new InputError('no time is left behind the ramp', { field: 'ramp', allowed });
  }
  if (storms === 0) return;
  const room = storms === 1 ? latest : stormStart(options, 1) - stormStart(options, 0);
  const most = Math.floor(Math.min(room, (durationNs * (PHASES.drivers - PHASES.stormsBy)) / 100) / 2);
  if (stormNs > most || stormNs < options.stormThreads) {
    const allowed = `${formatDuration(options.stormThreads)} to ${formatDuration(most)}, so that each storm is over before the next`;
    throw new InputError('storms that overlap or fork less than 1 ns apart', {
      field: 'storm_time',
      allowed,
    });
  }
}
