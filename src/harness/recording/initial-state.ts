import { PAGE_BYTES } from '../../arena/linux-vmap/abi.js';
import { NO_TAG } from '../../arena/linux-vmap/area-record.js';
import { MAIN_WINDOW, Vmap } from '../../arena/linux-vmap/vmap.js';
import type { Address } from '../../core/address.js';
import { LockTable } from '../../core/locks.js';
import type { Bytes } from '../../core/units.js';
import { AreaOp, type KvaRecording, type SnapshotArea } from '../../trace/kva-recording.js';
import { checkSnapshot, mainWindowOf } from './main-window.js';

/** An area that lived before the recording began. */
interface EarlierArea {
  readonly start: Address;
  readonly size: Bytes;
  /** Node plus 1; NO_TAG for none. Which one is not recorded: it is taken from who gets the area next. */
  tag: number;
  readonly waits: boolean;
}

/** A change to what is assumed about the time before the recording; `undo` takes it back. */
export interface Revision {
  /** Whether the recording proves that some such change is needed; others must show that they help. */
  readonly isNeeded: boolean;
  readonly undo: () => void;
}

/**
 * What is known of the allocator at the moment when a recording begins: the areas of the snapshot, less those that the
 * recording contradicts, and areas that the recording alone proves. Tags, and areas that wait for a purge beside those
 * of the snapshot, are inferred from the recording, and counted.
 */
export class InitialState {
  /** Areas that are not in the snapshot, and tags that the snapshot could not tell and the recording decided otherwise. */
  inferredAreas = 0;
  inferredTags = 0;
  /** Areas of the snapshot that cannot have been there any more. */
  contradicted = 0;
  readonly cpus: number;
  readonly nodes: number;
  /** Row of the main range in the recording's windows. */
  private readonly main: number;
  private readonly areas = new Map<Address, EarlierArea>();
  /** First event of each address, and first allocation. */
  private readonly firstEvent = new Map<Address, number>();
  private readonly firstAlloc = new Map<Address, number>();
  private readonly firstPurge: number;
  /** Areas that waited when the recording began, as the first purge tells; infinite where it does not say. */
  private readonly waitingAtStart: number;
  private waitingKnown = 0;
  private readonly revised = new Set<Address>();

  /** @throws InputError if the model does not cover the recording, or the snapshot is of another boot. */
  constructor(private readonly recording: KvaRecording) {
    const { op, start, detail } = recording;
    this.cpus = recording.cpus;
    this.nodes = recording.hasTracepoints ? recording.cpus : 1;
    this.main = mainWindowOf(recording);
    checkSnapshot(recording, recording.windows[this.main]!);
    op.forEach((kind, row) => {
      if (kind === AreaOp.purge) return;
      const address = start[row]!;
      if (!this.firstEvent.has(address)) this.firstEvent.set(address, row);
      if (kind === AreaOp.alloc && !this.firstAlloc.has(address)) this.firstAlloc.set(address, row);
    });
    const purge = op.indexOf(AreaOp.purge);
    this.firstPurge = purge < 0 ? op.length : purge;
    const freesBefore = op.slice(0, this.firstPurge).filter((kind) => kind === AreaOp.free).length;
    const purged = purge < 0 ? 0 : detail[purge]! - freesBefore;
    this.waitingAtStart = Number.isNaN(purged) ? Number.POSITIVE_INFINITY : Math.max(0, purged);
    this.takeSnapshot();
    this.takeFrees();
  }

  /** An allocator in the state in which the recording begins. */
  start(): Vmap {
    const { windows, file } = this.recording;
    const { from, to } = windows[this.main]!;
    const last = to % PAGE_BYTES === 0 ? to - 1 : to;
    const locks = new LockTable();
    const vmap = new Vmap({ name: file, start: from, last, cpus: this.cpus, nodes: this.nodes, locks });
    for (const window of windows) vmap.addWindow(window.from, window.to);
    const areas = [...this.areas.values()].sort((one, other) => one.start - other.start);
    for (const { start, size, tag } of areas) vmap.seed(start, size, tag, 0);
    for (const { start, waits } of areas) if (waits) vmap.freeAt(start);
    return vmap;
  }

  /** Window of the model for an allocation of the recording. */
  windowOf(row: number): number {
    const window = this.recording.detail[row]!;
    return window === this.main ? MAIN_WINDOW : window + 1;
  }

  /** Node tag of an area that an allocation of the recording gets. */
  tagFor(row: number): number {
    return this.recording.detail[row] === this.main && this.nodes > 1
      ? (this.recording.cpu[row]! % this.nodes) + 1
      : NO_TAG;
  }

  /**
   * Changes an assumption so that allocation `row` may get its address: the model would have given `predicted`.
   * Returns undefined where none stands against it. Each is changed once.
   */
  revise(vmap: Vmap, row: number, predicted: Address): Revision | undefined {
    return this.reviseWaiting(row, predicted) ?? this.reviseTag(vmap, row, predicted);
  }

  /** The predicted range waited when the recording began, if purges show that more areas did than are known. */
  private reviseWaiting(row: number, predicted: Address): Revision | undefined {
    if (row > this.firstPurge || this.waitingKnown >= this.waitingAtStart || predicted < 0) return undefined;
    const size = this.recording.size[row]!;
    const touched = this.firstEvent.get(predicted);
    if (this.revised.has(predicted) || (touched !== undefined && touched <= row)) return undefined;
    if (this.overlapsKnown(predicted, size)) return undefined;
    this.revised.add(predicted);
    this.areas.set(predicted, { start: predicted, size, tag: this.tagOf(predicted, size), waits: true });
    this.waitingKnown++;
    this.inferredAreas++;
    return {
      isNeeded: true,
      undo: () => {
        this.areas.delete(predicted);
        this.waitingKnown--;
        this.inferredAreas--;
      },
    };
  }

  /** An earlier area stands in the pool of another node than was assumed. */
  private reviseTag(vmap: Vmap, row: number, predicted: Address): Revision | undefined {
    if (this.nodes === 1) return undefined;
    const { start, size } = this.recording;
    const wanted = this.tagFor(row);
    const [from, to] = [start[row]!, start[row]! + size[row]!];
    for (const area of this.areas.values()) {
      const overlaps = area.start < to && from < area.start + area.size;
      if ((!overlaps && area.start !== predicted) || this.revised.has(area.start)) continue;
      const reallocated = this.firstAlloc.get(area.start);
      if (area.tag === NO_TAG || (reallocated !== undefined && reallocated < row)) continue;
      const tag = area.start === from ? wanted : (area.tag % this.nodes) + 1;
      if (tag === area.tag || tag === NO_TAG || this.isInUse(vmap, area.start)) continue;
      this.revised.add(area.start);
      return this.retag(area, tag);
    }
    return undefined;
  }

  private retag(area: EarlierArea, tag: number): Revision {
    const before = area.tag;
    area.tag = tag;
    this.inferredTags++;
    return {
      isNeeded: false,
      undo: () => {
        area.tag = before;
        this.inferredTags--;
      },
    };
  }

  private isInUse({ nodes }: Vmap, address: Address): boolean {
    return nodes.busy[nodes.ofAddress(address)]!.find(address) !== 0;
  }

  /** Areas that the recording hands out before their free were gone when it began, or waited: the first purge tells. */
  private takeSnapshot(): void {
    const taken = this.firstTakings();
    this.recording.initial.forEach(({ start, size, isWaiting }, index) => {
      const row = taken[index]!;
      const isTaken = row < Number.POSITIVE_INFINITY;
      if (isTaken && !isWaiting) this.contradicted++;
      if (row < this.firstPurge) return;
      const waits = isWaiting || isTaken;
      if (waits) this.waitingKnown++;
      this.areas.set(start, { start, size, tag: this.tagOf(start, size), waits });
    });
  }

  /** For each area of the snapshot the first allocation that overlaps it, if no free comes before; else infinite. */
  private firstTakings(): Float64Array {
    const { initial, op, start, size } = this.recording;
    const rows = new Float64Array(initial.length).fill(Number.NaN);
    op.forEach((kind, row) => {
      if (kind === AreaOp.purge) return;
      const from = start[row]!;
      const to = kind === AreaOp.alloc ? from + size[row]! : from + 1;
      for (let index = lastBelow(initial, to); index >= 0; index--) {
        const area = initial[index]!;
        if (area.start + area.size <= from) break;
        if (!Number.isNaN(rows[index]!)) continue;
        rows[index] = kind === AreaOp.alloc ? row : Number.POSITIVE_INFINITY;
      }
    });
    return rows.map((row) => (Number.isNaN(row) ? Number.POSITIVE_INFINITY : row));
  }

  /** Areas whose first event is a free lived before; pages that wait, or the probe, tell their size. */
  private takeFrees(): void {
    const { op, start, size, detail } = this.recording;
    let waitingBefore = Number.NaN;
    op.forEach((kind, row) => {
      if (kind === AreaOp.purge) waitingBefore = Number.NaN;
      if (kind !== AreaOp.free) return;
      const address = start[row]!;
      const pages = detail[row]! - waitingBefore;
      waitingBefore = detail[row]!;
      if (this.firstEvent.get(address) !== row || this.areas.has(address)) return;
      const bytes = size[row]! > 0 ? size[row]! : pages * PAGE_BYTES;
      if (!(bytes > 0) || this.overlapsKnown(address, bytes)) return;
      this.areas.set(address, { start: address, size: bytes, tag: this.tagOf(address, bytes), waits: false });
      this.inferredAreas++;
    });
  }

  private overlapsKnown(from: Address, size: Bytes): boolean {
    for (const area of this.areas.values())
      if (area.start < from + size && from < area.start + area.size) return true;
    return false;
  }

  /** The node of the CPU that gets the area next if it gets it whole: then it came from that node's pool. */
  private tagOf(address: Address, size: Bytes): number {
    const { from, to } = this.recording.windows[this.main]!;
    if (this.nodes === 1 || address < from || address >= to) return NO_TAG;
    const next = this.firstAlloc.get(address);
    return next !== undefined && this.recording.size[next] === size ? this.tagFor(next) : 1;
  }
}

/** Index of the last area that starts below an address, -1 if none does. */
function lastBelow(areas: readonly SnapshotArea[], address: Address): number {
  let low = 0;
  let high = areas.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (areas[middle]!.start < address) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
