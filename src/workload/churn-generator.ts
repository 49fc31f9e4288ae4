import { RandomStream } from '../core/random.js';
import { type RequestClass, RequestOp } from '../core/request.js';
import type { Nanoseconds } from '../core/units.js';
import { RequestSource } from './request-source.js';
import { type SizeOptions, SizeTable } from './size-table.js';
import { SteadyPace } from './steady-pace.js';

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
 * Operations come at an even pace, see SteadyPace. Object, size, CPU and time are drawn from streams of their own.
 */
export class ChurnGenerator extends RequestSource {
  private readonly pace: SteadyPace;
  private readonly sizeTable: SizeTable;
  private readonly objects: RandomStream;
  private readonly sizes: RandomStream;

  constructor(
    private readonly options: ChurnOptions,
    seed: number,
  ) {
    super();
    this.cls = options.cls;
    this.sizeTable = new SizeTable(options.sizes);
    this.objects = new RandomStream(seed, 'churn/object');
    this.sizes = new RandomStream(seed, 'churn/size');
    this.pace = new SteadyPace(options.meanIntervalNs, options.cpus, seed, 'churn');
  }

  next(): boolean {
    const { live, operations } = this.options;
    const index = this.pace.operations;
    if (index >= operations) return false;
    const isAlloc = index < live || (index - live) % 2 === 1;
    this.op = isAlloc ? RequestOp.alloc : RequestOp.free;
    if (index < live) this.object = index;
    else if (!isAlloc) this.object = this.objects.below(live);
    if (isAlloc) this.size = this.sizeTable.draw(this.sizes);
    this.pace.step(this);
    return true;
  }
}
