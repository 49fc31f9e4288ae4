import { NO_ADDRESS } from '../../core/address.js';
import { InputError } from '../../core/errors.js';
import { RequestClass } from '../../core/request.js';
import type { Bytes, Nanoseconds } from '../../core/units.js';
import { type ImportContext, NameSpace } from '../importer.js';

const DAY_NS = 86_400e9;

/**
 * Guests by the time of their start and end, as fleets are published: put into the order of time at the end, departures
 * before arrivals of the same moment, because they make room. Needs memory for all of them.
 */
export class FleetSchedule {
  private readonly starts: Nanoseconds[] = [];
  private readonly ends: Nanoseconds[] = [];
  private readonly sizes: Bytes[] = [];

  /** A guest from `start` (-Infinity: before the recording) to `end` (Infinity: it outlives it). */
  add(start: Nanoseconds, end: Nanoseconds, size: Bytes): void {
    this.starts.push(start);
    this.ends.push(end);
    this.sizes.push(size);
  }

  /**
   * Hands on all guests. Returns the time of the first event, which becomes 0.
   * @throws InputError if a trace cannot count the time from the first event to the last.
   */
  emit({ sink, options, file }: ImportContext): Nanoseconds {
    const { origin, last } = this.span();
    const { speedUp } = options;
    if ((last - origin) / speedUp > Number.MAX_SAFE_INTEGER) {
      const days = Math.ceil((last - origin) / DAY_NS);
      throw new InputError(`lasts ${days} days, a trace at most 104: --speed-up makes it shorter`, { file });
    }
    const { event } = sink;
    event.cpu = 0;
    event.pid = -1;
    event.site = -1;
    event.space = NameSpace.object;
    event.cls = RequestClass.guest;
    event.address = NO_ADDRESS;
    event.align = 0;
    event.mayRepeat = false;
    for (const step of this.order()) {
      const guest = step >> 1;
      const start = Math.max(origin, this.starts[guest]!);
      event.key = guest;
      event.size = this.sizes[guest]!;
      event.timeNs = Math.floor(((step & 1 ? this.ends[guest]! : start) - origin) / speedUp);
      if (step & 1) sink.freed();
      else sink.allocated();
    }
    return origin;
  }

  private span(): { origin: Nanoseconds; last: Nanoseconds } {
    let origin = Number.POSITIVE_INFINITY;
    let last = Number.NEGATIVE_INFINITY;
    for (const times of [this.starts, this.ends]) {
      for (const time of times) {
        if (!Number.isFinite(time)) continue;
        origin = Math.min(origin, time);
        last = Math.max(last, time);
      }
    }
    return origin <= last ? { origin, last } : { origin: 0, last: 0 };
  }

  /** 2 · guest for its start, one more for its end; a guest that ends as it starts does so at once. */
  private order(): number[] {
    const steps: number[] = [];
    for (let guest = 0; guest < this.starts.length; guest++) {
      steps.push(2 * guest);
      if (Number.isFinite(this.ends[guest]!)) steps.push(2 * guest + 1);
    }
    const time = (step: number) => (step & 1 ? this.ends : this.starts)[step >> 1]!;
    const rank = (step: number) => {
      const momentary = this.starts[step >> 1] === this.ends[step >> 1];
      return momentary ? 1 + (step & 1) / 2 : step & 1 ? 0 : 2;
    };
    return steps.sort((a, b) => before(time(a), time(b)) || rank(a) - rank(b) || a - b);
  }
}

/** Difference of two times, either of which may be infinite. */
function before(a: Nanoseconds, b: Nanoseconds): number {
  return a === b ? 0 : a < b ? -1 : 1;
}
