import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { AddressSpace } from '../../src/core/address.js';
import { RequestClass } from '../../src/core/request.js';
import type { Trace } from '../../src/trace/trace.js';
import { sharedPath } from '../support/shared.js';
import { eventsOf, importInto, temporaryFolder } from './support.js';

const folder = temporaryFolder();
const importText = (text: string, format?: string) =>
  importInto(folder.path('t.arrow'), { text }, format === undefined ? {} : { format });
const importerOf = ({ metadata }: Trace) => metadata.provenance.importer;
const addressOf = (address: number) => AddressSpace.canonical.format(address);

describe('trace-cmd importer', () => {
  const lines = [
    'cpus=2',
    'CPU 1 is empty',
    '       trace-cmd-394   [000]    30.544337: kmem_cache_alloc:     (getname+0x26) call_site=getname+0x26 ptr=0xffff8bfa40c46000 bytes_req=4096 bytes_alloc=4096 gfp_flags=GFP_KERNEL node=-1',
    'inst:        sh-381   [001]    30.544340: alloc_vmap_area:      va_start: 18446694129689935872 size=20480 align=16384 vstart=0xffffd29380000000 vend=0xfffff2937fffffff failed=0',
    'inst:        a b-381   [001]    30.544341: kfree:                (f+0x10) call_site=f+0x10 ptr=(nil)',
    'CPU:1 [LOST 7 EVENTS]',
    'CPU:0 [3 EVENTS DROPPED]',
    '            sh-381   [001]    30.544350: kmem_cache_free:       call_site=g+0x1 ptr=0xffff8bfa40c46000 name=names_cache',
    'what is this',
  ];

  it('reads lines with instance, padding and repeated call sites', async () => {
    const { report, trace, skipped } = await importText(`${lines.join('\n')}\n`);
    expect(importerOf(trace)).toBe('trace-cmd 1');
    expect(report.cpuCount).toBe(2);
    expect(report.events).toEqual({ kmem_cache_alloc: 1, alloc_vmap_area: 1, kfree: 1, kmem_cache_free: 1 });
    const [object, area, free] = eventsOf(trace);
    expect(object).toMatchObject({ cls: RequestClass.kmem, size: 4096, cpu: 0, timeNs: 0 });
    expect(area).toMatchObject({ cls: RequestClass.stackArea, size: 20480, cpu: 1, timeNs: 3000 });
    expect(addressOf(area!.address)).toBe('0xffffd2938073c000');
    expect(free).toMatchObject({ op: 1, object: object!.object, timeNs: 13_000 });
    expect(trace.metadata.sites).toEqual(['getname+0x26', 'g+0x1']);
    expect(skipped).toEqual({ 'free-of-null/kmem': 1, 'lost-events': 10, 'unparsed-line': 1 });
  });
});

describe('perf script importer', () => {
  const event = 'kmem:kmalloc: call_site=f+0x25 ptr=0xffff8f2249bfb030 bytes_req=8 bytes_alloc=8';
  const free = 'kmem:kfree: call_site=g+0x2 ptr=0xffff8f2249bfb030';

  it.each([
    ['as it is by default', '        perf   384 [001]    22.427591: '],
    ['without a CPU', '        perf   384    22.427591: '],
    ['with process and thread, and nanoseconds', '     swapper     0/384     [001]    22.427591420: '],
    ['behind any name', ' kworker/0:1 12 [x   384 [001]    22.427591: '],
    ['with a call chain to follow', 'perf   384 [001]    22.427591: '],
  ])('reads a line %s', async (_what, head) => {
    const stack = '\tffffffff881d39bd __kmalloc+0x28d ([kernel.kallsyms])\n\n';
    const { trace, skipped } = await importText(
      `# nrcpus avail : 4\n${head}${event}\n${stack}${head}${free}\n`,
    );
    expect(importerOf(trace)).toBe('perf-script 1');
    expect(trace.metadata.cpuCount).toBe(4);
    expect(eventsOf(trace)).toMatchObject([
      { op: 0, size: 8, cpu: head.includes('[001]') ? 1 : 0 },
      { op: 1, size: 8 },
    ]);
    expect(addressOf(eventsOf(trace)[0]!.address)).toBe('0xffff8f2249bfb030');
    expect(skipped).toEqual({ 'stack-trace': 1 });
  });

  it('counts what perf lost, other events and what is no line of it', async () => {
    const head = '        perf   384 [001]    22.427591: ';
    const text = [
      `${head}${event}`,
      `${head}PERF_RECORD_LOST lost 12`,
      `${head}sched:sched_switch: prev_comm=a`,
      `${head}kmem:kfree: call_site=g ptr=(nil)`,
      'rubbish',
    ];
    const { skipped } = await importText(`${text.join('\n')}\n`);
    expect(skipped).toEqual({
      'free-of-null/kmem': 1,
      'lost-events': 12,
      'not-imported:sched_switch': 1,
      'unparsed-line': 1,
    });
  });
});

const ftracePath = sharedPath('traces/formats/capture1/ftrace.txt.gz');

/** Stamp of a line in microseconds, NaN where it has none. */
const stampOf = (line: string) => Number(/ (\d+\.\d{6}): /.exec(line)?.[1]?.replace('.', '') ?? Number.NaN);

function window(file: string, from: number, to: number): string {
  const lines = gunzipSync(readFileSync(sharedPath(`traces/formats/${file}`)!))
    .toString('latin1')
    .split('\n');
  const kept = lines.filter(
    (line) => line.startsWith('cpus=') || (stampOf(line) >= from && stampOf(line) <= to),
  );
  return `${kept.join('\n')}\n`;
}

/** Every event with what it asks for and gets, in no order: the tools sort those of one microsecond differently. */
async function operations(
  text: string,
): Promise<{ events: Readonly<Record<string, number>>; list: string[] }> {
  const { report, trace } = await importText(text);
  const list = eventsOf(trace).map(({ op, cls, size, address }) => `${op} ${cls} ${size} ${address}`);
  return { events: report.events, list: list.sort() };
}

describe.skipIf(ftracePath === undefined)('one window by three tools (needs ../shared)', () => {
  it.each([
    ['capture1', 34_144_540, 35_696_442, 11_595],
    ['capture3', 36_504_475, 37_842_020, 15_597],
  ])('gives one list of operations: %s', async (capture, from, to, perfBehind) => {
    const ftrace = await operations(window(`${capture}/ftrace.txt.gz`, from, to));
    const perf = await operations(
      window(`${capture}/perf.script.txt.gz`, from - perfBehind - 1, to - perfBehind + 1),
    );
    const traceCmd = await operations(window(`${capture}/trace-cmd.report.txt.gz`, from, to));
    for (const other of [perf, traceCmd]) {
      for (const [name, count] of Object.entries(ftrace.events)) {
        expect(Math.abs(other.events[name]! - count), name).toBeLessThanOrEqual(7);
      }
      const theirs = new Set(other.list);
      expect(ftrace.list.filter((operation) => !theirs.has(operation)).length).toBeLessThanOrEqual(8);
      expect(Math.abs(other.list.length - ftrace.list.length)).toBeLessThanOrEqual(8);
    }
  });
});
