import { readFileSync } from 'node:fs';
import { gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { AddressSpace } from '../../src/core/address.js';
import { RequestClass } from '../../src/core/request.js';
import { traceStatistics } from '../../src/trace/statistics.js';
import { eventsOf, fixture, importInto, rowsOf, temporaryFolder } from './support.js';

const folder = temporaryFolder();
const importFixture = (name: string) => importInto(folder.path('f.arrow'), { path: fixture(name) });
const importText = (text: string) => importInto(folder.path('f.arrow'), { text });
const head = '          run.sh-381     [001] .....    14.000001: ';
const KMALLOC = 'kmalloc: call_site=f+0x1/0x2 ptr=ffff8b2888089f00 bytes_req=64 bytes_alloc=64 gfp_flags=0\n';

describe('ftrace importer', () => {
  it('reads vmap areas, stacks and tasks of a boot', async () => {
    const { report, trace, skipped } = await importFixture('boot-kva.txt');
    expect(trace.metadata.allocations).toEqual({ kstack: 17, va: 61, stackArea: 3, task: 16 });
    expect(trace.metadata.origin).toBe('9.745981');
    expect(skipped).toMatchObject({ 'module-range-not-stored/va': 46, 'not-imported:module_load': 9 });
    expect(report.events.alloc_vmap_area).toBe(64);
    const area = eventsOf(trace).find(({ cls }) => cls === RequestClass.stackArea)!;
    expect(area).toMatchObject({ size: 20480, constraint: 0, site: -1 });
    expect(trace.constraints.align[0]).toBe(16384);
    expect(AddressSpace.canonical.format(area.address)).toMatch(/^0xffffd0f5/);
  });

  it('reads kmem events, with doubled ones counted once', async () => {
    const { trace, skipped } = await importFixture('boot-kmem.txt.gz');
    expect(skipped).toEqual({
      'doubled-alloc/kmem': 2,
      'free-of-null/kmem': 3,
      'free-of-unknown/kmem': 6,
      'free-of-zero-size/kmem': 2,
    });
    const [first] = eventsOf(trace);
    expect(first).toMatchObject({ cls: RequestClass.kmem, size: 64, cpu: 0, timeNs: 0 });
    expect(trace.metadata.sites[first!.site]).toBe('tracepoint_add_func+0xf7/0x3f0');
    expect(AddressSpace.canonical.format(first!.address)).toBe('0xffff8b0f5ff44700');
  });

  it('reads areas from a kprobe and a kretprobe', async () => {
    const { trace } = await importFixture('kprobe-kva.txt');
    const [area] = eventsOf(trace);
    expect(area).toMatchObject({ cls: RequestClass.stackArea, size: 20480, timeNs: 433_000 });
    expect(AddressSpace.canonical.format(area!.address)).toBe('0xffffcd8dc062c000');
    expect(trace.metadata.sites).toContain('__get_vm_area_node+0xb1/0x150');
    expect(trace.metadata.allocations).toEqual({ stackArea: 32, task: 75 });
  });

  it('pairs hashed pointers but takes them for no address', async () => {
    const { trace } = await importFixture('hashed-pointers.txt');
    const kmem = eventsOf(trace).filter(({ cls }) => cls === RequestClass.kmem);
    expect(kmem.every(({ address }) => address === -1)).toBe(true);
    expect(kmem.some(({ op }) => op === 1)).toBe(true);
  });

  it.each([
    ['clock-tai.txt', '1795232102.577700', 'seconds', 167_000, 46],
    ['clock-uptime.txt', '1324', 'bare integers, 1 ns each', 0, 45],
    ['clock-x86-tsc.txt', '15092525439', 'bare integers, 1 ns each', 165_067, 46],
    ['opt-record-tgid.txt', '14.663299', 'seconds', 167_000, 46],
    ['opt-noirq-info.txt', '14.764273', 'seconds', 175_000, 52],
    ['opt-fields.txt', '15.160316', 'seconds', 140_000, 46],
    ['marker.txt', '15.488225', 'seconds', 8_621_000, 9],
    ['opt-stacktrace.txt', '15.332253', 'seconds', 112_000, 9],
  ])('reads %s', async (name, origin, clock, durationNs, eventCount) => {
    const { trace } = await importFixture(name);
    expect(trace.metadata).toMatchObject({ origin, clock, durationNs, eventCount });
  });

  it('reads the same events from values printed as fields', async () => {
    const { trace } = await importFixture('opt-fields.txt');
    const area = eventsOf(trace).find(({ cls }) => cls === RequestClass.stackArea);
    expect(AddressSpace.canonical.format(area!.address)).toBe('0xffffd247007c8000');
    expect(eventsOf(trace).find(({ cls }) => cls === RequestClass.kmem)!.size).toBe(8392);
  });

  it('counts what was lost before and while it was read, and a cut last line', async () => {
    expect((await importFixture('trace-overrun.txt')).skipped['overwritten-events']).toBe(6318);
    const { skipped } = await importFixture('trace_pipe-lost-truncated.txt');
    expect(skipped).toMatchObject({ 'lost-events': 11_577, 'cut-last-line': 1 });
    expect((await importFixture('opt-stacktrace.txt')).skipped['stack-trace']).toBe(97);
  });

  it.each([
    ['opt-latency-format.txt', /opt-latency-format\.txt: holds no event .*option-latency-format/],
    ['opt-latency-verbose.txt', /option-latency-format/],
    ['opt-nocontext-info.txt', /option-nocontext-info/],
    ['opt-raw.txt', /option-raw/],
  ])('says why %s cannot be used', async (name, message) => {
    await expect(importFixture(name)).rejects.toThrow(message);
    expect(folder.names().filter((file) => file.includes('partial'))).toEqual([]);
  });

  it('finds process and CPU behind any task name', async () => {
    const names = [
      '<idle>-0',
      'a b-1',
      '(sd-pam)-12',
      'kworker/u8:1-31',
      'x-1 [000] y-22',
      '[migration/0]-3',
    ];
    const lines = names.map((name, at) => {
      const ptr = `ffff88800000${String(at).padStart(4, '0')}`;
      return `${name.padStart(20)}     [00${at}] d..1.  1.00000${at}: ${KMALLOC.replace('ffff8b2888089f00', ptr)}`;
    });
    const { trace, skipped } = await importText(lines.join(''));
    expect(eventsOf(trace).map(({ cpu }) => cpu)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(skipped).toEqual({});
  });

  it('counts malformed, failed and unknown events and goes on', async () => {
    const bad = [
      'kmalloc: call_site=f ptr=zzzz bytes_req=64 bytes_alloc=64',
      'kmalloc: call_site=f ptr=0123456789abcdef bytes_req=64 bytes_alloc=64',
      'kmalloc: call_site=f ptr=ffff8b2888089f00 bytes_alloc=64',
      'kmalloc: call_site=f ptr=0000000000000000 bytes_req=64 bytes_alloc=64',
      'kmalloc: call_site=f ptr=ffff8b2888089f00 bytes_req=0 bytes_alloc=0',
      'alloc_vmap_area: va_start: 0 size=8192 align=1 vstart=0x0 vend=0x0 failed=1',
      'kstack_free: (put_task_stack+0x4/0xe0) pid=1 tgid=1 stack=0xffffd0f5401b4000 refs=2',
      'alloc: some other probe',
      'irq_handler_entry: irq=1 name=x',
      'no event at all',
    ];
    const text = bad.map((event) => `${head}${event}\n`).join('');
    const { trace, skipped } = await importText(`${text}rubbish\n\n${head}${KMALLOC}`);
    expect(trace.metadata.eventCount).toBe(1);
    expect(skipped).toEqual({
      'failed-alloc/kmem': 1,
      'failed-alloc/va': 1,
      'not-imported:alloc': 1,
      'not-imported:irq_handler_entry': 1,
      'stack-still-referenced/kstack': 1,
      'unparsed-line': 5,
      'zero-size-alloc/kmem': 1,
    });
    const rubbish = trace.metadata.skipped.find(({ reason }) => reason === 'unparsed-line')!;
    expect(rubbish.samples).toHaveLength(3);
  });

  it('takes module suffixes and unresolved call sites as they are', async () => {
    const sites = ['ext4_fname_free_filename+0x16/0x50 [ext4]', '0xffffffffc0123456'];
    const text = sites.map(
      (site, at) => `${head}${KMALLOC.replace('f+0x1/0x2', site).replace('9f00', `9f4${at}`)}`,
    );
    const { trace } = await importText(text.join(''));
    expect(trace.metadata.sites).toEqual(sites);
  });

  it('takes the slot of the slab for the size if it is told so', async () => {
    const text = head + KMALLOC.replace('bytes_alloc=64', 'bytes_alloc=96');
    const options = { kmemSize: 'allocated' } as const;
    const { trace } = await importInto(folder.path('f.arrow'), { text }, { options });
    expect(eventsOf(trace)[0]!.size).toBe(96);
  });

  it('knows stack areas by the thread size that it is given', async () => {
    const area =
      'alloc_vmap_area: va_start: 18446692350492147712 size=36864 align=32768 vstart=0x0 vend=0x0 failed=0\n';
    const options = { threadSize: 32_768, guardSize: 4096 };
    const { trace } = await importInto(folder.path('f.arrow'), { text: head + area }, { options });
    expect(trace.metadata.allocations).toEqual({ stackArea: 1 });
    expect((await importText(head + area)).trace.metadata.allocations).toEqual({ va: 1 });
  });

  it('gives the same file for plain, gzip and two gzip members, cut into any blocks', async () => {
    const gz = readFileSync(fixture('boot-kmem.txt.gz'));
    const plain = gunzipSync(gz);
    const wanted = rowsOf((await importFixture('boot-kmem.txt.gz')).trace);
    const members = Buffer.concat([gzipSync(plain.subarray(0, 9999)), gzipSync(plain.subarray(9999))]);
    for (const text of [plain, gz, members]) {
      const { trace } = await importInto(folder.path('g.arrow'), { text }, { blockRows: 7 });
      expect(rowsOf(trace)).toEqual(wanted);
    }
  });

  it('writes the same bytes twice', async () => {
    const files = ['one.arrow', 'two.arrow'].map((name) => folder.path(name));
    for (const file of files) await importInto(file, { path: fixture('boot-kva.txt') });
    expect(readFileSync(files[0]!).equals(readFileSync(files[1]!))).toBe(true);
  });
});

describe('statistics', () => {
  it('count populations and sizes by class', async () => {
    const free = 'kfree: call_site=g ptr=ffff8b2888089f00\n';
    const { trace } = await importText(
      head + KMALLOC + head + free + head + KMALLOC + head + free + head + free,
    );
    expect(traceStatistics(trace)).toMatchObject([
      {
        name: 'kmem',
        allocs: 2,
        frees: 2,
        freeUnknown: 1,
        freeNull: 0,
        allocOnLive: 0,
        liveAtEnd: 0,
        bytesAtEnd: 0,
        peakLive: 1,
        peakBytes: 64,
        distinctSizes: 1,
        topSizes: [[64, 2]],
      },
    ]);
  });

  it('give lifetimes of objects whose death was recorded', async () => {
    const at = (micros: number) => head.replace(/\d+\.\d+(?=: $)/, `7.${String(micros).padStart(6, '0')}`);
    const free = 'kfree: call_site=g ptr=ffff8b2888089f00\n';
    const lives = Array.from({ length: 100 }, (_, life) => at(200 * life) + KMALLOC + at(201 * life) + free);
    const object = KMALLOC.replace('kmalloc', 'kmem_cache_alloc');
    const unknownDeath = at(90_000) + object + at(99_000) + object;
    const [kmem] = traceStatistics((await importText(lives.join('') + unknownDeath)).trace);
    expect(kmem).toMatchObject({ allocs: 102, frees: 101, allocOnLive: 1 });
    expect(kmem!.lifeUs).toEqual([5, 25, 50, 75, 90, 99, 99]);
  });

  it('follow the population through equal shares of the time', async () => {
    const at = (seconds: string) => head.replace(/\d+\.\d+(?=: $)/, seconds);
    const kmalloc = (pointer: string) => KMALLOC.replace(/ptr=\w+/, `ptr=ffff8b288808${pointer}`);
    const free = (pointer: string) => `kfree: call_site=g ptr=ffff8b288808${pointer}\n`;
    const { trace } = await importText(
      [
        at('100.000000') + kmalloc('9f00'),
        at('111.000000') + kmalloc('9f40'),
        at('111.000001') + free('9f00'),
        at('200.000000') + free('9f40'),
      ].join(''),
    );
    const [kmem] = traceStatistics(trace);
    // Shares of 2 s: one object in all of them, two for a moment in the sixth.
    expect(kmem!.liveCurve).toEqual([...Array(5).fill(1), 2, ...Array(44).fill(1)]);
  });
});
