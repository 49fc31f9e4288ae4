import { readFileSync, writeFileSync } from 'node:fs';
import { tableFromArrays, tableFromIPC, tableToIPC } from 'apache-arrow';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InputError, MisuseError } from '../../src/core/errors.js';
import { openTrace, verifyDigest } from '../../src/trace/arrow-reader.js';
import { TraceWriter } from '../../src/trace/arrow-writer.js';
import { COLUMNS } from '../../src/trace/columns.js';
import { END_MARK_BYTES, sealTail } from '../../src/trace/seal.js';
import { DESCRIPTION, rowsOf, temporaryFolder } from './support.js';

const folder = temporaryFolder();

/** Random steps made into events that keep the rules: a live object is freed, a dead one allocated. */
const eventLists = fc
  .array(
    fc.record({
      step: fc.nat(2 ** 40),
      cpu: fc.nat(3),
      object: fc.nat(20),
      cls: fc.nat(6),
      size: fc.integer({ min: 1, max: 2 ** 50 }),
      constraint: fc.integer({ min: -1, max: 1 }),
      site: fc.integer({ min: -1, max: 1 }),
      address: fc.integer({ min: -1, max: Number.MAX_SAFE_INTEGER }),
    }),
    { maxLength: 200 },
  )
  .map((steps) => {
    const live = new Map<number, number[]>();
    let time = 0;
    return steps.map(({ step, cpu, object, cls, size, constraint, site, address }) => {
      time += step;
      const alive = live.get(object);
      if (alive === undefined) {
        const alloc = [time, cpu, 0, cls, object, size, constraint, site, address];
        live.set(object, alloc);
        return alloc;
      }
      live.delete(object);
      return [time, cpu, 1, alive[3]!, object, alive[5]!, -1, site, alive[8]!];
    });
  });

function write(name: string, rows: readonly number[][], blockRows: number): string {
  const path = folder.path(name);
  const writer = new TraceWriter(path, { blockRows, overwrite: true });
  for (const row of rows) writer.append(...(row as Parameters<TraceWriter['append']>));
  writer.finish(DESCRIPTION);
  return path;
}

const SMALL = [
  [0, 0, 0, 0, 0, 64, -1, 0, 100],
  [5, 1, 0, 2, 1, 4096, 0, -1, -1],
  [9, 3, 1, 0, 0, 64, -1, 1, 100],
];

describe('trace file', () => {
  it('gives back what was written, whatever the block size, with the same digest', () => {
    fc.assert(
      fc.property(
        eventLists,
        fc.integer({ min: 1, max: 70 }),
        fc.integer({ min: 1, max: 300 }),
        (rows, a, b) => {
          const first = openTrace(write('a.arrow', rows, a));
          const second = openTrace(write('b.arrow', rows, b));
          expect(rowsOf(first)).toEqual(rows);
          expect(rowsOf(second)).toEqual(rows);
          expect(first.metadata).toEqual(second.metadata);
          verifyDigest(first);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('says in its metadata what the events add up to', () => {
    const { metadata, constraints } = openTrace(write('small.arrow', SMALL, 2));
    expect(metadata).toMatchObject({ eventCount: 3, durationNs: 9, objectLimit: 2, cpuCount: 4 });
    expect(metadata.allocations).toEqual({ kmem: 1, va: 1 });
    expect(metadata.provenance).toEqual(DESCRIPTION.provenance);
    expect([...constraints.align]).toEqual([16384, 0]);
    expect([...constraints.minAddress]).toEqual([0, 2 ** 53 - 2 ** 31]);
    expect([...constraints.maxAddress]).toEqual([0, 2 ** 53]);
  });

  it('is an ordinary Arrow file without nullable columns', () => {
    const table = tableFromIPC(readFileSync(write('small.arrow', SMALL, 2)));
    expect(table.numRows).toBe(3);
    expect(table.batches.map((batch) => batch.numRows)).toEqual([2, 1]);
    expect(table.schema.fields.map(({ name, type, nullable }) => `${name} ${type} ${nullable}`)).toEqual([
      'timeNs Float64 false',
      'cpu Uint16 false',
      'op Uint8 false',
      'cls Uint8 false',
      'object Uint32 false',
      'size Float64 false',
      'constraint Int32 false',
      'site Int32 false',
      'address Float64 false',
    ]);
    expect(table.schema.metadata.has('kvabench')).toBe(true);
  });

  it('is also an Arrow stream behind its first eight bytes', () => {
    const bytes = readFileSync(write('small.arrow', SMALL, 2));
    expect(tableFromIPC(bytes.subarray(8)).numRows).toBe(3);
  });

  it('is read in blocks whose columns are views of the bytes that were read', () => {
    const [block] = [...openTrace(write('small.arrow', SMALL, 3)).blocks()];
    const buffers = new Set(COLUMNS.map(({ name }) => block![name].buffer));
    expect(buffers.size).toBe(1);
  });

  it('changes its digest with any column and with the tables', () => {
    const digests = new Set([openTrace(write('d.arrow', SMALL, 9)).metadata.digest]);
    const changes = [1, 1, undefined, undefined, undefined, 4, -1, -1, 4];
    changes.forEach((change, column) => {
      if (change === undefined) return;
      const rows = SMALL.map((row) => [...row]);
      rows[1]![column]! += change;
      digests.add(openTrace(write('d.arrow', rows, 9)).metadata.digest);
    });
    const writer = new TraceWriter(folder.path('d.arrow'), { overwrite: true });
    for (const row of SMALL) writer.append(...(row as Parameters<TraceWriter['append']>));
    digests.add(writer.finish({ ...DESCRIPTION, constraints: [{ align: 8192 }] }).digest);
    expect(digests.size).toBe(changes.filter((change) => change !== undefined).length + 2);
  });

  it('holds no event as well as many', () => {
    const trace = openTrace(write('empty.arrow', [], 5));
    expect(trace.metadata.eventCount).toBe(0);
    expect(rowsOf(trace)).toEqual([]);
  });
});

describe('trace writer', () => {
  const bad: [string, number[]][] = [
    ['time running backwards', [4, 0, 0, 0, 9, 64, -1, -1, -1]],
    ['a fraction of a nanosecond', [10.5, 0, 0, 0, 9, 64, -1, -1, -1]],
    ['no number', [Number.NaN, 0, 0, 0, 9, 64, -1, -1, -1]],
    ['size 0', [10, 0, 0, 0, 9, 0, -1, -1, -1]],
    ['size above 2^53', [10, 0, 0, 0, 9, 2 ** 54, -1, -1, -1]],
    ['a CPU that no column holds', [10, 65_536, 0, 0, 9, 64, -1, -1, -1]],
    ['an allocation of a live object', [10, 0, 0, 2, 1, 64, -1, -1, -1]],
    ['a free of a dead object', [10, 0, 1, 0, 0, 64, -1, -1, -1]],
    ['a free of another class', [10, 0, 1, 0, 1, 4096, -1, -1, -1]],
    ['an unknown class', [10, 0, 0, 200, 9, 64, -1, -1, -1]],
    ['an unknown operation', [10, 0, 2, 0, 9, 64, -1, -1, -1]],
  ];
  it.each(bad)('refuses %s', (_what, row) => {
    const writer = new TraceWriter(folder.path('bad.arrow'));
    for (const good of SMALL) writer.append(...(good as Parameters<TraceWriter['append']>));
    expect(() => writer.append(...(row as Parameters<TraceWriter['append']>))).toThrow(MisuseError);
    writer.discard();
    expect(folder.names().filter((name) => name.includes('bad'))).toEqual([]);
  });

  it('refuses events beyond its description', () => {
    const writer = new TraceWriter(folder.path('bad.arrow'));
    for (const good of SMALL) writer.append(...(good as Parameters<TraceWriter['append']>));
    expect(() => writer.finish({ ...DESCRIPTION, cpuCount: 3 })).toThrow(MisuseError);
    expect(() => writer.finish({ ...DESCRIPTION, constraints: [] })).toThrow(MisuseError);
    writer.discard();
  });

  it('leaves an existing file alone until the new one is complete', () => {
    const path = folder.path('kept.arrow');
    writeFileSync(path, 'old');
    expect(() => new TraceWriter(path)).toThrow(/kept\.arrow: the file exists; --force/);
    const writer = new TraceWriter(path, { overwrite: true });
    writer.append(0, 0, 0, 0, 0, 64, -1, -1, -1);
    expect(readFileSync(path, 'utf8')).toBe('old');
    writer.finish(DESCRIPTION);
    expect(openTrace(path).metadata.eventCount).toBe(1);
  });

  it('says so where it cannot write', () => {
    expect(() => new TraceWriter(folder.path('no/such/folder.arrow'))).toThrow(InputError);
  });
});

describe('broken trace files', () => {
  function broken(name: string, change: (bytes: Buffer) => Buffer): string {
    const path = folder.path(name);
    writeFileSync(path, change(readFileSync(write('whole.arrow', SMALL, 2))));
    return path;
  }
  /** Changes the footer and seals it again, as a writer with a bug would. */
  const replaced = (from: string, to: string) => (bytes: Buffer) => {
    const at = bytes.indexOf(from);
    expect(at).toBeGreaterThan(0);
    expect(to.length).toBe(from.length);
    bytes.write(to, at, 'latin1');
    sealTail(bytes.subarray(bytes.length - 10 - bytes.readInt32LE(bytes.length - 10) - END_MARK_BYTES));
    return bytes;
  };

  it('are reported with the file and what is wrong', () => {
    const cases: [string, RegExp][] = [
      [folder.path('missing.arrow'), /missing\.arrow: cannot read the trace: ENOENT/],
      [folder.path('.'), /cannot read the trace: not a regular file/],
      [broken('text.arrow', () => Buffer.from('hello, world, this is text')), /is no Arrow file/],
      [broken('nothing.arrow', () => Buffer.alloc(0)), /is no Arrow file/],
      [broken('magic.arrow', () => Buffer.from('ARROW1')), /is cut short/],
      [broken('cut.arrow', (bytes) => bytes.subarray(0, bytes.length - 20)), /is cut short/],
      [
        broken('hole.arrow', (bytes) => Buffer.concat([bytes.subarray(0, 40), bytes.subarray(-10)])),
        /footer claims/,
      ],
      [
        broken('lost.arrow', (bytes) => Buffer.concat([bytes.subarray(0, 8), bytes.subarray(16)])),
        /is damaged: \d+ bytes before the footer instead of \d+/,
      ],
      [broken('version.arrow', replaced('"formatVersion":1', '"formatVersion":7')), /version 7 .*allowed: 1/],
      [
        broken('json.arrow', replaced('{"formatVersion"', '["formatVersion"')),
        /kvabench: metadata is no JSON/,
      ],
      [broken('type.arrow', replaced('"cpuCount":4', '"cpuCount":[]'.slice(0, 12))), /metadata/],
      [
        broken('class.arrow', replaced('"allocations":{"kmem":1', '"allocations":{"cats":1')),
        /kvabench\.allocations: request class 'cats' is unknown to this program \(allowed: kmem, /,
      ],
      [broken('negative.arrow', replaced('"objectLimit":2', '"objectLimi":22')), /metadata must have/],
    ];
    for (const [path, message] of cases) {
      expect(() => openTrace(path), path).toThrow(InputError);
      expect(() => openTrace(path), path).toThrow(message);
    }
  });

  it('include Arrow files that are no traces, and traces that another program wrote again', () => {
    const path = folder.path('foreign.arrow');
    writeFileSync(path, tableToIPC(tableFromArrays({ a: [1, 2] }), 'file'));
    expect(() => openTrace(path)).toThrow(/is an Arrow file but no trace/);
    const table = tableFromIPC(readFileSync(write('whole.arrow', SMALL, 2)));
    writeFileSync(path, tableToIPC(table, 'file'));
    expect(() => openTrace(path)).toThrow(/is damaged, or was written again by another program/);
  });

  it('are found out by their digest if events are not those of the metadata', () => {
    const { digest } = openTrace(write('whole.arrow', SMALL, 2)).metadata;
    const other = digest.replace(/^./, (first) => (first === '0' ? '1' : '0'));
    const changed = broken('digest.arrow', replaced(digest, other));
    expect(() => verifyDigest(openTrace(changed))).toThrow(/the events were changed/);
  });

  it('include a trace that was replaced after it was opened', () => {
    const path = write('replaced.arrow', SMALL, 2);
    const trace = openTrace(path);
    write('replaced.arrow', [[1, ...SMALL[0]!.slice(1)], ...SMALL.slice(1)], 2);
    expect(() => rowsOf(trace)).toThrow(/is damaged within bytes/);
  });
});
