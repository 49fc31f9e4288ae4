import { describe, expect, it } from 'vitest';
import { RequestClass } from '../../src/core/request.js';
import { sharedPath } from '../support/shared.js';
import { eventsOf, importInto, temporaryFolder } from './support.js';

const folder = temporaryFolder();
const importText = (text: string) => importInto(folder.path('t.arrow'), { text });

const LINES = [
  '100 1 560 bpftrace kmalloc 0xffff8f2241ac19c0 72 96',
  '150 1 560 bpftrace kmalloc 0xffff8f2241b88000 25368 32768',
  '160 1 560 bpftrace kmalloc 0xffff8f2241b88000 25368 32768',
  '200 0 7 a kfree b kmem_cache_alloc 0xffff8f2241ac2000 8 8',
  '300 0 7 a kfree b kfree 0xffff8f2241ac19c0',
  '310 0 7 sh kfree 0x0',
  '400 0 7 sh alloc_vmap_area 0xffffd29380000000 20480 16384',
  '410 0 7 sh free_vmap_area_noflush 0xffffd29380000000',
  '420 0 7 sh mm_page_alloc 0x10b121 2',
  '430 0 7 sh mm_page_free 0x10b121',
];
const asText = (lines: readonly string[]) => `Attaching 8 probes...\n${lines.join('\n')}\n`;
const asJson = (lines: readonly string[]) => {
  const objects = lines.map((line) => `{"type": "printf", "data": "${line}\\n"}\n`);
  return `{"type": "attached_probes", "data": {"probes": 8}}\n${objects.join('')}`;
};

describe.each([
  ['bpftrace', asText, ['Lost 4 events', '@sz[64]: 1', '5 6 7 sh something 0x1']],
  [
    'bpftrace-json',
    asJson,
    [
      '{"type": "lost_events", "data": {"events": 4}}',
      '{"type": "map", "data": {"@sz": {"64": 1}}}',
      '{"type": "printf", "data": "x\\n"}',
    ],
  ],
])('%s importer', (name, form, others) => {
  it('reads events of every class behind any name', async () => {
    const { report, trace, skipped } = await importText(form(LINES));
    expect(trace.metadata.provenance.importer).toBe(`${name} 1`);
    expect(trace.metadata).toMatchObject({ origin: '100', clock: 'nanoseconds since boot', cpuCount: 2 });
    expect(eventsOf(trace).map(({ timeNs, op, cls, size }) => [timeNs, op, cls, size])).toEqual([
      [0, 0, RequestClass.kmem, 72],
      [50, 0, RequestClass.kmem, 25368],
      [100, 0, RequestClass.kmem, 8],
      [200, 1, RequestClass.kmem, 72],
      [300, 0, RequestClass.stackArea, 20480],
      [310, 1, RequestClass.stackArea, 20480],
      [320, 0, RequestClass.page, 16384],
      [330, 1, RequestClass.page, 16384],
    ]);
    expect(report.events).toMatchObject({ kmalloc: 3, kfree: 2, mm_page_free: 1 });
    expect(skipped).toEqual({ 'doubled-alloc/kmem': 1, 'free-of-null/kmem': 1 });
  });

  it('counts lost events, maps and what is no event', async () => {
    const { skipped } = await importText(`${form(LINES.slice(0, 1))}${others.join('\n')}\ncut here`);
    expect(skipped).toEqual({ 'lost-events': 4, 'bpftrace-map': 1, 'unparsed-line': 1, 'cut-last-line': 1 });
  });
});

describe.skipIf(sharedPath('traces/formats') === undefined)(
  'recorded bpftrace files (needs ../shared)',
  () => {
    it.each([
      ['capture1/bpftrace.text.gz', 15_297],
      ['capture1/bpftrace.json.gz', 11_234],
      ['capture3/bpftrace.text.gz', undefined],
      ['capture3/bpftrace.json.gz', undefined],
    ])('%s', async (file, lines) => {
      const path = sharedPath(`traces/formats/${file}`)!;
      const { report, skipped } = await importInto(folder.path('t.arrow'), { path });
      const events = Object.values(report.events).reduce((sum, count) => sum + count, 0);
      expect(skipped['unparsed-line'] ?? 0).toBe(0);
      expect(report.lines - events).toBeLessThanOrEqual(2);
      if (lines !== undefined) expect(report.lines).toBe(lines);
    });
  },
);
