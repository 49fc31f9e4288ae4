import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, beforeAll } from 'vitest';
import { openTrace, verifyDigest } from '../../src/trace/arrow-reader.js';
import type { TraceDescription } from '../../src/trace/arrow-writer.js';
import { COLUMNS } from '../../src/trace/columns.js';
import { type ImportReport, type ImportRequest, importTrace } from '../../src/trace/import.js';
import type { Trace } from '../../src/trace/trace.js';
import { repositoryRoot } from '../support/shared.js';

/** A folder for the files of one test file, removed afterwards. */
export function temporaryFolder(): { path(name: string): string; names(): string[] } {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'kvabench-test-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return { path: (name) => join(folder, name), names: () => readdirSync(folder).sort() };
}

export function fixture(name: string): string {
  return join(repositoryRoot, 'test/trace/fixtures', name);
}

export const DESCRIPTION: TraceDescription = {
  name: 'test',
  provenance: {
    source: 'none',
    sourceDigest: '',
    importer: 'test 1',
    options: { answer: 42 },
    capture: '',
    licence: '',
    tool: 'kvabench test',
  },
  origin: '0',
  clock: 'seconds',
  cpuCount: 4,
  skipped: [],
  sites: ['a+0x1', 'b+0x2'],
  constraints: [{ align: 16384 }, { minAddress: '0xffffffff80000000', maxAddress: '0x10000000000000000' }],
};

/** All rows of a trace as arrays in the order of COLUMNS. */
export function rowsOf(trace: Trace): number[][] {
  const rows: number[][] = [];
  for (const block of trace.blocks()) {
    for (let row = 0; row < block.length; row++) rows.push(COLUMNS.map(({ name }) => block[name][row]!));
  }
  return rows;
}

/** Events as objects of the columns that a test is about. */
export function eventsOf(trace: Trace): Record<(typeof COLUMNS)[number]['name'], number>[] {
  const names = COLUMNS.map(({ name }) => name);
  return rowsOf(trace).map(
    (row) => Object.fromEntries(names.map((name, index) => [name, row[index]!])) as never,
  );
}

/** Imports `input` (a path, or a text as standard input), checks the digest, and returns what came out. */
export async function importInto(
  output: string,
  input: { path: string } | { text: string | Buffer },
  request: Partial<ImportRequest> = {},
): Promise<{ report: ImportReport; trace: Trace; skipped: Record<string, number> }> {
  const report = await importTrace({
    input: 'path' in input ? input.path : '-',
    stdin: Readable.from('path' in input ? [] : [input.text]),
    output,
    overwrite: true,
    tool: 'kvabench test',
    ...request,
  });
  const trace = openTrace(output);
  verifyDigest(trace);
  const skipped = report.metadata.skipped.map(({ reason, cls, count }): [string, number] => [
    cls === '' ? reason : `${reason}/${cls}`,
    count,
  ]);
  return { report, trace, skipped: Object.fromEntries(skipped) };
}

/** Most bytes of a block of zstd. */
export const ZSTD_BLOCK_BYTES = 128 * 1024;

/** A block of zstd (RFC 8878, section 3.1.1.2), made here because Node.js 20 cannot. */
export function zstdBlock(type: 'raw' | 'repeated', content: Buffer, size: number, last: boolean): Buffer {
  const header = Buffer.alloc(3);
  header.writeUIntLE((size << 3) | (type === 'raw' ? 0 : 2) | (last ? 1 : 0), 0, 3);
  return Buffer.concat([header, content]);
}

/** A zstd frame of a window of 128 MiB (RFC 8878, section 3.1.1). */
export function zstdFrame(blocks: readonly Buffer[], checksum?: Buffer): Buffer {
  const header = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, checksum === undefined ? 0 : 4, 17 << 3]);
  return Buffer.concat([header, ...blocks, checksum ?? Buffer.alloc(0)]);
}

/** A zstd frame that unpacks to `bytes` zeros, a multiple of ZSTD_BLOCK_BYTES: four bytes for each block. */
export function zstdBomb(bytes: number): Buffer {
  const count = bytes / ZSTD_BLOCK_BYTES;
  const zeros = (last: boolean) => zstdBlock('repeated', Buffer.alloc(1), ZSTD_BLOCK_BYTES, last);
  return zstdFrame(Array.from({ length: count }, (_, at) => zeros(at === count - 1)));
}
