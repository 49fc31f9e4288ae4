import { MisuseError } from './errors.js';

const ARITY = 4;

/**
 * Events ordered by (time, priority, sequence), smallest first; sequence is the order of insertion, so ties are
 * never decided by chance. A 4-ary heap in typed arrays: nothing is allocated per event but when the queue grows.
 */
export class EventQueue {
  private time: Float64Array;
  private priority: Int32Array;
  private sequence: Float64Array;
  private handler: Int32Array;
  private kind: Int32Array;
  private payload: Float64Array;
  private count = 0;
  private nextSequence = 0;

  constructor(capacity = 64) {
    this.time = new Float64Array(capacity);
    this.priority = new Int32Array(capacity);
    this.sequence = new Float64Array(capacity);
    this.handler = new Int32Array(capacity);
    this.kind = new Int32Array(capacity);
    this.payload = new Float64Array(capacity);
  }

  get length(): number {
    return this.count;
  }

  /** Time of the first event; Infinity when the queue is empty. */
  get firstTime(): number {
    return this.count === 0 ? Number.POSITIVE_INFINITY : this.time[0]!;
  }

  /** Priority of the first event; meaningless when the queue is empty. */
  get firstPriority(): number {
    return this.priority[0]!;
  }

  get firstHandler(): number {
    return this.handler[0]!;
  }

  get firstKind(): number {
    return this.kind[0]!;
  }

  get firstPayload(): number {
    return this.payload[0]!;
  }

  /** Adds an event. @throws MisuseError if the time is not a number. */
  push(time: number, priority: number, handler: number, kind: number, payload: number): void {
    if (!(time >= 0)) throw new MisuseError('event time is not a time', { time, priority, handler, kind });
    if (this.count === this.time.length) this.grow();
    let hole = this.count++;
    const sequence = this.nextSequence++;
    while (hole > 0) {
      const parent = Math.floor((hole - 1) / ARITY);
      if (!this.comesBefore(time, priority, sequence, parent)) break;
      this.move(parent, hole);
      hole = parent;
    }
    this.put(hole, time, priority, sequence, handler, kind, payload);
  }

  /** Removes the first event. @throws MisuseError if there is none. */
  pop(): void {
    if (this.count === 0) throw new MisuseError('pop from an empty event queue', {});
    const last = --this.count;
    if (last === 0) return;
    let hole = 0;
    for (let child = this.smallestChild(hole); child >= 0; child = this.smallestChild(hole)) {
      if (this.comesBefore(this.time[last]!, this.priority[last]!, this.sequence[last]!, child)) break;
      this.move(child, hole);
      hole = child;
    }
    this.move(last, hole);
  }

  private smallestChild(parent: number): number {
    const first = parent * ARITY + 1;
    const end = Math.min(first + ARITY, this.count);
    let best = first < end ? first : -1;
    for (let child = first + 1; child < end; child++) {
      if (this.comesBefore(this.time[child]!, this.priority[child]!, this.sequence[child]!, best))
        best = child;
    }
    return best;
  }

  private comesBefore(time: number, priority: number, sequence: number, other: number): boolean {
    if (time !== this.time[other]!) return time < this.time[other]!;
    if (priority !== this.priority[other]!) return priority < this.priority[other]!;
    return sequence < this.sequence[other]!;
  }

  private move(from: number, to: number): void {
    this.put(
      to,
      this.time[from]!,
      this.priority[from]!,
      this.sequence[from]!,
      this.handler[from]!,
      this.kind[from]!,
      this.payload[from]!,
    );
  }

  private put(
    at: number,
    time: number,
    priority: number,
    sequence: number,
    handler: number,
    kind: number,
    payload: number,
  ): void {
    this.time[at] = time;
    this.priority[at] = priority;
    this.sequence[at] = sequence;
    this.handler[at] = handler;
    this.kind[at] = kind;
    this.payload[at] = payload;
  }

  private grow(): void {
    const capacity = this.time.length * 2;
    this.time = grown(this.time, new Float64Array(capacity));
    this.priority = grown(this.priority, new Int32Array(capacity));
    this.sequence = grown(this.sequence, new Float64Array(capacity));
    this.handler = grown(this.handler, new Int32Array(capacity));
    this.kind = grown(this.kind, new Int32Array(capacity));
    this.payload = grown(this.payload, new Float64Array(capacity));
  }
}

function grown<T extends Float64Array | Int32Array>(column: T, larger: T): T {
  larger.set(column);
  return larger;
}
