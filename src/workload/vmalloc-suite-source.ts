import { RandomStream } from '../core/random.js';
import { type ConstraintTable, constraintTable, RequestOp, UNCONSTRAINED } from '../core/request.js';
import { type Bytes, highBit, type Nanoseconds } from '../core/units.js';
import { RequestSource } from './request-source.js';
import { SlotPool } from './slot-pool.js';
import { SteadyPace } from './steady-pace.js';
import { drawWord, requestsOf, slotsOf, type VmallocTest } from './vmalloc-suite-tests.js';

/** A test, run by several CPUs at once. */
export interface VmallocRun {
  readonly test: VmallocTest;
  readonly cpus: number;
  /** Alignments up to this are no constraint. */
  readonly pageBytes: Bytes;
  /** Mean time between two requests of all CPUs together. */
  readonly meanIntervalNs: Nanoseconds;
}

/**
 * One of Linux' tests of vmalloc: every CPU runs it from beginning to end, and the next request comes from any of the
 * CPUs that have not finished. Which one it is, sizes and times are drawn from streams of their own.
 */
export class VmallocSuiteSource extends RequestSource {
  private readonly running: SlotPool;
  /** Requests that each CPU has made. */
  private readonly progress: Float64Array;
  private readonly requestsPerCpu: number;
  private readonly slotsPerCpu: number;
  private readonly keptSlots: number;
  /** Row of the constraint table for the alignment 2^k. */
  private readonly rowOfShift: Int8Array;
  private readonly pace: SteadyPace;
  private readonly turns: RandomStream;
  private readonly words: RandomStream;

  constructor(
    private readonly run: VmallocRun,
    seed: number,
  ) {
    super();
    const { test, cpus, meanIntervalNs } = run;
    this.cls = test.shape.cls;
    this.running = new SlotPool(cpus);
    for (let cpu = 0; cpu < cpus; cpu++) this.running.take();
    this.progress = new Float64Array(cpus);
    this.requestsPerCpu = requestsOf(test);
    this.slotsPerCpu = slotsOf(test);
    this.keptSlots = test.kept * (test.holes ? 2 : 1);
    this.rowOfShift = rowsByShift(run);
    this.pace = new SteadyPace(meanIntervalNs, 1, seed, 'vmalloc-suite');
    this.turns = new RandomStream(seed, 'vmalloc-suite/turn');
    this.words = new RandomStream(seed, 'vmalloc-suite/word');
  }

  next(): boolean {
    if (this.running.live === 0) return false;
    this.pace.step(this);
    this.cpu = this.running.pick(this.turns);
    const request = this.progress[this.cpu]!++;
    if (request === this.requestsPerCpu - 1) this.running.release(this.cpu);
    this.fill(request);
    return true;
  }

  /** The request of this number on its CPU, counted from 0. */
  private fill(request: number): void {
    const { kept, holes, areas, shape } = this.run.test;
    const looped = request - this.keptSlots - (holes ? kept : 0);
    if (request < this.keptSlots) this.allocate(request, shape.smallest, UNCONSTRAINED);
    else if (looped < 0) this.free(2 * (request - this.keptSlots) + 1);
    else if (looped < 2 * areas) this.loop(looped);
    else this.free((looped - 2 * areas) * (holes ? 2 : 1));
  }

  /** The request of this number in the loops: a batch of allocations, then their frees. */
  private loop(request: number): void {
    const { areas, batch } = this.run.test;
    const cycle = Math.floor(request / (2 * batch));
    const inBatch = request - cycle * 2 * batch;
    const size = Math.min(batch, areas - cycle * batch);
    if (inBatch >= size) this.free(this.keptSlots + inBatch - size);
    else this.allocateArea(cycle * batch + inBatch, this.keptSlots + inBatch);
  }

  private allocateArea(area: number, slot: number): void {
    const { shape } = this.run.test;
    const word = drawWord(this.run.test, this.words);
    const row = this.rowOfShift[highBit(shape.align(area, word)) - 1]!;
    this.allocate(slot, shape.bytes(area, word), row);
  }

  private allocate(slot: number, bytes: Bytes, constraint: number): void {
    this.op = RequestOp.alloc;
    this.object = this.cpu * this.slotsPerCpu + slot;
    this.size = bytes;
    this.constraint = constraint;
  }

  private free(slot: number): void {
    this.op = RequestOp.free;
    this.object = this.cpu * this.slotsPerCpu + slot;
  }
}

/** A row for each alignment above the page, in ascending order. */
export function constraintsOf(run: VmallocRun): ConstraintTable {
  return constraintTable(constrainingAligns(run).map((align) => ({ align })));
}

function constrainingAligns({ test, pageBytes }: VmallocRun): readonly Bytes[] {
  return test.shape.aligns.filter((align) => align > pageBytes);
}

function rowsByShift(run: VmallocRun): Int8Array {
  const rows = new Int8Array(64).fill(UNCONSTRAINED);
  constrainingAligns(run).forEach((align, row) => {
    rows[highBit(align) - 1] = row;
  });
  return rows;
}
