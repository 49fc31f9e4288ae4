import { MisuseError } from './errors.js';
import { EventQueue } from './event-queue.js';
import { LockTable } from './locks.js';
import type { Nanoseconds } from './units.js';

/** Order among events of the same time. */
export const Priority = {
  /** Kernel tasks that an operation has set off: they run before the next request. */
  task: 0,
  /** Periodic maintenance. */
  timer: 1,
  /** Requests of the workload. */
  request: 2,
  /** Sampling: sees everything that happened at its time. */
  sample: 3,
} as const;

/** Something that events are addressed to. `kind` and `payload` are its own affair. */
export interface EventHandler {
  fire(kind: number, payload: number): void;
}

/**
 * The discrete-event engine: a clock in integer nanoseconds, the event queue and the simulated locks. An event
 * carries two numbers instead of a closure, so scheduling allocates nothing.
 *
 * A handler that has many events to deliver in a row (a trace) need not queue each: it may go on by itself while its
 * next event comes before everything queued, which `mayRunAhead` tells and `advance` records. The order of all
 * events is the same as if each had been queued.
 */
export class Simulation {
  readonly locks = new LockTable();
  /** Number of simulated processors; events carry one below it. */
  readonly cpus: number;
  private readonly queue = new EventQueue();
  private readonly handlers: EventHandler[] = [];
  private clock: Nanoseconds = 0;
  private open = 0;
  private paused = false;

  constructor(cpus = 1) {
    if (!(Number.isInteger(cpus) && cpus >= 1)) throw new MisuseError('bad number of CPUs', { cpus });
    this.cpus = cpus;
  }

  /** Simulated time of the event being handled. */
  get now(): Nanoseconds {
    return this.clock;
  }

  /** Makes `handler` addressable; the number returned goes into `schedule`. */
  register(handler: EventHandler): number {
    this.handlers.push(handler);
    return this.handlers.length - 1;
  }

  /** Queues an event. @throws MisuseError when it lies in the past or names an unknown handler. */
  schedule(at: Nanoseconds, priority: number, handler: number, kind = 0, payload = 0): void {
    if (at < this.clock || handler >= this.handlers.length) {
      throw new MisuseError('event in the past or without handler', { at, now: this.clock, handler, kind });
    }
    this.queue.push(at, priority, handler, kind, payload);
  }

  /**
   * Workloads announce themselves: the run ends when the last one has finished, whatever timers are still queued.
   */
  workloadStarted(): void {
    this.open++;
  }

  workloadFinished(): void {
    this.open--;
  }

  /** Whether an event at `time` with `priority` comes before everything queued. */
  mayRunAhead(time: Nanoseconds, priority: number): boolean {
    const first = this.queue.firstTime;
    return time < first || (time === first && priority < this.queue.firstPriority);
  }

  /** Moves the clock to an event that is handled without having been queued; see `mayRunAhead`. */
  advance(time: Nanoseconds): void {
    if (time < this.clock) throw new MisuseError('the clock cannot go back', { time, now: this.clock });
    this.clock = time;
  }

  /** Lets `run` return after the event being handled; a handler that runs ahead goes on until something is queued. */
  pause(): void {
    this.paused = true;
  }

  /**
   * Handles events in order until every workload has finished, then those that are due at that very time.
   * @returns whether that is done; false after `pause`, to be called again.
   */
  run(): boolean {
    const { queue } = this;
    this.paused = false;
    while (queue.length > 0 && (this.open > 0 || queue.firstTime === this.clock)) {
      this.step();
      if (this.paused) return false;
    }
    return true;
  }

  private step(): void {
    const { queue } = this;
    this.advance(queue.firstTime);
    const handler = this.handlers[queue.firstHandler]!;
    const kind = queue.firstKind;
    const payload = queue.firstPayload;
    queue.pop();
    handler.fire(kind, payload);
  }
}
