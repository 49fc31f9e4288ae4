// A table of the recordings below a folder (the first argument): events, lines a second of wall time and of processor
// time, and the most memory that was resident, each imported in a process of its own. What belongs to a recording or is
// none is told by what importing it says.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, relative } from 'node:path';
import { Readable } from 'node:stream';
import { importTrace } from '../../dist/trace/import.js';

const [, script, folder, input, output] = process.argv;
const NO_RECORDING = /(README|FACTS|\.tar\.gz$|\.sh$|\.bt$|\.md$|\.py$|\.c$|\.json$)/;

/** What a fleet's file needs beside it, and times that fit into a trace. */
function extras() {
  const beside = (...names) => names.map((name) => join(dirname(input), name));
  if (basename(input) === 'azure-v1.dev.txt.gz') {
    return {
      companions: beside('azure-v1.dev.c2100000.txt.gz', 'azure-v1.flav_map.txt', 'azure-v1.v1.interval_map.txt'),
    };
  }
  return basename(input).startsWith('alibaba-openb') ? { options: { speedUp: 2 } } : {};
}

/** In a process of its own. */
async function measure() {
  const before = process.cpuUsage();
  const begin = process.hrtime.bigint();
  const report = await importTrace({ input, stdin: Readable.from([]), output, overwrite: true, tool: 'bench', ...extras() });
  const wall = Number(process.hrtime.bigint() - begin) / 1e9;
  const { user, system } = process.cpuUsage(before);
  const memory = process.resourceUsage().maxRSS / 1024;
  const { eventCount: events } = report.metadata;
  process.stdout.write(JSON.stringify({ lines: report.lines, events, wall, cpu: (user + system) / 1e6, memory }));
}

function row(name, cells) {
  const widths = [10, 10, 12, 11, 9];
  const padded = cells.map((cell, index) => cell.padStart(widths[index]));
  process.stdout.write(`${name.padEnd(52)} ${padded.join(' ')}\n`);
}

function figuresOf(path, trace) {
  const words = [script, '--measure', path, trace];
  return JSON.parse(execFileSync(process.execPath, words, { stdio: ['ignore', 'pipe', 'pipe'] }).toString());
}

function main() {
  const temporary = mkdtempSync(join(tmpdir(), 'kvabench-table-'));
  const perSecond = (lines, seconds) => `${(lines / seconds / 1e6).toFixed(3)} M`;
  row('recording', ['events', 'lines', 'lines/s wall', 'lines/s cpu', 'MiB']);
  try {
    const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile() && !NO_RECORDING.test(entry.name));
    for (const path of files.map((entry) => join(entry.parentPath ?? entry.path, entry.name)).sort()) {
      const name = relative(folder, path);
      try {
        const { lines, events, wall, cpu, memory } = figuresOf(path, join(temporary, 'trace.arrow'));
        row(name, [`${events}`, `${lines}`, perSecond(lines, wall), perSecond(lines, cpu), memory.toFixed(0)]);
      } catch (error) {
        const problem = /^InputError: (.*)$|InputError: (.*)/m.exec(String(error.stderr))?.[0] ?? String(error);
        process.stdout.write(`${name.padEnd(52)} ${problem.replaceAll(path, '').replace(/^InputError: :? ?| \(allowed: .*/g, '')}\n`);
      }
    }
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

if (folder === '--measure') await measure();
else main();
