import { Type } from '@sinclair/typebox';
import { InputError } from '../core/errors.js';
import { constraintTable, RequestClass } from '../core/request.js';
import type { Workload } from './contract.js';
import type { Parameters, WorkloadDefinition } from './definition.js';
import {
  type ClientShares,
  classesOf,
  grownPopulation,
  NetbsdPoolsSource,
  type PoolOptions,
  poolRequests,
  populationOf,
  spreadTable,
} from './netbsd-pools-source.js';
import { sourceWorkload } from './source-workload.js';
import { steadyDuration } from './steady-pace.js';

/** Numbers and sizes of a population's allocations. */
type PoolMix = Pick<PoolOptions, 'singles' | 'multiples' | 'spread' | 'buffers'>;

const spread = (minPages: number, meanMilliPages: number) => ({
  minPages,
  kneePages: 8,
  maxPages: 16,
  meanMilliPages,
});

/**
 * Populations of about 1.1 GiB, 288 358 pages. Numbers and means of the first three are those of spec
 * netbsd-vmem-uvm §3.2; how the sizes spread is inferred, see docs/workloads.md. The fourth is the example of §3.3,
 * whose buffers live in a map of their own in that system.
 */
export const POOL_MIXES: Readonly<Record<'fit' | 'mixed' | 'single-pages' | 'example', PoolMix>> = {
  fit: { singles: 124_000, multiples: 26_100, spread: spread(3, 6297), buffers: 0 },
  mixed: { singles: 133_158, multiples: 24_100, spread: spread(2, 6440), buffers: 0 },
  'single-pages': { singles: 288_358, multiples: 0, spread: spread(3, 6297), buffers: 0 },
  example: { singles: 154_000, multiples: 4000, spread: spread(2, 6300), buffers: 5600 },
};

const count = (minimum: number, maximum: number, value: number, description: string) =>
  Type.Integer({ minimum, maximum, default: value, description });

const share = (client: string) => count(0, 100, 0, `percent of the allocations that are ${client}`);

const bytes = (value: number, description: string) =>
  Type.Number({ format: 'bytes', minimum: 1, maximum: 2 ** 40, default: value, description });

const parameters = Type.Object(
  {
    mix: Type.Union(
      [...Object.keys(POOL_MIXES), 'custom'].map((name) => Type.Literal(name)),
      {
        default: 'fit',
        description: 'population of about 1.1 GiB; custom: that of the parameters up to buffers',
      },
    ),
    single_pages: count(0, 2 ** 25, 124_000, 'custom: allocations of one page'),
    multi: count(0, 2 ** 25, 26_000, 'custom: allocations of several pages'),
    multi_min: count(1, 1024, 3, 'custom: pages of the smallest of these'),
    multi_knee: count(1, 1024, 8, 'custom: sizes up to this have one chance, larger ones another'),
    multi_max: count(2, 1024, 16, 'custom: pages of the largest of these'),
    multi_mean: Type.Number({ minimum: 1, maximum: 1024, default: 6.3, description: 'custom: mean pages' }),
    buffers: count(0, 2 ** 25, 0, 'custom: buffer pages'),
    buffer_size: bytes(65_536, 'size of a buffer page'),
    page: bytes(4096, 'page'),
    scale: count(1, 100, 100, 'percent of the population that is made'),
    grow: count(
      100,
      1000,
      100,
      'percent of the population at its peak, from which it is freed back at random',
    ),
    operations: count(0, 2 ** 50, 0, 'frees and allocations afterwards, which replace random objects'),
    class: Type.Union(
      ['kmem', 'malloc', 'poolPage', 'interrupt', 'va', 'pageable'].map((name) => Type.Literal(name)),
      { default: 'poolPage', description: 'class of the requests that no share takes' },
    ),
    kmem_share: share('kmem: pages for objects of kmem(9)'),
    malloc_share: share('malloc: pages for objects of malloc(9)'),
    pool_share: share('poolPage: pages of pools'),
    interrupt_share: share('interrupt: pages asked for at interrupt level'),
    pageable_share: share('pageable: pages that may be absent'),
    pressure_every: count(0, 2 ** 50, 0, 'operations between two reclaims of all caches; 0 = none'),
    mean_interval: Type.Number({
      format: 'duration',
      minimum: 1,
      maximum: 1e12,
      default: 100_000,
      description: 'mean time between operations',
    }),
    cpus: count(1, 1024, 1, 'CPUs that ask, evenly'),
  },
  { additionalProperties: false },
);

/** The pools of a NetBSD machine of 2011, as the requests of their pages. */
export const netbsdPools: WorkloadDefinition = {
  name: 'netbsd-pools',
  summary: 'page-level population of kernel pools of about 1.1 GiB, as in the NetBSD thread of 2011',
  parameters,
  create: (values, seed) => poolWorkload(optionsOf(values), seed, values),
};

function poolWorkload(options: PoolOptions, seed: number, values: Parameters): Workload {
  const { spread, pageBytes, bufferBytes, cpus } = options;
  requirePopulation(options);
  spreadTable(spread);
  return sourceWorkload(
    {
      name: 'netbsd-pools',
      objectLimit: grownPopulation(options),
      cpus,
      classes: classesOf(options),
      constraints: constraintTable([]),
      durationNs: steadyDuration(poolRequests(options), options.meanIntervalNs, 'mean_interval'),
      largestRequest: Math.max(pageBytes * spread.maxPages, bufferBytes),
      provenance: { workload: 'netbsd-pools', seed, ...values },
    },
    () => new NetbsdPoolsSource(options, seed),
  );
}

function requirePopulation(options: PoolOptions): void {
  const grown = grownPopulation(options);
  if (populationOf(options) >= 1 && grown <= 2 ** 26) return;
  throw new InputError(`a population of ${populationOf(options)}, ${grown} at its peak`, {
    field: 'single_pages',
    allowed: 'with multi and buffers from 1 to 2^26 at the peak',
  });
}

function optionsOf(values: Parameters): PoolOptions {
  const mix = values.mix === 'custom' ? customMix(values) : POOL_MIXES[values.mix as keyof typeof POOL_MIXES];
  const scaled = (count: number): number => Math.round((count * Number(values.scale)) / 100);
  return {
    cls: RequestClass[values.class as keyof typeof RequestClass],
    shares: sharesOf(values),
    pageBytes: Number(values.page),
    singles: scaled(mix.singles),
    multiples: scaled(mix.multiples),
    spread: mix.spread,
    buffers: scaled(mix.buffers),
    bufferBytes: Number(values.buffer_size),
    growPercent: Number(values.grow),
    operations: Number(values.operations),
    pressureEvery: Number(values.pressure_every),
    meanIntervalNs: Number(values.mean_interval),
    cpus: Number(values.cpus),
  };
}

function customMix(values: Parameters): PoolMix {
  return {
    singles: Number(values.single_pages),
    multiples: Number(values.multi),
    spread: {
      minPages: Number(values.multi_min),
      kneePages: Number(values.multi_knee),
      maxPages: Number(values.multi_max),
      meanMilliPages: Math.round(1000 * Number(values.multi_mean)),
    },
    buffers: Number(values.buffers),
  };
}

function sharesOf(values: Parameters): ClientShares {
  const shares = {
    kmem: Number(values.kmem_share),
    malloc: Number(values.malloc_share),
    poolPage: Number(values.pool_share),
    interrupt: Number(values.interrupt_share),
    pageable: Number(values.pageable_share),
  };
  const sum = Object.values(shares).reduce((total, percent) => total + percent, 0);
  if (sum <= 100) return shares;
  throw new InputError(`shares of ${sum} percent`, { field: 'kmem_share', allowed: 'at most 100 in all' });
}
