import { type EventHandler, Priority, type Simulation } from '../core/simulation.js';
import type { Nanoseconds } from '../core/units.js';

/** Whether a delivery's next event is yet to be queued, or has just come out of the queue. */
const Due = { waiting: 0, now: 1 } as const;

/**
 * Delivers a workload's events to the simulation without queueing each: `deliver` goes on as long as `isDue` says
 * so, and returns when it has queued the next event or when it has none left.
 */
export abstract class Delivery implements EventHandler {
  private readonly handler: number;
  private isNextQueued = false;
  private isCutOff = false;

  /**
   * @param origin simulated time from which the workload's own times count
   * @param until simulated time from which on nothing is delivered
   */
  constructor(
    protected readonly simulation: Simulation,
    private readonly origin: Nanoseconds,
    private readonly until: Nanoseconds,
  ) {
    this.handler = simulation.register(this);
  }

  /** Announces the workload. Its events are looked at when the simulation runs, not before. */
  begin(): void {
    this.simulation.workloadStarted();
    this.simulation.schedule(this.origin, Priority.request, this.handler, Due.waiting);
  }

  fire(kind: number): void {
    this.isNextQueued = kind === Due.now;
    if (this.deliver() || this.isCutOff) this.simulation.workloadFinished();
  }

  /** Handles all events that are due; returns whether there are no more at all. */
  protected abstract deliver(): boolean;

  /** Whether the event at `ownTime` may be handled now: the clock is moved to it. If not, it is queued or cut off. */
  protected isDue(ownTime: Nanoseconds): boolean {
    const time = this.origin + ownTime;
    if (this.isNextQueued) {
      this.isNextQueued = false;
      return true;
    }
    if (time >= this.until) {
      this.isCutOff = true;
      return false;
    }
    if (this.simulation.mayRunAhead(time, Priority.request)) {
      this.simulation.advance(time);
      return true;
    }
    this.simulation.schedule(time, Priority.request, this.handler, Due.now);
    return false;
  }
}
