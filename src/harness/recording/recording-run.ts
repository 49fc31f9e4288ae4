import { isWaiting, makeFree, takeBack } from '../../arena/linux-vmap/hindsight.js';
import type { Vmap } from '../../arena/linux-vmap/vmap.js';
import type { Address } from '../../core/address.js';
import { AreaOp, type KvaRecording } from '../../trace/kva-recording.js';
import { Checkpoint } from './checkpoint.js';
import type { InitialState } from './initial-state.js';

/** What an overlap has made of an event that the replay comes to later. */
const Amendment = { none: 0, done: 1, decayed: 2 } as const;

/** Events back from a purge among which frees are looked for that it did not take yet. */
const LATE_FREES = 2000;
/** Events forward from a purge among which frees are looked for that it took, but that were printed later. */
const EARLY_FREES = 16;

/**
 * Replays the events of a recording through the model, with the recorded purges as input: a purge takes as many areas as
 * it says. Allocations are predicted before they are carried out.
 */
export class RecordingRun {
  readonly vmap: Vmap;
  /** The event to be replayed next. */
  next = 0;
  /** By event. */
  private readonly amendments: Uint8Array;

  constructor(
    readonly recording: KvaRecording,
    readonly initial: InitialState,
  ) {
    this.vmap = initial.start();
    this.amendments = new Uint8Array(recording.length);
  }

  /** Replays up to the first allocation that the model does not predict, or to `limit`. Returns whether it got there. */
  advance(limit: number): boolean {
    const { op } = this.recording;
    for (; this.next < limit; this.next++) {
      if (this.amendments[this.next] === Amendment.done) continue;
      if (op[this.next] === AreaOp.free) this.free(this.next);
      else if (op[this.next] === AreaOp.purge) this.purge(this.next);
      else if (!this.alloc(this.next)) return false;
    }
    return true;
  }

  /** Address that the model gives an allocation now. */
  predict(row: number): Address {
    const { size, align, cpu } = this.recording;
    return this.vmap.predict(size[row]!, align[row]!, this.initial.windowOf(row), cpu[row]!);
  }

  /** Carries out an allocation if the model predicts it. Returns whether it does. */
  alloc(row: number): boolean {
    const { start, size, align, cpu } = this.recording;
    if (this.predict(row) !== start[row]) return false;
    this.vmap.alloc(size[row]!, align[row]!, this.initial.windowOf(row), cpu[row]!);
    return true;
  }

  /** Gives the next allocation its recorded address, whatever lies there. */
  force(): void {
    const { start, size, cpu } = this.recording;
    const row = this.next++;
    makeFree(this.vmap, start[row]!, start[row]! + size[row]!);
    this.vmap.seed(start[row]!, size[row]!, this.initial.tagFor(row), cpu[row]!);
  }

  /** Carries out a later purge now, whole. */
  purgeNow(row: number): void {
    this.amendments[row] = Amendment.done;
    this.vmap.purge(false);
  }

  /** Carries out the decay of a later purge now. */
  decayNow(row: number): void {
    this.amendments[row] = Amendment.decayed;
    this.vmap.decay(false);
  }

  /** Carries out a later allocation now. Returns whether the model predicts it. */
  allocNow(row: number): boolean {
    this.amendments[row] = Amendment.done;
    return this.alloc(row);
  }

  isOpen(row: number): boolean {
    return this.amendments[row] === Amendment.none;
  }

  /** Keeps the present state; what it returns comes back to it. */
  checkpoint(): () => void {
    const state = new Checkpoint({ vmap: this.vmap, amendments: this.amendments });
    const { next } = this;
    return () => {
      state.restore();
      this.next = next;
    };
  }

  /** A free of an area that lived before, and that nothing shows, is none for the model. */
  private free(row: number): void {
    const { nodes } = this.vmap;
    const address = this.recording.start[row]!;
    if (nodes.busy[nodes.ofAddress(address)]!.find(address) !== 0) this.vmap.freeAt(address);
  }

  /** The record's own count says which frees a pass took: frees and purges of several CPUs are printed out of order. */
  private purge(row: number): void {
    const count = this.recording.detail[row]!;
    const { waiting } = this.vmap.nodes;
    const held = waiting > count ? this.lateFrees(row, waiting - count) : [];
    if (waiting < count) this.earlyFrees(row, count - waiting);
    for (const address of held) takeBack(this.vmap, address);
    if (this.amendments[row] !== Amendment.decayed) this.vmap.decay(false);
    this.vmap.purgeWaiting(false);
    for (const address of held) this.vmap.freeAt(address);
  }

  /** Waiting areas that the pass cannot have taken: outside its bounds, or freed last and by another CPU. */
  private lateFrees(purge: number, excess: number): Address[] {
    const { op, start, size, cpu } = this.recording;
    const outside: Address[] = [];
    const others: Address[] = [];
    for (let row = purge - 1; row >= 0 && row > purge - LATE_FREES; row--) {
      if (op[row] !== AreaOp.free || !isWaiting(this.vmap, start[row]!)) continue;
      if (start[row]! < start[purge]! || start[row]! >= size[purge]!) outside.push(start[row]!);
      else if (cpu[row] !== cpu[purge]) others.push(start[row]!);
      if (outside.length + others.length >= excess && others.length >= excess) break;
    }
    return [...outside, ...others].slice(0, excess);
  }

  /** Frees by other CPUs that the pass took, although they were printed behind it. */
  private earlyFrees(purge: number, missing: number): void {
    const { op, start, size, cpu } = this.recording;
    let left = missing;
    for (let row = purge + 1; row < purge + EARLY_FREES && row < op.length && left > 0; row++) {
      if (op[row] !== AreaOp.free || cpu[row] === cpu[purge]) continue;
      if (start[row]! < start[purge]! || start[row]! >= size[purge]!) continue;
      this.free(row);
      this.amendments[row] = Amendment.done;
      left--;
    }
  }
}
