import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LiveTable } from '../../src/trace/live-table.js';
import { eventsOf, importInto, temporaryFolder } from './support.js';

const folder = temporaryFolder();

function line(time: number, event: string, pid = 7): string {
  const stamp = `${Math.floor(time / 1e6)}.${String(time % 1e6).padStart(6, '0')}`;
  return `            bash-${pid}       [000] ..... ${stamp}: ${event}\n`;
}
const hex = (index: number) => (0xffff888000000000n + BigInt(index) * 64n).toString(16);
const alloc = (index: number, size: number) =>
  `kmem_cache_alloc: call_site=f+0x1/0x2 ptr=${hex(index)} bytes_req=${size} bytes_alloc=${size} gfp_flags=0`;
const kmalloc = (index: number, size: number) => alloc(index, size).replace('kmem_cache_alloc', 'kmalloc');
const free = (index: number) => `kfree: call_site=g+0x1/0x2 ptr=${hex(index)}`;

describe('pairing', () => {
  it('agrees with a plain map on any history', async () => {
    const step = fc.record({
      index: fc.nat(12),
      size: fc.integer({ min: 1, max: 9999 }),
      kind: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 120 }), async (steps) => {
        const lines = [
          line(0, alloc(99, 1)),
          ...steps.map(({ index, size, kind }, at) => line(at, kind ? alloc(index, size) : free(index))),
        ];
        const { trace, skipped } = await importInto(folder.path('p.arrow'), { text: lines.join('') });
        const live = new Map<number, number>();
        const wanted: string[] = ['0 1'];
        let unknown = 0;
        for (const { index, size, kind } of steps) {
          const known = live.get(index);
          if (known !== undefined) wanted.push(`1 ${known}`);
          else if (!kind) unknown++;
          if (kind) {
            live.set(index, size);
            wanted.push(`0 ${size}`);
          } else {
            live.delete(index);
          }
        }
        const events = eventsOf(trace);
        expect(events.map(({ op, size }) => `${op} ${size}`)).toEqual(wanted);
        expect(skipped['free-of-unknown/kmem'] ?? 0).toBe(unknown);
        const peak = events.reduce(
          ({ now, most }, { op }) => ({
            now: now + (op === 0 ? 1 : -1),
            most: Math.max(most, now + (op === 0 ? 1 : 0)),
          }),
          { now: 0, most: 0 },
        ).most;
        expect(trace.metadata.objectLimit).toBe(peak);
      }),
      { numRuns: 60 },
    );
  });

  it('puts a free before an allocation at a live address', async () => {
    const text = line(1, alloc(1, 64)) + line(5, alloc(1, 32)) + line(6, free(1));
    const { trace, skipped } = await importInto(folder.path('p.arrow'), { text });
    const events = eventsOf(trace).map(({ timeNs, op, size, object }) => [timeNs, op, size, object]);
    expect(events).toEqual([
      [0, 0, 64, 0],
      [4000, 1, 64, 0],
      [4000, 0, 32, 0],
      [5000, 1, 32, 0],
    ]);
    expect(skipped).toEqual({ 'alloc-on-live/kmem': 1 });
  });

  it('counts a kmalloc once that the same process reports twice in a row', async () => {
    const twice = line(1, kmalloc(1, 20480)) + line(2, kmalloc(1, 20480));
    const { trace, skipped } = await importInto(folder.path('p.arrow'), { text: twice });
    expect(trace.metadata.eventCount).toBe(1);
    expect(skipped).toEqual({ 'doubled-alloc/kmem': 1 });
  });

  it.each([
    ['another process', line(2, kmalloc(1, 20480), 8)],
    ['another size', line(2, kmalloc(1, 10240))],
    ['another kmalloc between', line(2, kmalloc(2, 8)) + line(3, kmalloc(1, 20480))],
    ['a slab allocation', line(2, alloc(1, 20480))],
  ])('takes %s for a new allocation', async (_what, second) => {
    const text = line(1, kmalloc(1, 20480)) + second;
    const { skipped } = await importInto(folder.path('p.arrow'), { text });
    expect(skipped).toEqual({ 'alloc-on-live/kmem': 1 });
  });

  it('ignores frees of NULL and of the zero-size pointer', async () => {
    const text =
      line(1, alloc(1, 64)) +
      line(2, 'kfree: call_site=g ptr=0000000000000000') +
      line(3, 'kfree: call_site=g ptr=0000000000000010');
    const { trace, skipped } = await importInto(folder.path('p.arrow'), { text });
    expect(trace.metadata.eventCount).toBe(1);
    expect(skipped).toEqual({ 'free-of-null/kmem': 1, 'free-of-zero-size/kmem': 1 });
  });

  it('keeps name spaces apart and reuses process ids after exit', async () => {
    const fork = 'sched_process_fork: comm=a b pid=1 child_comm=x pid=2 child_pid=50';
    const exit = 'sched_process_exit: comm=x pid=9 pid=50 prio=120';
    const text = line(1, fork) + line(2, exit) + line(3, fork) + line(4, alloc(1, 8));
    const { trace, skipped } = await importInto(folder.path('p.arrow'), { text });
    expect(eventsOf(trace).map(({ cls, op, object }) => [cls, op, object])).toEqual([
      [6, 0, 0],
      [6, 1, 0],
      [6, 0, 0],
      [0, 0, 1],
    ]);
    expect(skipped).toEqual({});
  });

  it('moves an earlier stamp up to its predecessor and counts it', async () => {
    const text = line(1000, alloc(1, 8)) + line(3000, alloc(2, 8)) + line(2000, free(1));
    const { trace, skipped } = await importInto(folder.path('p.arrow'), { text });
    expect(eventsOf(trace).map(({ timeNs }) => timeNs)).toEqual([0, 2e6, 2e6]);
    expect(skipped).toEqual({ 'backward-stamp': 1 });
  });
});

describe('live table', () => {
  it('agrees with Map', () => {
    const key = fc.oneof(
      fc.nat(30),
      fc.nat(30).map((index) => 2 ** 52 + index * 2 ** 32),
    );
    const what = fc.constantFrom('set', 'add', 'remove');
    const step = fc.record({ key, what, object: fc.nat(1000) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 400 }), (steps) => {
        const table = new LiveTable();
        const map = new Map<number, number>();
        for (const { key, what, object } of steps) {
          expect(table.get(key)).toBe(map.get(key) ?? -1);
          if (what === 'set') {
            table.set(key, object);
            map.set(key, object);
          } else if (what === 'add') {
            expect(table.add(key, object)).toBe(map.get(key) ?? -1);
            if (!map.has(key)) map.set(key, object);
          } else {
            expect(table.remove(key)).toBe(map.get(key) ?? -1);
            map.delete(key);
          }
        }
      }),
    );
  });

  it('keeps every key while it grows and shrinks', () => {
    const table = new LiveTable();
    for (let key = 0; key < 20_000; key++) expect(table.add(key * 64, key)).toBe(-1);
    for (let key = 0; key < 20_000; key += 2) expect(table.remove(key * 64)).toBe(key);
    for (let key = 0; key < 20_000; key++) expect(table.get(key * 64)).toBe(key % 2 === 0 ? -1 : key);
  });
});
