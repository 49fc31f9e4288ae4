import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { MisuseError } from '../../src/core/errors.js';
import { RequestClass, RequestOp } from '../../src/core/request.js';
import { CheckedPort } from '../../src/harness/request-port.js';
import { ToyBackend } from '../support/toy.js';

const { kmem, guest } = RequestClass;

function port(size = 65_536, recording = true): CheckedPort {
  return new CheckedPort(new ToyBackend(size), { objectLimit: 8, cpus: 2, constraints: 1, recording });
}

describe('CheckedPort', () => {
  it.each([
    ['size 0', [0, kmem, 0, -1, 0]],
    ['negative size', [0, kmem, -16, -1, 0]],
    ['size NaN', [0, kmem, Number.NaN, -1, 0]],
    ['fractional size', [0, kmem, 1.5, -1, 0]],
    ['size above 2^53', [0, kmem, 2 ** 53 + 2, -1, 0]],
    ['object at the limit', [8, kmem, 16, -1, 0]],
    ['negative object', [-1, kmem, 16, -1, 0]],
    ['fractional object', [0.5, kmem, 16, -1, 0]],
    ['unknown class', [0, 99, 16, -1, 0]],
    ['constraint without row', [0, kmem, 16, 1, 0]],
    ['CPU out of range', [0, kmem, 16, -1, 2]],
  ] as const)('refuses an allocation with %s and names every argument', (_name, args) => {
    const checked = port();
    const [object, cls, size, constraint, cpu] = args;
    expect(() => checked.alloc(object, cls, size, constraint, cpu)).toThrow(MisuseError);
    expect(() => checked.alloc(object, cls, size, constraint, cpu)).toThrow(
      `[object=${object} cls=${cls} size=${size} constraint=${constraint} cpu=${cpu} state=`,
    );
    expect(checked.figures.allocs).toBe(0);
  });

  it('accepts the largest size, which no arena holds: a failure, not a mistake', () => {
    const checked = port();
    expect(checked.alloc(0, kmem, 2 ** 53, -1, 0)).toBe(false);
    expect(checked.figures.failures).toBe(1);
  });

  it('refuses to allocate a live object', () => {
    const checked = port();
    checked.alloc(3, kmem, 16, -1, 0);
    expect(() => checked.alloc(3, kmem, 16, -1, 0)).toThrow('that is live');
  });

  it.each([
    ['out of range', 8, 0, 'object out of range'],
    ['never allocated', 2, 0, 'state=never'],
    ['already freed', 1, 0, 'state=freed'],
    ['on an unknown CPU', 0, 2, 'CPU out of range'],
  ])('refuses a free of an object %s, twice alike', (_name, object, cpu, message) => {
    const checked = port();
    checked.alloc(0, kmem, 16, -1, 0);
    checked.alloc(1, kmem, 16, -1, 0);
    checked.free(1, 0);
    expect(() => checked.free(object, cpu)).toThrow(message);
    expect(() => checked.free(object, cpu)).toThrow(MisuseError);
    expect(checked.figures.frees).toBe(1);
  });

  it('passes on what happens to live objects where the backend has a model of it, and counts the rest', () => {
    const seen: number[][] = [];
    const backend = new (class extends ToyBackend {
      act(...args: number[]): void {
        seen.push(args);
      }
    })();
    const checked = new CheckedPort(backend, { objectLimit: 8, cpus: 2, constraints: 1, recording: true });
    checked.alloc(0, kmem, 16, -1, 0);
    checked.alloc(1, guest, 64, -1, 0);
    checked.act(0, RequestOp.inflate, 8, 1);
    checked.act(1, RequestOp.attach, 64, 0);
    expect(seen).toEqual([[RequestOp.inflate, kmem, 0, 16, 8, 1]]);
    expect(checked.figures).toMatchObject({ actions: 1, skippedActions: 1 });
    const without = port();
    without.alloc(0, kmem, 16, -1, 0);
    without.act(0, RequestOp.swapOut, 16, 0);
    expect(without.figures).toMatchObject({ actions: 0, skippedActions: 1 });
  });

  it.each([
    ['on an object never allocated', 2, RequestOp.swapOut, 16],
    ['of more bytes than the object has', 0, RequestOp.inflate, 17],
    ['of no bytes', 0, RequestOp.inflate, 0],
    ['that is none', 0, RequestOp.free, 16],
  ])('refuses an action %s', (_name, object, op, amount) => {
    const checked = port();
    checked.alloc(0, kmem, 16, -1, 0);
    expect(() => checked.act(object, op, amount, 0)).toThrow(MisuseError);
    expect(checked.figures).toMatchObject({ actions: 0, skippedActions: 0 });
  });

  it('has the backend reap under memory pressure', () => {
    let reaps = 0;
    const backend = new (class extends ToyBackend {
      override reap(): void {
        reaps++;
      }
    })();
    const checked = new CheckedPort(backend, { objectLimit: 8, cpus: 2, constraints: 1, recording: true });
    checked.reclaim(1);
    expect([reaps, checked.figures.actions]).toEqual([1, 1]);
    expect(() => checked.reclaim(2)).toThrow('CPU out of range');
  });

  it('has a class that the backend does not tell apart served as the broader one', () => {
    const asked: number[] = [];
    const backend = new (class extends ToyBackend {
      override alloc(cls: number, size: number): number {
        asked.push(cls);
        return super.alloc(cls, size);
      }
    })();
    const checked = new CheckedPort(backend, { objectLimit: 8, cpus: 2, constraints: 1, recording: true });
    checked.alloc(0, RequestClass.malloc, 16, -1, 0);
    checked.alloc(1, RequestClass.poolPage, 4096, -1, 0);
    checked.alloc(2, RequestClass.kstack, 4096, -1, 0);
    checked.free(0, 0);
    expect(asked).toEqual([kmem, RequestClass.va]);
    expect(checked.figures).toMatchObject({ allocs: 2, frees: 1, unserved: 1 });
  });

  it('keeps the running figures, the peaks and the rounding', () => {
    const checked = port();
    checked.alloc(0, kmem, 20, -1, 0);
    checked.alloc(1, kmem, 30, -1, 0);
    checked.free(0, 1);
    expect(checked.figures).toMatchObject({
      allocs: 2,
      frees: 1,
      liveObjects: 1,
      peakLiveObjects: 2,
      liveBytes: 30,
      peakLiveBytes: 50,
      footprintBytes: 32,
      peakFootprintBytes: 64,
    });
  });

  it('counts a refused allocation and skips its free', () => {
    const backend = new ToyBackend(64);
    const checked = new CheckedPort(backend, { objectLimit: 8, cpus: 1, constraints: 0, recording: true });
    expect(checked.alloc(0, kmem, 65, -1, 0)).toBe(false);
    checked.free(0, 0);
    expect(checked.figures).toMatchObject({ allocs: 0, frees: 0, failures: 1, skippedFrees: 1 });
    expect(backend.arena.frees).toBe(0);
    expect(checked.alloc(0, kmem, 64, -1, 0)).toBe(true);
  });

  it('does not pass on requests of a class that is not served, nor their frees', () => {
    const checked = port();
    expect(checked.alloc(0, guest, 16, -1, 0)).toBe(false);
    checked.free(0, 0);
    expect(checked.figures).toMatchObject({ allocs: 0, failures: 0, unserved: 2 });
  });

  it('digests every answer in order, failures too', () => {
    const digests = [[16, 32], [32, 16], [16], [16, 16], [2 ** 30], []].map((sizes) => {
      const checked = port();
      for (const [object, size] of sizes.entries()) checked.alloc(object, kmem, size, -1, 0);
      return checked.placementDigest;
    });
    expect(digests[0]).toMatch(/^[0-9a-f]{16}$/);
    // Equal placements (16 then 16, 16 then 32) have equal digests: sizes are the workload's, not the answer's.
    expect(digests[3]).toBe(digests[0]);
    expect(new Set(digests).size).toBe(digests.length - 1);
  });

  it('keeps neither figures nor digest when it does not record, yet checks and serves', () => {
    const checked = port(65_536, false);
    const untouched = port().placementDigest;
    expect(checked.alloc(0, kmem, 16, -1, 0)).toBe(true);
    checked.free(0, 0);
    expect(checked.figures).toEqual(port().figures);
    expect(checked.placementDigest).toBe(untouched);
    expect(() => checked.free(0, 0)).toThrow(MisuseError);
  });

  it('keeps nothing on the heap over a million requests', () => {
    setFlagsFromString('--expose-gc');
    const collect: () => void = runInNewContext('gc');
    const backend = new ToyBackend();
    const checked = new CheckedPort(backend, { objectLimit: 64, cpus: 1, constraints: 0, recording: true });
    const churn = (requests: number): void => {
      for (let request = 0; request < requests; request += 2) {
        checked.alloc(request % 64, kmem, 1 + (request % 4000), -1, 0);
        checked.free(request % 64, 0);
      }
    };
    churn(10_000);
    collect();
    const before = process.memoryUsage().heapUsed;
    churn(1_000_000);
    collect();
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(500_000);
  });
});
