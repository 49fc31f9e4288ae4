import { rangeLines } from '../../arena/linux-vmap/inspect.js';
import type { Address } from '../../core/address.js';
import { AreaOp, type KvaRecording } from '../../trace/kva-recording.js';
import { InitialState } from './initial-state.js';
import { eventName, settleOverlap } from './overlaps.js';
import { RecordingRun } from './recording-run.js';

/** Misses that are explained. */
const SHOWN = 5;

/** An allocation whose address the printed order of events does not give. */
export interface RecordingMiss {
  readonly event: string;
  readonly row: number;
  readonly wanted: Address;
  /** NO_ADDRESS if the model had no room. */
  readonly got: Address;
  /** The overlap of CPUs that explains it; undefined if nothing does. */
  readonly overlap: string | undefined;
  /** The ranges around both addresses, before the allocation; empty from the sixth miss on. */
  readonly around: string;
}

/** How much of a recording the model predicts. */
export interface RecordingVerdict {
  readonly file: string;
  readonly events: number;
  readonly allocations: number;
  readonly frees: number;
  readonly purges: number;
  readonly cpus: number;
  readonly nodes: number;
  readonly snapshotAreas: number;
  readonly contradictedAreas: number;
  readonly inferredAreas: number;
  readonly inferredTags: number;
  /** In recorded order. */
  readonly misses: readonly RecordingMiss[];
}

/** Revisions of the initial state that are tried before misses are taken as they are. */
const MOST_REVISIONS = 100;

/** Replays a recording through the model of Linux's vmap. @throws InputError if the model does not cover it. */
export function verifyRecording(recording: KvaRecording): RecordingVerdict {
  const initial = new InitialState(recording);
  let attempt = new Attempt(new RecordingRun(recording, initial));
  for (let revisions = 0; !attempt.advance(recording.length); ) {
    const { run } = attempt;
    const row = run.next;
    const revision = revisions < MOST_REVISIONS ? initial.revise(run.vmap, row, run.predict(row)) : undefined;
    if (revision === undefined) attempt.settle();
    else {
      revisions++;
      const trial = new Attempt(new RecordingRun(recording, initial)).through(row);
      if (revision.isNeeded || trial.misses.length <= attempt.misses.length) attempt = trial;
      else revision.undo();
    }
  }
  return verdict(recording, initial, attempt.misses);
}

/** One replay, with what it missed so far. */
class Attempt {
  readonly misses: RecordingMiss[] = [];

  constructor(readonly run: RecordingRun) {}

  advance(limit: number): boolean {
    return this.run.advance(limit);
  }

  /** Notes a miss, and goes on with an order of events that explains it, or else with the recorded address. */
  settle(): void {
    const { run, misses } = this;
    const { recording, vmap, next } = run;
    const wanted = recording.start[next]!;
    const got = run.predict(next);
    const around = misses.length < SHOWN ? rangeLines(vmap, [wanted, got]) : '';
    const event = eventName(recording, next);
    const overlap = settleOverlap(run);
    if (overlap === undefined) run.force();
    misses.push({ event, row: next, wanted, got, overlap, around });
  }

  /** Replays up to event `row` and through it. */
  through(row: number): this {
    while (!this.advance(row + 1)) this.settle();
    return this;
  }
}

function verdict(
  recording: KvaRecording,
  initial: InitialState,
  misses: readonly RecordingMiss[],
): RecordingVerdict {
  const count = (wanted: AreaOp) => recording.op.filter((kind) => kind === wanted).length;
  return {
    file: recording.file,
    events: recording.length,
    allocations: count(AreaOp.alloc),
    frees: count(AreaOp.free),
    purges: count(AreaOp.purge),
    cpus: initial.cpus,
    nodes: initial.nodes,
    snapshotAreas: recording.initial.length,
    contradictedAreas: initial.contradicted,
    inferredAreas: initial.inferredAreas,
    inferredTags: initial.inferredTags,
    misses,
  };
}
