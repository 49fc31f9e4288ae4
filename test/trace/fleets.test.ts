import { readFileSync, writeFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { RequestClass } from '../../src/core/request.js';
import { GIB, MIB } from '../../src/core/units.js';
import { traceStatistics } from '../../src/trace/statistics.js';
import { sharedPath } from '../support/shared.js';
import { eventsOf, importInto, temporaryFolder } from './support.js';

const folder = temporaryFolder();
const out = () => folder.path('t.arrow');

function file(name: string, text: string): string {
  writeFileSync(folder.path(name), text);
  return folder.path(name);
}

describe('azure-v1 importer', () => {
  const flavours = '600 a,|,b,b,|,\n900 a,|,\n1200 z,|,\n';
  const companions = () => [
    file('bins.txt', '0 0\n300 1\n600 1\n900 2\n1200 2\n'),
    file('lifetimes.txt', '600 U0,|,U1,C2,|,\n900 U1,|,\n1200 U1,|,\n'),
    file('flavours.txt', '1,0.75 a\n1,1.75 b\n'),
  ];

  it('joins flavours and lifetimes, in the middle of their bins', async () => {
    const { trace, skipped } = await importInto(out(), { text: flavours }, { companions: companions() });
    const guests = eventsOf(trace).map(({ timeNs, op, cls, size }) => [timeNs / 1e9, op, cls, size / GIB]);
    const { guest } = RequestClass;
    // Lifetimes of bin 0 are 150 s, of bin 1, from 300 s to 900 s, 600 s.
    expect(guests).toEqual([
      [0, 0, guest, 0.75],
      [0, 0, guest, 1.75],
      [0, 0, guest, 1.75],
      [150, 1, guest, 0.75],
      [300, 0, guest, 0.75],
      [600, 1, guest, 1.75],
      [900, 1, guest, 0.75],
    ]);
    expect(trace.metadata.origin).toBe('600');
    expect(trace.metadata.provenance.options.with).toBe('bins.txt lifetimes.txt flavours.txt');
    expect(skipped).toEqual({ 'unparsed-guest': 1 });
  });

  it('draws the point within a bin from a seed', async () => {
    const ends = async (seed: number) => {
      const request = { companions: companions(), options: { seed } };
      const { trace } = await importInto(out(), { text: flavours }, request);
      return eventsOf(trace)
        .filter(({ op }) => op === 1)
        .map(({ timeNs }) => timeNs);
    };
    const first = await ends(7);
    expect(await ends(7)).toEqual(first);
    expect(await ends(8)).not.toEqual(first);
    expect(first[0]).toBeGreaterThanOrEqual(0);
    expect(Math.max(...first)).toBeLessThan(1200e9);
  });

  it('says which file is missing', async () => {
    const request = { companions: companions().slice(0, 2) };
    await expect(importInto(out(), { text: flavours }, request)).rejects.toThrow(
      /--with: needs the flavours .* beside it, once; it was given 0 times/,
    );
  });

  it('uses no bin whose lifetimes belong to another one', async () => {
    const text = '600 a,|,b,b,|,\n901 a,|,\n';
    const { skipped } = await importInto(out(), { text }, { companions: companions() });
    expect(skipped).toEqual({ 'lifetimes-without-flavours': 1, 'unparsed-line': 1 });
  });
});

describe('alibaba importers', () => {
  const openb =
    'name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,qos,pod_phase,creation_time,deletion_time,scheduled_time\n';
  const dlrm = 'instance_sn,role,memory_request,creation_time,scheduled_time,deletion_time\n';

  it('reads pods, departures before arrivals of the same second', async () => {
    const rows = [
      'a,1,1024,0,0,,LS,Running,5,9,5',
      'b,1,2048,0,0,"x,y",LS,Running,9,9,9',
      'c,1,4096,0,0,,LS,Failed,9,12,9',
      'd,1,0,0,0,,LS,Failed,9,12,9',
      'e,1,8,0,0,,LS,Failed,9,8,9',
      'f,1,x,0,0,,LS,Failed,9,12,9',
    ];
    const { trace, skipped } = await importInto(out(), { text: `${openb}${rows.join('\n')}\n` });
    expect(trace.metadata.provenance.importer).toBe('alibaba-openb 2');
    expect(eventsOf(trace).map(({ timeNs, op, size }) => [timeNs / 1e9, op, size / MIB])).toEqual([
      [0, 0, 1024],
      [4, 1, 1024],
      [4, 0, 2048],
      [4, 1, 2048],
      [4, 0, 4096],
      [7, 1, 4096],
    ]);
    expect(skipped).toEqual({ 'zero-size-alloc': 1, 'end-before-start': 1, 'unparsed-line': 1 });
  });

  it('puts instances of before at the beginning and lets others outlive the recording', async () => {
    const rows = ['a,HN,120.0,,,', 'b,HN,40.0,100.0,100.0,', 'c,CN,2.5,,,50.5'];
    const { trace } = await importInto(out(), { text: `${dlrm}${rows.join('\n')}\n` });
    expect(trace.metadata.origin).toBe('50.5');
    expect(eventsOf(trace).map(({ timeNs, op, size }) => [timeNs / 1e9, op, size / GIB])).toEqual([
      [0, 0, 120],
      [0, 0, 2.5],
      [0, 1, 2.5],
      [49.5, 0, 40],
    ]);
  });
});

describe.skipIf(sharedPath('traces/vm') === undefined)('published fleets (needs ../shared)', () => {
  const vm = (name: string) => sharedPath(`traces/vm/${name}`)!;

  it('azure-v1, dev split', async () => {
    const companions = [
      'azure-v1.dev.c2100000.txt.gz',
      'azure-v1.flav_map.txt',
      'azure-v1.v1.interval_map.txt',
    ].map(vm);
    const { trace } = await importInto(out(), { path: vm('azure-v1.dev.txt.gz') }, { companions });
    const [guests] = traceStatistics(trace);
    expect(guests).toMatchObject({ allocs: 259_159, frees: 244_842, liveAtEnd: 14_317, distinctSizes: 14 });
    const sizes = new Map(guests!.topSizes);
    expect([1.75, 3.5, 7, 14, 0.75, 56].map((gib) => sizes.get(gib * GIB))).toEqual([
      156_437, 48_008, 25_700, 23_364, 4_108, 1_427,
    ]);
    // The facts say about 20,300 and 112,800 GB, with middles of bins of their own.
    expect(Math.abs(guests!.peakLive / 20_300 - 1)).toBeLessThan(0.02);
    expect(Math.abs(guests!.peakBytes / GIB / 112_800 - 1)).toBeLessThan(0.02);
  });

  it('alibaba openb', async () => {
    const path = vm('alibaba-openb_pod_list_default.even-rows.csv.gz');
    await expect(importInto(out(), { path })).rejects.toThrow(
      /lasts 150 days, a trace at most 104: --speed-up/,
    );
    const { trace } = await importInto(out(), { path }, { options: { speedUp: 1000 } });
    const [pods] = traceStatistics(trace);
    expect(pods).toMatchObject({ allocs: 4_076, frees: 4_076, distinctSizes: 54, peakLive: 30 });
    expect(
      pods!.topSizes
        .slice(0, 2)
        .map(([size]) => size / MIB)
        .sort(),
    ).toEqual([49_152, 5_600]);
    expect((pods!.peakBytes / MIB / 1e6).toFixed(2)).toBe('1.40');
  });

  it('alibaba DLRM', async () => {
    const path = vm('alibaba-disaggregated_DLRM_trace.even-apps.csv.gz');
    const { trace } = await importInto(out(), { path });
    const [instances] = traceStatistics(trace);
    const rows = gunzipSync(readFileSync(path)).toString().trim().split('\n').length - 1;
    expect(rows).toBe(13_624);
    expect(instances).toMatchObject({ allocs: rows, frees: 6_728 + 1_577, distinctSizes: 24 });
    expect(instances!.liveAtEnd).toBe(2_370 + 2_949);
  });
});
