import { RandomStream } from '../core/random.js';
import { type RequestClass, RequestOp } from '../core/request.js';
import type { Nanoseconds } from '../core/units.js';
import { RequestSource } from './request-source.js';
import { type SizeOptions, SizeTable } from './size-table.js';

/** A steady-state population; see ChurnGenerator. */
export interface ChurnOptions {
  /** Class of every request. */
  readonly cls: RequestClass;
  readonly sizes: SizeOptions;
  /** Objects alive in the steady state. */
  readonly live: number;
  /** Allocations and frees together. */
  readonly operations: number;
  /** Mean time between two operations. */
  readonly meanIntervalNs: Nanoseconds;
  /** Each operation is on any of these CPUs with the same chance. */
  readonly cpus: number;
}

/**
 * The operations of a seeded churn, one at a time: first `live` allocations, then replacements: a random live object
 * is freed, and the next operation allocates in its slot a size drawn anew.
 *
 * Operation i takes place at i·mean + jitter, 0 ≤ jitter < mean: times never decrease, their mean distance is exact,
 * and no logarithm decides a result (an exponential distance would need one, and engines differ in its last digit).
 * Object, size, CPU and time are drawn from streams of their own.
 */
export class ChurnGenerator extends RequestSource {
  private index = -1;
  private readonly sizeTable: SizeTable;
  private readonly objects: RandomStream;
  private readonly sizes: RandomStream;
  private readonly cpus: RandomStream;
  private readonly times: RandomStream;

  constructor(
    private readonly options: ChurnOptions,
    seed: number,
  ) {
    super();
    this.cls = options.cls;
    this.sizeTable = new SizeTable(options.sizes);
    this.objects = new RandomStream(seed, 'churn/object');
    this.sizes = new RandomStream(seed, 'churn/size');
    this.cpus = new RandomStream(seed, 'churn/cpu');
    this.times = new RandomStream(seed, 'churn/time');
  }

  next(): boolean {
    const { live, operations, meanIntervalNs, cpus } = this.options;
    const index = ++this.index;
    if (index >= operations) return false;
    const isAlloc = index < live || (index - live) % 2 === 1;
    this.op = isAlloc ? RequestOp.alloc : RequestOp.free;
    if (index < live) this.object = index;
    else if (!isAlloc) this.object = this.objects.below(live);
    if (isAlloc) this.size = this.sizeTable.draw(this.sizes);
    this.cpu = cpus === 1 ? 0 : this.cpus.below(cpus);
    this.time = index * meanIntervalNs + this.times.below(meanIntervalNs);
    return true;
  }
}
