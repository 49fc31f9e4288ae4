import { AreaOp, type KvaRecording } from '../../trace/kva-recording.js';
import type { RecordingRun } from './recording-run.js';

/** Purges ahead, and events ahead among which they are looked for. */
const PURGES_AHEAD = 3;
const EVENTS_AHEAD = 2000;
/** Allocations by other CPUs ahead that may have been carried out first, and events among which they are looked for. */
const ALLOCATIONS_AHEAD = 4;
const NEIGHBOURS = 40;
/** How far an order is followed before it is chosen. */
const PROBATION = 500;

/** An order of events on several CPUs that the record permits. */
interface Overlap {
  readonly what: string;
  /** Carries out now what is printed later. */
  readonly apply: (run: RecordingRun) => void;
}

/**
 * Looks for an order of events under which the run's next allocation gets its address: a purge event closes a pass, so
 * the pass or its decay may have come before, and the order in which two CPUs print is not the one in which they got the
 * lock. Of several the one that predicts most of what follows is applied. Returns what it is, or undefined.
 */
export function settleOverlap(run: RecordingRun): string | undefined {
  const here = run.next;
  const restore = run.checkpoint();
  const limit = Math.min(here + PROBATION, run.recording.length);
  let best: Overlap | undefined;
  let farthest = here;
  for (const overlap of overlapsAt(run)) {
    overlap.apply(run);
    run.advance(limit);
    if (run.next > farthest) {
      farthest = run.next;
      best = overlap;
    }
    restore();
  }
  best?.apply(run);
  return best?.what;
}

function overlapsAt(run: RecordingRun): Overlap[] {
  const { recording, next } = run;
  const overlaps: Overlap[] = [];
  for (const purge of purgesAhead(run)) {
    const event = eventName(recording, purge);
    overlaps.push({
      what: `the pass that ${event} closes came before`,
      apply: (on) => on.purgeNow(purge),
    });
    overlaps.push({
      what: `the decay of the pass that ${event} closes came before`,
      apply: (on) => on.decayNow(purge),
    });
  }
  for (const row of allocationsAhead(run, next)) {
    overlaps.push({
      what: `${eventName(recording, row)} came before`,
      apply: (on) => on.allocNow(row),
    });
  }
  return overlaps;
}

function purgesAhead(run: RecordingRun): number[] {
  const { op } = run.recording;
  const found: number[] = [];
  const limit = Math.min(op.length, run.next + EVENTS_AHEAD);
  for (let row = run.next + 1; row < limit && found.length < PURGES_AHEAD; row++)
    if (op[row] === AreaOp.purge && run.isOpen(row)) found.push(row);
  return found;
}

function allocationsAhead(run: RecordingRun, here: number): number[] {
  const { op, cpu } = run.recording;
  const found: number[] = [];
  const limit = Math.min(op.length, here + NEIGHBOURS);
  for (let row = here + 1; row < limit && found.length < ALLOCATIONS_AHEAD; row++)
    if (op[row] === AreaOp.alloc && cpu[row] !== cpu[here] && run.isOpen(row)) found.push(row);
  return found;
}

const OP_NAMES = ['allocation', 'free', 'purge'];

/** How messages name an event: kind, number among the allocator's events from 1, time in seconds, CPU. */
export function eventName({ op, timeNs, cpu }: KvaRecording, row: number): string {
  return `${OP_NAMES[op[row]!]} ${row + 1} (${(timeNs[row]! / 1e9).toFixed(6)} s, CPU ${cpu[row]})`;
}
