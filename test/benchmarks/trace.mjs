// Lines a second of an import, of wall time and of processor time of all threads, and events a second of a reading, with
// the most memory that was resident: for a recording as it is stored and unpacked, and for ten times its length. The
// recording is the first argument; else the longest one of the material beside the repository; else fixtures, repeated.
// Usage: npm run build && node test/benchmarks/trace.mjs [recording]
import { execFileSync } from 'node:child_process';
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { openTrace } from '../../dist/trace/arrow-reader.js';
import { importTrace } from '../../dist/trace/import.js';
import { openText } from '../../dist/trace/source.js';
import { ENGINE_FLAGS } from '../../dist/core/engine-flags.js';

const [, script, mode, input, output, copies] = process.argv;
const LONGEST = fileURLToPath(
  new URL('../../../shared/traces/linux612-fsmeta-kmem.ftrace.txt.zst', import.meta.url),
);
const FIXTURE = fileURLToPath(new URL('../trace/fixtures/boot-kmem.txt.gz', import.meta.url));
const FIXTURE_BYTES = 2e8;
/** Runs of which the median counts, by how many times over the recording is read. */
const RUNS = { 1: 3, 10: 1 };
const DECODINGS = 3;
const CHUNK_BYTES = 1 << 20;

/**
 * The bytes of a file as they are stored, several times over: gzip and zstd frames may stand behind one another. Stamps
 * go back at each seam, and the objects of one copy still live in the next, which is counted and costs little.
 */
async function* repeated(path, times) {
  // An import keeps two chunks of a plain text at most, but gunzip's stream reads ahead.
  const buffers = Array.from({ length: 4 }, () => Buffer.alloc(CHUNK_BYTES));
  let turn = 0;
  for (let copy = 0; copy < times; copy++) {
    const handle = await open(path);
    for (;;) {
      const buffer = path.endsWith('.gz') ? Buffer.alloc(CHUNK_BYTES) : buffers[turn++ % buffers.length];
      const { bytesRead } = await handle.read(buffer, 0, CHUNK_BYTES, null);
      if (bytesRead === 0) break;
      yield buffer.subarray(0, bytesRead);
    }
    await handle.close();
  }
}

function seconds(since) {
  return Number(process.hrtime.bigint() - since) / 1e9;
}

/** In a process of its own: the import's lines, time and memory, and the time to read the trace. */
async function measure() {
  const times = Number(copies);
  const before = process.cpuUsage();
  const begin = process.hrtime.bigint();
  const source =
    times > 1
      ? { input: '-', stdin: Readable.from(repeated(input, times), { highWaterMark: 1 }) }
      : { input, stdin: Readable.from([]) };
  const report = await importTrace({ ...source, output, tool: 'bench' });
  const importing = seconds(begin);
  const { user, system } = process.cpuUsage(before);
  const memory = process.resourceUsage().maxRSS * 1024;
  let decoding = Number.POSITIVE_INFINITY;
  for (let round = 0; round < DECODINGS; round++) decoding = Math.min(decoding, secondsToRead(output));
  const events = report.metadata.eventCount;
  process.stdout.write(JSON.stringify({ lines: report.lines, events, importing, processor: (user + system) / 1e6, memory, decoding }));
}

function secondsToRead(trace) {
  const start = process.hrtime.bigint();
  let checksum = 0;
  for (const block of openTrace(trace).blocks()) {
    for (let row = 0; row < block.length; row++) checksum += block.object[row] + block.op[row];
  }
  if (checksum < 0) throw new Error('no sum of such columns is negative');
  return seconds(start);
}

/** The median of a few runs by the time of the import. */
function measured(path, times, folder) {
  const trace = join(folder, 'trace.arrow');
  const words = [...ENGINE_FLAGS, script, '--measure', path, trace, String(times)];
  const runs = Array.from({ length: RUNS[times] }, () => {
    rmSync(trace, { force: true });
    return JSON.parse(execFileSync(process.execPath, words).toString());
  });
  return runs.sort((a, b) => a.importing - b.importing)[runs.length >> 1];
}

function row(name, { lines, events, importing, processor, memory, decoding }) {
  const rate = (count, time) => (count / time / 1e6).toFixed(2);
  const cells = [
    name.padEnd(22),
    `${lines} lines`.padStart(14),
    `${rate(lines, importing)} M lines/s`.padStart(15),
    `(${rate(lines, processor)} of processor time)`.padStart(25),
    `${events} events`.padStart(16),
    `${rate(events, decoding)} M events/s decoded`.padStart(26),
    `${(memory / 1e6).toFixed(0)} MB`.padStart(8),
  ];
  process.stdout.write(`${cells.join(' ')}\n`);
}

async function unpack(path, to) {
  const descriptor = openSync(to, 'w');
  const source = await openText(path, Readable.from([]));
  for await (const chunk of source.chunks()) writeSync(descriptor, chunk);
  closeSync(descriptor);
}

function repeatFixture(to) {
  const text = gunzipSync(readFileSync(FIXTURE));
  const descriptor = openSync(to, 'w');
  for (let bytes = 0; bytes < FIXTURE_BYTES; bytes += text.length) writeSync(descriptor, text);
  closeSync(descriptor);
}

async function main() {
  const folder = mkdtempSync(join(tmpdir(), 'kvabench-bench-'));
  const plain = join(folder, 'recording.txt');
  try {
    const given = mode ?? (existsSync(LONGEST) ? LONGEST : undefined);
    process.stdout.write(`import of ${given ?? 'fixtures, repeated'}\n`);
    if (given === undefined) repeatFixture(plain);
    else await unpack(given, plain);
    const forms = given === undefined ? [['text', plain]] : [['as stored', given], ['unpacked', plain]];
    for (const times of [1, 10]) {
      for (const [form, path] of forms) {
        row(times === 1 ? form : `${form}, ten times`, measured(path, times, folder));
      }
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

if (mode === '--measure') await measure();
else await main();
