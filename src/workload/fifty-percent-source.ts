import { RandomStream } from '../core/random.js';
import { type RequestClass, RequestOp } from '../core/request.js';
import type { Bytes, Nanoseconds } from '../core/units.js';
import { RequestSource } from './request-source.js';
import { type SizeOptions, SizeTable } from './size-table.js';
import { SlotPool } from './slot-pool.js';
import { SteadyPace } from './steady-pace.js';

/** A heap half of which has been freed; see FiftyPercentSource. */
export interface FiftyPercentOptions {
  /** Class of every request. */
  readonly cls: RequestClass;
  readonly sizes: SizeOptions;
  /** Live bytes, as requested, that are never exceeded: at least the largest request. */
  readonly fillBytes: Bytes;
  /** Which half is freed: one drawn at random, or every other object in the order of allocation. */
  readonly half: 'random' | 'alternate';
  /** After the set-up each size drawn is multiplied by this. */
  readonly growth: number;
  /** Allocations and frees together, set-up included. */
  readonly operations: number;
  readonly meanIntervalNs: Nanoseconds;
  /** Each operation is on any of these CPUs with the same chance. */
  readonly cpus: number;
}

const Phase = { fill: 0, halve: 1, churn: 2 } as const;
type Phase = (typeof Phase)[keyof typeof Phase];

/**
 * The set-up of fragmentation studies, and a churn in what it leaves behind: allocate until the next object would
 * exceed `fillBytes`, free half of the objects, then churn below `fillBytes`: draw a size, free random objects until
 * it fits, allocate it. So the churn first fills the holes again, with sizes `growth` times as large.
 *
 * Named after Knuth's rule, by which a heap in equilibrium has half as many holes as objects [Knuth73]. Holes that
 * random frees leave merge into large ones by chance, which flatters an allocator [Wilson95]; those of `alternate`
 * are one object each.
 */
export class FiftyPercentSource extends RequestSource {
  private readonly pace: SteadyPace;
  private readonly table: SizeTable;
  private readonly sizes: RandomStream;
  private readonly objects: RandomStream;
  private readonly slots: SlotPool;
  /** Size of the object in each slot. */
  private readonly slotBytes: Float64Array;
  private phase: Phase = Phase.fill;
  private liveBytes = 0;
  /** Size that was drawn and does not fit yet; 0 when there is none. */
  private pending = 0;
  /** Objects to be left by the halving, and the next slot of an alternate one. */
  private kept = 0;
  private nextAlternate = 1;

  constructor(
    private readonly options: FiftyPercentOptions,
    seed: number,
  ) {
    super();
    this.cls = options.cls;
    this.table = new SizeTable(options.sizes);
    this.sizes = new RandomStream(seed, 'fifty-percent/size');
    this.objects = new RandomStream(seed, 'fifty-percent/object');
    this.pace = new SteadyPace(options.meanIntervalNs, options.cpus, seed, 'fifty-percent');
    const limit = fiftyPercentObjects(options);
    this.slots = new SlotPool(limit);
    this.slotBytes = new Float64Array(limit);
  }

  next(): boolean {
    if (this.pace.operations >= this.options.operations) return false;
    this.pace.step(this);
    if (this.phase === Phase.fill && !this.fits()) this.beginHalving();
    if (this.phase === Phase.halve && this.slots.live === this.kept) this.phase = Phase.churn;
    if (this.phase === Phase.halve) this.free(this.chooseHalved());
    else if (this.fits()) this.allocate();
    else this.free(this.slots.pick(this.objects));
    return true;
  }

  private beginHalving(): void {
    this.pending = 0;
    this.kept = Math.ceil(this.slots.live / 2);
    this.phase = Phase.halve;
  }

  /** While filling, slots are taken in ascending order, so that odd slots are every other object. */
  private chooseHalved(): number {
    if (this.options.half === 'random') return this.slots.pick(this.objects);
    const slot = this.nextAlternate;
    this.nextAlternate += 2;
    return slot;
  }

  /** Whether the next object has room; draws its size if that is not known yet. */
  private fits(): boolean {
    if (this.pending === 0) {
      const growth = this.phase === Phase.churn ? this.options.growth : 1;
      this.pending = this.table.draw(this.sizes) * growth;
    }
    return this.liveBytes + this.pending <= this.options.fillBytes;
  }

  private allocate(): void {
    this.op = RequestOp.alloc;
    this.object = this.slots.take();
    this.size = this.pending;
    this.slotBytes[this.object] = this.pending;
    this.liveBytes += this.pending;
    this.pending = 0;
  }

  private free(slot: number): void {
    this.op = RequestOp.free;
    this.object = slot;
    this.slots.release(slot);
    this.liveBytes -= this.slotBytes[slot]!;
  }
}

/** Most objects that can be live at once. */
export function fiftyPercentObjects({ fillBytes, sizes }: FiftyPercentOptions): number {
  return Math.floor(fillBytes / new SizeTable(sizes).smallest);
}
