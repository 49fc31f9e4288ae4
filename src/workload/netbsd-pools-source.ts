import { InputError } from '../core/errors.js';
import { AliasTable, RandomStream } from '../core/random.js';
import { RequestClass, RequestOp } from '../core/request.js';
import type { Bytes, Nanoseconds } from '../core/units.js';
import { RequestSource } from './request-source.js';
import { SlotPool } from './slot-pool.js';
import { SteadyPace } from './steady-pace.js';

/** Sizes of the allocations of several pages. */
export interface PageSpread {
  readonly minPages: number;
  /** From min to knee all sizes have the same chance, and from knee + 1 to max another one. */
  readonly kneePages: number;
  readonly maxPages: number;
  /** Mean in thousandths of a page. */
  readonly meanMilliPages: number;
}

/** Percent of the allocations that a client other than the first makes. */
export interface ClientShares {
  readonly kmem: number;
  readonly malloc: number;
  readonly poolPage: number;
  readonly interrupt: number;
  readonly pageable: number;
}

/** A population of page-level allocations; see NetbsdPoolsSource. */
export interface PoolOptions {
  /** Class of what no share takes. */
  readonly cls: RequestClass;
  readonly shares: ClientShares;
  readonly pageBytes: Bytes;
  /** Allocations of one page. */
  readonly singles: number;
  /** Allocations of several pages. */
  readonly multiples: number;
  readonly spread: PageSpread;
  /** Buffer pages of the buffer cache. */
  readonly buffers: number;
  readonly bufferBytes: Bytes;
  /** The population is first made this many percent of its size, then freed back at random; at least 100. */
  readonly growPercent: number;
  /** Replacements afterwards: frees and allocations together. */
  readonly operations: number;
  /** Each time after so many of them the caches give back what they can; 0 = never. */
  readonly pressureEvery: number;
  readonly meanIntervalNs: Nanoseconds;
  /** Each operation is on any of these CPUs with the same chance. */
  readonly cpus: number;
}

/** Numbers of single pages, of several pages and of buffers. */
function kinds({ singles, multiples, buffers }: PoolOptions): readonly number[] {
  return [singles, multiples, buffers];
}

/** Objects of the population proper. */
export function populationOf(options: PoolOptions): number {
  return kinds(options).reduce((sum, count) => sum + count, 0);
}

/** Objects at the peak. */
export function grownPopulation(options: PoolOptions): number {
  return grownKinds(options).reduce((sum, count) => sum + count, 0);
}

/** Requests in all. */
export function poolRequests(options: PoolOptions): number {
  const grown = grownPopulation(options);
  const excess = grown - populationOf(options);
  return grown + excess + (excess > 0 ? 1 : 0) + options.operations + reclaims(options);
}

function reclaims({ operations, pressureEvery }: PoolOptions): number {
  return pressureEvery === 0 ? 0 : Math.floor(operations / pressureEvery);
}

/** The classes that requests may have; the first is that of what no share takes. */
function clientsOf({ cls, shares }: PoolOptions): { classes: readonly RequestClass[]; percent: number[] } {
  const { kmem, malloc, poolPage, interrupt, pageable } = RequestClass;
  const given = [shares.kmem, shares.malloc, shares.poolPage, shares.interrupt, shares.pageable];
  const rest = 100 - given.reduce((sum, percent) => sum + percent, 0);
  return { classes: [cls, kmem, malloc, poolPage, interrupt, pageable], percent: [rest, ...given] };
}

/** Every class that is asked for. */
export function classesOf(options: PoolOptions): RequestClass[] {
  const { classes, percent } = clientsOf(options);
  return [...new Set(classes.filter((_, client) => percent[client]! > 0))];
}

function grownKinds(options: PoolOptions): readonly number[] {
  return kinds(options).map((count) => Math.floor((count * options.growPercent) / 100));
}

/**
 * What the pools of a kernel hold, as requests of their pages: single pages, allocations of several pages and buffers
 * are made in random order; a population that was grown beyond its size is freed back, object by object at random,
 * and the caches give back what they can; then objects are replaced at random, by kinds in their proportion.
 *
 * Who asks is drawn for each allocation by the shares. Memory pressure, if there is any, comes between replacements: the
 * caches give back what they can. Order, size, client, CPU and time are drawn from streams of their own.
 */
export class NetbsdPoolsSource extends RequestSource {
  private readonly pace: SteadyPace;
  private readonly slots: SlotPool;
  private readonly grown: number;
  private readonly population: number;
  /** Requests after the population has been made. */
  private readonly replacements: number;
  /** Allocations of each kind that growing still has to make. */
  private readonly left: Float64Array;
  private readonly kindOfReplacement: AliasTable;
  private readonly extraPages: AliasTable;
  private readonly order: RandomStream;
  private readonly sizes: RandomStream;
  private readonly classes: readonly RequestClass[];
  private readonly clientOfRequest: AliasTable;
  private readonly clients: RandomStream;

  /** @throws InputError if no chances give the spread its mean. */
  constructor(
    private readonly options: PoolOptions,
    seed: number,
  ) {
    super();
    const { classes, percent } = clientsOf(options);
    this.classes = classes;
    this.clientOfRequest = new AliasTable(percent);
    this.clients = new RandomStream(seed, 'netbsd-pools/client');
    this.pace = new SteadyPace(options.meanIntervalNs, options.cpus, seed, 'netbsd-pools');
    this.grown = grownPopulation(options);
    this.population = populationOf(options);
    this.replacements = options.operations + reclaims(options);
    this.slots = new SlotPool(this.grown, this.grown);
    this.left = Float64Array.from(grownKinds(options));
    this.kindOfReplacement = new AliasTable(kinds(options));
    this.extraPages = spreadTable(options.spread);
    this.order = new RandomStream(seed, 'netbsd-pools/order');
    this.sizes = new RandomStream(seed, 'netbsd-pools/size');
  }

  next(): boolean {
    const index = this.pace.operations;
    const excess = this.grown - this.population;
    const replaced = index - this.grown - excess - (excess > 0 ? 1 : 0);
    if (replaced >= this.replacements) return false;
    this.pace.step(this);
    if (index < this.grown) this.allocate(this.chooseGrown());
    else if (index < this.grown + excess) this.free();
    else if (replaced < 0) this.op = RequestOp.reclaim;
    else this.replace(replaced);
    return true;
  }

  /** Number `index` of what follows on the population: frees and allocations by turns, a reclaim after each cycle. */
  private replace(index: number): void {
    const { pressureEvery } = this.options;
    const cycles = pressureEvery === 0 ? 0 : Math.floor(index / (pressureEvery + 1));
    if (pressureEvery > 0 && index % (pressureEvery + 1) === pressureEvery) this.op = RequestOp.reclaim;
    else if ((index - cycles) % 2 === 0) this.free();
    else this.allocate(this.kindOfReplacement.draw(this.order));
  }

  /** A kind that is still wanted, each missing allocation with the same chance. */
  private chooseGrown(): number {
    const { left } = this;
    let draw = this.order.below(this.grown - this.slots.live);
    let kind = 0;
    while (draw >= left[kind]!) draw -= left[kind++]!;
    left[kind]!--;
    return kind;
  }

  private allocate(kind: number): void {
    const { pageBytes, bufferBytes, spread } = this.options;
    this.op = RequestOp.alloc;
    this.cls = this.classes[this.clientOfRequest.draw(this.clients)]!;
    this.object = this.slots.take();
    if (kind === 0) this.size = pageBytes;
    else if (kind === 1) this.size = (spread.minPages + this.extraPages.draw(this.sizes)) * pageBytes;
    else this.size = bufferBytes;
  }

  private free(): void {
    this.op = RequestOp.free;
    this.object = this.slots.pick(this.order);
    this.slots.release(this.object);
  }
}

/**
 * Chances of min, min + 1, … pages. With n sizes of mean m below the knee and n′ of mean m′ above it, weights
 * n′·(m′ − mean) and n·(mean − m) give exactly the mean; doubled and in thousandths they are integers.
 * @throws InputError if the mean is not between those of the two ranges.
 */
export function spreadTable({ minPages, kneePages, maxPages, meanMilliPages }: PageSpread): AliasTable {
  if (!(minPages >= 1 && minPages <= kneePages && kneePages < maxPages)) {
    throw new InputError(`sizes from ${minPages} to ${kneePages} and on to ${maxPages} pages`, {
      field: 'multi_knee',
      allowed: 'at least multi_min, less than multi_max',
    });
  }
  const low = 500 * (minPages + kneePages);
  const high = 500 * (kneePages + 1 + maxPages);
  if (!(meanMilliPages >= low && meanMilliPages <= high)) {
    throw new InputError(`no mean of ${meanMilliPages / 1000} pages from these sizes`, {
      field: 'multi_mean',
      allowed: `from ${low / 1000} to ${high / 1000}`,
    });
  }
  const small = (maxPages - kneePages) * (high - meanMilliPages);
  const large = (kneePages - minPages + 1) * (meanMilliPages - low);
  const weights = new Float64Array(maxPages - minPages + 1).fill(large);
  return new AliasTable(weights.fill(small, 0, kneePages - minPages + 1));
}
