import { REQUEST_CLASS_NAMES, RequestOp, UNCONSTRAINED } from '../core/request.js';
import type { TraceWriter } from './arrow-writer.js';
import { type EventSink, NAME_SPACE_COUNT, RecordedEvent } from './importer.js';
import { LiveTable } from './live-table.js';
import type { SkipTally } from './skip-tally.js';
import type { TraceConstraint } from './trace.js';

// Copies: V8 reads an imported constant anew each time, and takes one of the module's own as a number.
const { alloc: ALLOC, free: FREE } = RequestOp;
const NO_CONSTRAINT = UNCONSTRAINED;

/** Linux asks for page alignment of every area anyway: only more than that constrains. */
const PAGE_ALIGN = 4096;

/**
 * Turns recorded events into the events of a trace: finds the object of each free, gives live objects dense numbers
 * (the most recently freed first, so that they stay below the peak population), and applies the rules that
 * docs/trace-format.md lists under "Pairing".
 */
export class Pairing implements EventSink {
  readonly event = new RecordedEvent();
  /** Constraint rows in order of first use. */
  readonly constraints: TraceConstraint[] = [];
  /** CPU numbers of the events are below this. */
  cpuLimit = 0;
  private readonly live = Array.from({ length: NAME_SPACE_COUNT }, () => new LiveTable());
  private readonly objects = new ObjectSlots();
  /** By process: slot of its last allocation that may be repeated. */
  private readonly lastOfProcess = new LiveTable();
  private readonly alignRows = new Map<number, number>();
  private readonly unknownFree: readonly number[];
  private readonly allocOnLive: readonly number[];
  private readonly repeated: readonly number[];
  private readonly backward: number;
  private lastNs = Number.NaN;

  constructor(
    private readonly writer: TraceWriter,
    private readonly skips: SkipTally,
  ) {
    const perClass = (reason: string) => REQUEST_CLASS_NAMES.map((name) => skips.row(reason, name));
    this.unknownFree = perClass('free-of-unknown');
    this.allocOnLive = perClass('alloc-on-live');
    this.repeated = perClass('doubled-alloc');
    this.backward = skips.row('backward-stamp');
    // A double from the start, as in RecordedEvent.
    this.lastNs = 0;
  }

  allocated(): void {
    const { event, objects } = this;
    this.advance();
    const slot = objects.take();
    const alive = this.live[event.space]!.add(event.key, slot);
    if (alive < 0) {
      this.place(slot);
      return;
    }
    objects.release(slot);
    this.allocatedAgain(alive);
  }

  /** The event allocates what lives already: it repeats the last one, or a free was not recorded. */
  private allocatedAgain(alive: number): void {
    const { cls } = this.event;
    if (this.isRepeat(alive)) {
      this.skips.add(this.repeated[cls]!);
      return;
    }
    this.skips.add(this.allocOnLive[cls]!);
    this.writeFree(alive, -1);
    // The number that was just given back, and that the key still has.
    this.place(this.objects.take());
  }

  private place(slot: number): void {
    const { event } = this;
    this.objects.remember(slot, event);
    if (event.mayRepeat && event.pid >= 0) this.lastOfProcess.set(event.pid, slot);
    this.writeAlloc(slot);
  }

  freed(): void {
    const { event } = this;
    this.advance();
    const slot = this.live[event.space]!.remove(event.key);
    if (slot < 0) this.skips.add(this.unknownFree[event.cls]!);
    else this.writeFree(slot, event.site);
  }

  /** An earlier stamp than its predecessor's (buffers of several CPUs) counts as the predecessor's. */
  private advance(): void {
    const { event } = this;
    if (event.timeNs < this.lastNs) {
      this.skips.add(this.backward);
      event.timeNs = this.lastNs;
    }
    this.lastNs = event.timeNs;
    if (event.cpu >= this.cpuLimit) this.cpuLimit = event.cpu + 1;
  }

  /** Whether the event reports once more the allocation that the same process reported just before. */
  private isRepeat(slot: number): boolean {
    const { event, objects } = this;
    if (!event.mayRepeat || event.pid < 0 || this.lastOfProcess.get(event.pid) !== slot) return false;
    return objects.repeatablePid(slot) === event.pid && objects.size(slot) === event.size;
  }

  private writeAlloc(slot: number): void {
    const { timeNs, cpu, cls, size, align, site, address } = this.event;
    const constraint = align > PAGE_ALIGN ? this.alignRow(align) : NO_CONSTRAINT;
    this.writer.append(timeNs, cpu, ALLOC, cls, slot, size, constraint, site, address);
  }

  private writeFree(slot: number, site: number): void {
    const { objects, event } = this;
    const { timeNs, cpu } = event;
    const cls = objects.cls(slot);
    const size = objects.size(slot);
    const address = objects.address(slot);
    this.writer.append(timeNs, cpu, FREE, cls, slot, size, NO_CONSTRAINT, site, address);
    objects.release(slot);
  }

  private alignRow(align: number): number {
    let row = this.alignRows.get(align);
    if (row === undefined) {
      row = this.constraints.push({ align }) - 1;
      this.alignRows.set(align, row);
    }
    return row;
  }
}

/** Place of what a free must repeat of its allocation within the cells of a slot. */
const Cell = { cls: 0, size: 1, address: 2, repeatablePid: 3, count: 4 } as const;

/** Numbers of live objects and what is known of each, side by side: a free costs one cache miss instead of four. */
class ObjectSlots {
  private cells = new Float64Array(0);
  private spare = new Uint32Array(0);
  private spareCount = 0;
  private limit = 0;

  take(): number {
    if (this.spareCount > 0) return this.spare[--this.spareCount]!;
    if (this.limit === this.spare.length) this.grow();
    return this.limit++;
  }

  release(slot: number): void {
    this.spare[this.spareCount++] = slot;
  }

  remember(slot: number, event: RecordedEvent): void {
    const at = slot * Cell.count;
    this.cells[at + Cell.cls] = event.cls;
    this.cells[at + Cell.size] = event.size;
    this.cells[at + Cell.address] = event.address;
    this.cells[at + Cell.repeatablePid] = event.mayRepeat ? event.pid : -1;
  }

  cls(slot: number): number {
    return this.cells[slot * Cell.count + Cell.cls]!;
  }

  size(slot: number): number {
    return this.cells[slot * Cell.count + Cell.size]!;
  }

  address(slot: number): number {
    return this.cells[slot * Cell.count + Cell.address]!;
  }

  /** Process that allocated the object in a way that may be reported twice, -1 if there is none. */
  repeatablePid(slot: number): number {
    return this.cells[slot * Cell.count + Cell.repeatablePid]!;
  }

  private grow(): void {
    const { cells, spare } = this;
    const count = Math.max(1024, spare.length * 2);
    this.cells = new Float64Array(count * Cell.count);
    this.cells.set(cells);
    this.spare = new Uint32Array(count);
    this.spare.set(spare);
  }
}
