import { describe, expect, it } from 'vitest';
import { RequestClass } from '../../src/core/request.js';
import { traceStatistics } from '../../src/trace/statistics.js';
import { sharedPath } from '../support/shared.js';
import { eventsOf, importInto, temporaryFolder } from './support.js';

const folder = temporaryFolder();
const importText = (lines: readonly string[]) =>
  importInto(folder.path('t.arrow'), { text: lines.join('\n') });

describe('mtrace importer', () => {
  it('reads allocations, frees and reallocs, with callers that hold spaces', async () => {
    const { report, trace, skipped } = await importText([
      '= Start',
      '@ prog:(make thing+10)[0x6f930] + 0x55dd128cf4a0 0xeb8',
      '@ prog:(main+1)[0x1] + 0x55dd128d0360 0x8',
      '@ prog:(grow)[0x2] < 0x55dd128d0360',
      '@ prog:(grow)[0x2] > 0x55dd128d1350 0x10',
      '@ prog:(main+9)[0x3] - 0x55dd128cf4a0',
      '@ prog:(main+9)[0x3] ! 0x55dd128d1350 0xffffff',
      '@ prog:(main+9)[0x3] + 0x55dd128d2000 0',
      '= End',
      '',
    ]);
    expect(trace.metadata.provenance.importer).toBe('mtrace 1');
    expect(eventsOf(trace).map(({ timeNs, op, size, address }) => [timeNs, op, size, address])).toEqual([
      [2, 0, 0xeb8, 0x55dd128cf4a0],
      [3, 0, 8, 0x55dd128d0360],
      [5, 1, 8, 0x55dd128d0360],
      [5, 0, 16, 0x55dd128d1350],
      [6, 1, 0xeb8, 0x55dd128cf4a0],
      [8, 0, 1, 0x55dd128d2000],
    ]);
    expect(eventsOf(trace).every(({ cls }) => cls === RequestClass.malloc)).toBe(true);
    expect(trace.metadata.sites[0]).toBe('prog:(make thing+10)[0x6f930]');
    expect(report.events).toEqual({ '+': 3, '-': 1, '<': 1, '>': 1, '!': 1 });
    expect(skipped).toEqual({ 'failed-alloc': 1, 'zero-size-as-one-byte': 1 });
  });

  it('uses no line that was cut, nor half a realloc', async () => {
    const { trace, skipped } = await importText([
      '= Start',
      '@ p:[0x1] + 0x55dd128cf4a0 0x10',
      'printed by somebody else',
      '@ p:[0x1] > 0x55dd128cf4b0 0x10',
      '@ p:[0x1] < 0x55dd128cf4a0',
      '@ p:[0x1] > 0x55dd',
    ]);
    expect(eventsOf(trace)).toHaveLength(1);
    expect(skipped).toEqual({ 'cut-last-line': 1, 'incomplete-realloc': 1, 'unparsed-line': 2 });
  });
});

describe.skipIf(sharedPath('traces/mtrace') === undefined)('recorded mtrace files (needs ../shared)', () => {
  it.each([
    ['sqlite3', 18_613, 18_613, 7_622, 1_000_240, 0, 0],
    ['perl', 108_612, 92_803, 12_420, 8_708_270, 15_809, 0],
    ['perl-killed', 4_178, 770, 1_417, 594_205, 3_408, 1],
  ])('%s', async (name, allocations, frees, reallocs, peakBytes, liveAtEnd, cut) => {
    const path = sharedPath(`traces/mtrace/${name}.mtrace.gz`)!;
    const { report, trace, skipped } = await importInto(folder.path('t.arrow'), { path });
    expect(report.events).toMatchObject({ '+': allocations, '-': frees, '<': reallocs });
    const [malloc] = traceStatistics(trace);
    expect(malloc).toMatchObject({ peakBytes, liveAtEnd, freeUnknown: 0, allocOnLive: 0 });
    expect(skipped['cut-last-line'] ?? 0).toBe(cut);
    expect(skipped['unparsed-line'] ?? 0).toBe(0);
  });
});
