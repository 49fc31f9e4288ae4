import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { parquetMetadata, parquetReadObjects } from 'hyparquet';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { describe, expect, it } from 'vitest';
import { RequestClass, RequestOp } from '../../src/core/request.js';
import { openTrace } from '../../src/trace/arrow-reader.js';
import { TraceWriter } from '../../src/trace/arrow-writer.js';
import { writeTraceParquet } from '../../src/trace/parquet-writer.js';
import { runCli } from '../support/run-cli.js';
import { DESCRIPTION, eventsOf, fixture, importInto, rowsOf, temporaryFolder } from './support.js';

const folder = temporaryFolder();

/** Converts and returns the path of the outcome. */
async function converted(input: string, name: string): Promise<string> {
  const out = folder.path(name);
  expect(await runCli(['trace', 'convert', input, '--out', out, '--force'])).toMatchObject({
    exitCode: 0,
    stderr: '',
  });
  return out;
}

async function boot(): Promise<string> {
  await importInto(folder.path('boot.arrow'), { path: fixture('boot-kva.txt') });
  return folder.path('boot.arrow');
}

/** A trace of three blocks with the greatest and the least values of its columns. */
function wideTrace(): string {
  const path = folder.path('wide.arrow');
  const writer = new TraceWriter(path, { overwrite: true, blockRows: 4 });
  for (let object = 0; object < 5; object++) {
    const address = object % 2 === 0 ? -1 : 2 ** 53 - 4096;
    writer.append(
      2 ** 53 - 9 + object,
      object % 4,
      RequestOp.alloc,
      RequestClass.va,
      object,
      2 ** 52,
      1,
      -1,
      address,
    );
  }
  for (let object = 0; object < 5; object++) {
    writer.append(2 ** 53 - 2, 3, RequestOp.free, RequestClass.va, object, 2 ** 52, -1, 1, -1);
  }
  writer.finish(DESCRIPTION);
  return path;
}

describe('kvabench trace convert and Parquet', () => {
  it.each(['boot-kva.txt', 'boot-kmem.txt.gz', 'marker.txt'])(
    'gives the same trace of %s back, byte by byte',
    async (name) => {
      await importInto(folder.path('whole.arrow'), { path: fixture(name) });
      const parquet = await converted(folder.path('whole.arrow'), 'whole.parquet');
      const back = await converted(parquet, 'back.arrow');
      expect(readFileSync(back).equals(readFileSync(folder.path('whole.arrow')))).toBe(true);
    },
  );

  it('keeps the extremes of each column over several row groups', async () => {
    const wide = wideTrace();
    const parquet = await converted(wide, 'wide.parquet');
    const { row_groups } = parquetMetadata(new Uint8Array(readFileSync(parquet)));
    expect(row_groups.map(({ num_rows }) => Number(num_rows))).toEqual([4, 4, 2]);
    const back = openTrace(await converted(parquet, 'wide-back.arrow'));
    expect(rowsOf(back)).toEqual(rowsOf(openTrace(wide)));
    expect(back.metadata).toEqual(openTrace(wide).metadata);
  });

  it('can be read by others: columns under their names, metadata under the key of the Arrow file', async () => {
    const trace = openTrace(await boot());
    const bytes = new Uint8Array(readFileSync(await converted(trace.path, 'boot.parquet')));
    expect(await parquetReadObjects({ file: bytes.buffer })).toEqual(eventsOf(trace));
    const { key_value_metadata, schema } = parquetMetadata(bytes);
    const text = key_value_metadata!.find(({ key }) => key === 'kvabench')!.value!;
    expect(JSON.parse(text)).toEqual(trace.metadata);
    expect(schema.slice(1).every(({ repetition_type }) => repetition_type === 'REQUIRED')).toBe(true);
  });

  it('writes to the names that say what they hold only, and never over its input', async () => {
    const trace = await boot();
    const parquet = await converted(trace, 'boot.parquet');
    const cases: [string, string, RegExp][] = [
      [trace, 'boot.txt', /--out: a trace becomes CSV or Parquet \(allowed: \*\.csv, \*\.parquet\)\n$/],
      [parquet, 'boot.csv', /--out: CSV and Parquet become a trace \(allowed: \*\.arrow\)\n$/],
      [parquet, 'boot.arrow', /the file exists; --force replaces it\n$/],
      [trace, 'nowhere/boot.parquet', /cannot write the trace: ENOENT: no such file or directory\n$/],
    ];
    for (const [input, out, message] of cases) {
      const result = await runCli(['trace', 'convert', input, '--out', folder.path(out)]);
      expect(result).toMatchObject({ exitCode: 1, stderr: expect.stringMatching(message) });
    }
    copyFileSync(parquet, folder.path('self.dat'));
    const self = ['trace', 'convert', folder.path('self.dat'), '--out', folder.path('self.dat'), '--force'];
    expect((await runCli(self)).stderr).toMatch(/would replace the recording it is made from\n$/);
  });
});

describe('a Parquet file that is no sound trace is refused', () => {
  async function refusal(bytes: Uint8Array): Promise<string> {
    writeFileSync(folder.path('bad.parquet'), bytes);
    const words = ['trace', 'convert', folder.path('bad.parquet'), '--out', folder.path('never.arrow')];
    const { exitCode, stderr } = await runCli(words);
    expect(exitCode).toBe(1);
    expect(stderr.match(/\n/g)).toHaveLength(1);
    expect(folder.names().filter((name) => name.includes('never'))).toEqual([]);
    return stderr;
  }

  /** Parquet of a trace that says something untrue of itself. */
  async function resealed(untrue: object): Promise<Buffer> {
    const trace = openTrace(await boot());
    const metadata = { ...trace.metadata, ...untrue };
    await writeTraceParquet({ ...trace, metadata }, folder.path('untrue.parquet'), true);
    return readFileSync(folder.path('untrue.parquet'));
  }

  it('with any one byte changed, or cut off anywhere', async () => {
    const whole = readFileSync(await converted(wideTrace(), 'wide.parquet'));
    for (let at = 0; at < whole.length; at += 31) {
      const changed = Buffer.from(whole);
      changed[at]! ^= 1 << (at % 8);
      // Without its magic at the beginning the file is taken for CSV.
      expect(await refusal(changed)).toMatch(
        at < 4 ? /is no trace as CSV/ : /is damaged|is cut short|no seal/,
      );
      expect(await refusal(whole.subarray(0, at))).toMatch(
        /is cut short|is damaged|is empty|is no trace as CSV|last line/,
      );
    }
  }, 300_000);

  it('of another schema, or of another version', async () => {
    const foreign = parquetWriteBuffer({ columnData: [{ name: 'size', data: [1, 2, 3], type: 'INT32' }] });
    expect(await refusal(new Uint8Array(foreign))).toMatch(/is a Parquet file but no trace: .* no seal/);
    expect(await refusal(await resealed({ formatVersion: 9 }))).toMatch(
      /trace format version 9 is unknown to this program \(allowed: 1\)/,
    );
  });

  it('of other events than its digest says, or none of the rules', async () => {
    expect(await refusal(await resealed({ digest: '0'.repeat(64) }))).toMatch(
      /the events were changed: their digest is [0-9a-f]{64} \(allowed: 0{64}\)\n$/,
    );
    expect(await refusal(await resealed({ cpuCount: 0 }))).toMatch(/events exceed the description/);
  });
});
