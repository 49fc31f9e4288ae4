import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MisuseError } from '../../src/core/errors.js';
import { EventQueue } from '../../src/core/event-queue.js';

interface Queued {
  readonly time: number;
  readonly priority: number;
  readonly sequence: number;
}

describe('the event queue', () => {
  it('gives events in the order of time, priority, insertion, as a sorted list does', () => {
    const step = fc.oneof(
      fc.record({ time: fc.nat({ max: 9 }), priority: fc.integer({ min: -1, max: 2 }) }),
      fc.constant('pop' as const),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300, size: 'max' }), (steps) => {
        const queue = new EventQueue(2);
        let slow: Queued[] = [];
        steps.forEach((step, sequence) => {
          if (step !== 'pop') {
            queue.push(step.time, step.priority, sequence % 3, sequence % 5, sequence);
            slow = [...slow, { ...step, sequence }].sort(
              (a, b) => a.time - b.time || a.priority - b.priority || a.sequence - b.sequence,
            );
          } else if (slow.length > 0) {
            queue.pop();
            slow.shift();
          }
          expect(queue.length).toBe(slow.length);
          const first = slow[0];
          expect(queue.firstTime).toBe(first?.time ?? Number.POSITIVE_INFINITY);
          if (first === undefined) return;
          expect([queue.firstPriority, queue.firstPayload]).toEqual([first.priority, first.sequence]);
          expect([queue.firstHandler, queue.firstKind]).toEqual([first.sequence % 3, first.sequence % 5]);
        });
      }),
    );
  });

  it('refuses a time that is none, and a pop from nothing', () => {
    const queue = new EventQueue();
    for (const time of [Number.NaN, -1]) expect(() => queue.push(time, 0, 0, 0, 0)).toThrow(MisuseError);
    expect(() => queue.pop()).toThrow(MisuseError);
    expect(queue.length).toBe(0);
  });
});
