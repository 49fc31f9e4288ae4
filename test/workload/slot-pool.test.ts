import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MisuseError } from '../../src/core/errors.js';
import { RandomStream } from '../../src/core/random.js';
import { NO_SLOT, SlotPool } from '../../src/workload/slot-pool.js';

/** The slow reference: a stack of free slots and a set of live ones. */
class PlainPool {
  readonly live = new Set<number>();
  private readonly free: number[];

  constructor(limit: number) {
    this.free = Array.from({ length: limit }, (_, index) => limit - 1 - index);
  }

  take(): number {
    const slot = this.free.pop() ?? NO_SLOT;
    if (slot !== NO_SLOT) this.live.add(slot);
    return slot;
  }

  release(slot: number): void {
    this.live.delete(slot);
    this.free.push(slot);
  }
}

describe('a slot pool', () => {
  it('takes what was released last, else fresh slots upwards, and nothing above its limit', () => {
    const limit = fc.integer({ min: 1, max: 20 });
    const steps = fc.array(fc.option(fc.nat(), { nil: undefined }), { maxLength: 200 });
    fc.assert(
      fc.property(limit, steps, fc.integer({ min: 1, max: 8 }), (limit, steps, capacity) => {
        const pool = new SlotPool(limit, capacity);
        const plain = new PlainPool(limit);
        for (const step of steps) {
          const victim = step === undefined ? undefined : [...plain.live][step % plain.live.size];
          if (victim === undefined) expect(pool.take()).toBe(plain.take());
          else {
            pool.release(victim);
            plain.release(victim);
          }
          expect(pool.live).toBe(plain.live.size);
          for (let slot = -1; slot <= limit; slot++) expect(pool.isLive(slot)).toBe(plain.live.has(slot));
        }
      }),
    );
  });

  it('picks every live slot, and no other', () => {
    const pool = new SlotPool(10, 2);
    for (let count = 0; count < 10; count++) pool.take();
    for (const slot of [0, 3, 9]) pool.release(slot);
    const stream = new RandomStream(1, 'test/pick');
    const picked = new Set(Array.from({ length: 500 }, () => pool.pick(stream)));
    expect([...picked].sort()).toEqual([1, 2, 4, 5, 6, 7, 8]);
  });

  it('refuses bad limits, second releases and picks from nothing', () => {
    expect(() => new SlotPool(0)).toThrow(MisuseError);
    expect(() => new SlotPool(2 ** 31)).toThrow(MisuseError);
    const pool = new SlotPool(1);
    pool.release(pool.take());
    expect(() => pool.release(0)).toThrow(MisuseError);
    expect(() => pool.pick(new RandomStream(1, 'test/pick'))).toThrow(MisuseError);
  });
});
