import { Type } from '@sinclair/typebox';
import { InputError } from '../core/errors.js';
import { constraintTable, RequestClass } from '../core/request.js';
import { type Bytes, formatDuration, KIB, type Nanoseconds, SECOND } from '../core/units.js';
import type { Workload } from './contract.js';
import type { Parameters, WorkloadDefinition } from './definition.js';
import { type KstackOptions, KstackSource, largestStack, meanArrivalInterval } from './kstack-source.js';
import { sourceWorkload } from './source-workload.js';

/**
 * Usable bytes of a default kernel stack on 64-bit x86, guard pages not counted: illumos 5 pages (default_stksize in the
 * Solaris Tunable Parameters Reference Manual; the red zone is added in usr/src/uts/common/vm/seg_kp.c
 * [illumos@94ab2e1]), FreeBSD 4 pages (kern.kstack_pages), NetBSD 4 pages of its u-area, Linux 16 KiB (THREAD_SIZE).
 */
const STACK_BYTES = { illumos: 20 * KIB, netbsd: 16 * KIB, freebsd: 16 * KIB, linux: 16 * KIB } as const;

/** Threads at the start and of bursts follow each other this closely unless said otherwise. */
const SPACING: Nanoseconds = 20_000;

const duration = (value: Nanoseconds, description: string) =>
  Type.Number({ format: 'duration', minimum: 1, maximum: 2 ** 52, default: value, description });
const count = (minimum: number, value: number, description: string) =>
  Type.Integer({ minimum, maximum: 2 ** 24, default: value, description });
const share = (value: number, description: string) =>
  Type.Integer({ minimum: 0, maximum: 1000, default: value, description });

const parameters = Type.Object(
  {
    kernel: Type.Union(
      [Type.Literal('illumos'), Type.Literal('netbsd'), Type.Literal('freebsd'), Type.Literal('linux')],
      { default: 'illumos', description: 'whose default stack size: 20, 16, 16 or 16 KiB' },
    ),
    stack_size: Type.Number({
      format: 'bytes',
      minimum: 0,
      maximum: 2 ** 30,
      default: 0,
      description: 'default stack without guard page; 0: that of the kernel',
    }),
    large_stacks: share(5, 'of 1000 stacks are of 2, 4 or 8 times the size (5 : 3 : 2)'),
    daemons: count(0, 100, 'threads that start first and stay'),
    threads: count(0, 2000, 'mean population of threads that come and go; 0: none'),
    request_share: share(70, 'share of request threads among arrivals'),
    request_life: duration(SECOND / 2, 'their mean lifetime'),
    session_share: share(25, 'share of session threads among arrivals'),
    session_life: duration(60 * SECOND, 'their mean lifetime'),
    service_share: share(5, 'share of service threads among arrivals'),
    service_life: duration(36_000 * SECOND, 'their mean lifetime'),
    ramp: duration(SECOND, 'time in which the population is created at first'),
    burst: count(1, 1, 'mean number of threads that arrive together; 1: Poisson arrivals'),
    spacing: duration(SPACING, 'time between the threads of a burst, a storm or a pool that changes'),
    pools: count(0, 4, 'worker pools'),
    pool_min: count(0, 4, 'workers of a pool at least'),
    pool_max: count(1, 32, 'workers of a pool at most'),
    pool_every: duration(5 * SECOND, 'mean time between changes of a pool'),
    storm_threads: count(0, 500, 'threads of a fork storm; 0: no storms'),
    storm_every: duration(60 * SECOND, 'time between fork storms, and before the first'),
    storm_life: duration(SECOND / 20, 'mean lifetime of a thread of a storm'),
    swap_every: Type.Number({
      format: 'duration',
      minimum: 0,
      maximum: 2 ** 52,
      default: 0,
      description: 'mean time between looks for an idle stack to swap out; 0: no swapping',
    }),
    swap_life: duration(30 * SECOND, 'mean time that a stack stays swapped out'),
    max_threads: Type.Integer({
      minimum: 0,
      maximum: 2 ** 28,
      default: 0,
      description:
        'live at most; a creation above does not take place; 0: room for twice the mean and the storms',
    }),
    duration: duration(600 * SECOND, 'simulated time'),
    creations: Type.Integer({
      minimum: 0,
      maximum: 2 ** 53,
      default: 0,
      description:
        'the workload ends with this many creations, sampled over its duration all the same; 0: no limit',
    }),
    cpus: Type.Integer({ minimum: 1, maximum: 4096, default: 4, description: 'CPUs that ask, evenly' }),
  },
  { additionalProperties: false },
);

/** Threads of a system that come and go: the workload of the registry. */
export const kstack: WorkloadDefinition = {
  name: 'kstack',
  summary: 'kernel stacks: thread arrivals, bursts, pools, fork storms, daemons, swapping',
  parameters,
  create: (values, seed) => kstackWorkload(optionsOf(values), seed),
};

/** A KstackSource as a workload. @throws InputError if the options contradict each other. */
export function kstackWorkload(options: KstackOptions, seed: number): Workload {
  checkOptions(options);
  return sourceWorkload(
    {
      name: 'kstack',
      objectLimit: options.maxThreads,
      cpus: options.cpus,
      classes: [RequestClass.kstack],
      constraints: constraintTable([]),
      durationNs: options.durationNs,
      largestRequest: largestStack(options),
      provenance: { workload: 'kstack', seed, ...options },
    },
    () => new KstackSource(options, seed),
  );
}

function optionsOf(values: Parameters): KstackOptions {
  const number = (name: string): number => Number(values[name]);
  const life = (name: string) => ({ share: number(`${name}_share`), meanNs: number(`${name}_life`) });
  const options: KstackOptions = {
    stackBytes: stackBytes(String(values.kernel), number('stack_size')),
    largePerMille: number('large_stacks'),
    maxThreads: number('max_threads'),
    daemons: number('daemons'),
    threads: number('threads'),
    lives: [life('request'), life('session'), life('service')],
    rampNs: number('ramp'),
    burst: number('burst'),
    spacingNs: number('spacing'),
    pools: number('pools'),
    poolMin: number('pool_min'),
    poolMax: number('pool_max'),
    poolEveryNs: number('pool_every'),
    stormThreads: number('storm_threads'),
    stormEveryNs: number('storm_every'),
    stormLifeNs: number('storm_life'),
    swapEveryNs: number('swap_every'),
    swapLifeNs: number('swap_life'),
    durationNs: number('duration'),
    creations: number('creations'),
    cpus: number('cpus'),
  };
  return options.maxThreads === 0 ? { ...options, maxThreads: roomyLimit(options) } : options;
}

function stackBytes(kernel: string, given: Bytes): Bytes {
  return given === 0 ? STACK_BYTES[kernel as keyof typeof STACK_BYTES] : given;
}

/** Threads that live whenever the ramp is over, without those that come and go. */
function standing({ daemons, pools, poolMin }: KstackOptions): number {
  return daemons + pools * poolMin;
}

/** Twice the mean population, every pool full, and the storms that live at a time, twice over. */
function roomyLimit({ daemons, threads, burst, pools, poolMax, ...storm }: KstackOptions): number {
  const overlapping = 2 + 2 * Math.ceil(storm.stormLifeNs / storm.stormEveryNs);
  const limit = 64 + daemons + pools * poolMax + 2 * threads + 32 * burst + overlapping * storm.stormThreads;
  return Math.min(limit, 2 ** 28);
}

/** @throws InputError that names the parameter. */
function checkOptions(options: KstackOptions): void {
  const { lives, threads, maxThreads, rampNs, durationNs, creations } = options;
  const population = standing(options) + threads;
  if (population === 0 && options.pools === 0 && options.stormThreads === 0) {
    throw new InputError('no thread is ever created', {
      field: 'threads',
      allowed: 'daemons, threads, pools or storms',
    });
  }
  if (lives.every(({ share }) => share === 0)) {
    throw new InputError('no share of the arrivals is above 0', {
      field: 'request_share',
      allowed: 'a share from 1 up',
    });
  }
  if (threads > 0 && meanArrivalInterval(options) < 1) {
    throw new InputError('arrivals less than 1 ns apart', {
      field: 'threads',
      allowed: 'fewer, or of longer lives',
    });
  }
  if (options.poolMin > options.poolMax) {
    const allowed = `at most pool_max, ${options.poolMax}`;
    throw new InputError(`${options.poolMin} workers at least`, { field: 'pool_min', allowed });
  }
  if (maxThreads < population) {
    const allowed = `at least daemons, pools and threads together: ${population}`;
    throw new InputError(`${maxThreads} threads at most`, { field: 'max_threads', allowed });
  }
  if (threads > 0 && rampNs > durationNs) {
    const allowed = `at most the duration, ${formatDuration(durationNs)}`;
    throw new InputError('the population is never reached', { field: 'ramp', allowed });
  }
  if (creations > 0 && creations < population) {
    const allowed = `at least daemons, pools and threads together: ${population}`;
    throw new InputError('the population is never reached', { field: 'creations', allowed });
  }
}
