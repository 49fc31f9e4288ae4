// Lines a second of an import and events a second of a reading, with the most memory that was resident, for a recording
// (the first argument, or fixtures repeated to 1.5 million lines) and for ten times its length.
import { createReadStream, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execFileSync } from 'node:child_process';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { openTrace } from '../../dist/trace/arrow-reader.js';
import { importTrace } from '../../dist/trace/import.js';
import { openText } from '../../dist/trace/source.js';

const [, script, mode, input, output, copies] = process.argv;
const TIMES = 3;

/** The text of a file, several times over; stamps go back at each seam, which is counted and costs nothing. */
async function* repeated(path, times) {
  for (let copy = 0; copy < times; copy++) {
    const source = await openText(path, Readable.from([]));
    yield* source.chunks();
  }
}

function seconds(since) {
  return Number(process.hrtime.bigint() - since) / 1e9;
}

/** In a process of its own: the import's lines, time and memory, and the time to read the trace. */
async function measure() {
  const begin = process.hrtime.bigint();
  const many = Number(copies) > 1;
  const stdin = many ? Readable.from(repeated(input, Number(copies))) : createReadStream(input);
  const report = await importTrace({ input: many ? '-' : input, stdin, output, overwrite: true, tool: 'bench' });
  const importing = seconds(begin);
  const memory = process.resourceUsage().maxRSS / 1024;
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < TIMES; round++) {
    const start = process.hrtime.bigint();
    let checksum = 0;
    for (const block of openTrace(output).blocks()) {
      for (let row = 0; row < block.length; row++) checksum += block.object[row] + block.op[row];
    }
    if (checksum < 0) throw new Error('no sum of such columns is negative');
    best = Math.min(best, seconds(start));
  }
  const events = report.metadata.eventCount;
  process.stdout.write(JSON.stringify({ lines: report.lines, events, importing, memory, decoding: best }));
}

function row(name, { lines, events, importing, memory, decoding }) {
  const cells = [
    name.padEnd(34),
    `${lines} lines`.padStart(15),
    `${(lines / importing / 1e6).toFixed(2)} M lines/s`.padStart(16),
    `${events} events`.padStart(16),
    `${(events / decoding / 1e6).toFixed(1)} M events/s decoded`.padStart(26),
    `${memory.toFixed(0)} MiB`.padStart(9),
  ];
  process.stdout.write(`${cells.join(' ')}\n`);
}

function main() {
  const folder = mkdtempSync(join(tmpdir(), 'kvabench-bench-'));
  try {
    const given = mode;
    const path = given ?? join(folder, 'recording.txt');
    if (given === undefined) {
      const fixture = fileURLToPath(new URL('../trace/fixtures/boot-kmem.txt.gz', import.meta.url));
      const text = gunzipSync(readFileSync(fixture));
      writeFileSync(path, Buffer.concat(Array.from({ length: Math.ceil(2e8 / text.length) }, () => text)));
    }
    for (const times of [1, 10]) {
      const words = [script, '--measure', path, join(folder, 'trace.arrow'), String(times)];
      const figures = JSON.parse(execFileSync(process.execPath, words, { maxBuffer: 1 << 20 }).toString());
      row(times === 1 ? `import ${given ?? 'of fixtures, repeated'}`.slice(-34) : 'ten times over, as standard input', figures);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

if (mode === '--measure') await measure();
else main();
