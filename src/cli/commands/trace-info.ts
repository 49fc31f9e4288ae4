import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { toolVersion } from '../../core/version.js';
import { isArrowFile, openTrace, verifyDigest } from '../../trace/arrow-reader.js';
import { traceFacts } from '../../trace/facts.js';
import { importTrace } from '../../trace/import.js';
import { LIFE_LIMITS_US } from '../../trace/place-counter.js';
import { CURVE_POINTS, type KindFigures, LIFE_SHARES, traceStatistics } from '../../trace/statistics.js';
import type { Trace, TraceMetadata } from '../../trace/trace.js';
import type { Command } from '../command.js';
import { ExitCode, type Io } from '../io.js';
import { textWidth } from '../text-output.js';
import { tracePath } from '../trace-path.js';
import {
  declareImportOptions,
  importOptions,
  inputPath,
  inputsOf,
  untilInterrupted,
} from './trace-import.js';
import { plainTable, skippedTable, sparkline } from './trace-tables.js';

/** `kvabench trace info`: where a trace comes from and what is in it. */
export const traceInfoCommand: Command = {
  usage: 'info <file>',
  summary: 'Show provenance, populations, sizes and what could not be used',
  options: (yargs) =>
    declareImportOptions(yargs)
      .positional('file', {
        type: 'string',
        demandOption: true,
        describe: 'trace (name or file), or a recording to import',
      })
      .option('json', { type: 'boolean', describe: 'print JSON' }),
  async run(args, io) {
    const file = tracePath(inputPath(args.file as string, io));
    if (file === '-' || !isArrowFile(file)) {
      return untilInterrupted(io, (signal) => importAndPrint(file, signal, args, io));
    }
    print(openTrace(file), args, io);
    return ExitCode.done;
  },
};

/** Imports a recording to a temporary place, which is gone afterwards. */
async function importAndPrint(
  input: string,
  signal: AbortSignal,
  args: Readonly<Record<string, unknown>>,
  io: Io,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'kvabench-'));
  try {
    const output = join(folder, 'trace.arrow');
    const options = importOptions(args);
    const tool = `kvabench ${toolVersion()}`;
    await importTrace({
      input,
      stdin: io.stdin,
      output,
      options,
      tool,
      signal,
      ...inputsOf(args),
    });
    print(openTrace(output), args, io);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function print(trace: Trace, args: Readonly<Record<string, unknown>>, io: Io): void {
  verifyDigest(trace);
  const kinds = traceStatistics(trace);
  if (args.json === true) {
    io.stdout.write(`${JSON.stringify(jsonOf(trace.metadata, kinds), null, 2)}\n`);
    return;
  }
  const { durationNs } = trace.metadata;
  const width = textWidth(io);
  const parts = [
    provenanceTable(trace.metadata, width),
    populationTable(kinds, width),
    curveTable(kinds, durationNs, width),
    sizesTable(kinds, width),
    livesTable(kinds, width),
    lifeBySizeTable(kinds, width),
    cpuTable(kinds, width),
  ];
  if (kinds.some(({ topSites }) => topSites.length > 0)) parts.push(siteTable(kinds, width));
  const { skipped } = trace.metadata;
  if (skipped.length > 0) parts.push(skippedTable(skipped, width));
  io.stdout.write(`${parts.join('\n\n')}\n`);
}

/**
 * The facts of each class stand beside those of the whole, as other readers of recordings write them. The call sites are
 * a table of the columns, and long: their number is enough.
 */
function jsonOf(metadata: TraceMetadata, kinds: readonly KindFigures[]) {
  const { sites, ...rest } = metadata;
  const { classes, ...whole } = traceFacts(metadata, kinds);
  const shares = kinds.map(({ name, allocsByCpu, topSites, lifeBySize, liveCurve }) => {
    return { name, allocsByCpu, topSites, lifeBySize, liveCurve };
  });
  return { ...rest, siteCount: sites.length, ...whole, ...classes, kinds: shares };
}

function provenanceTable(metadata: TraceMetadata, width: number): string {
  const { provenance } = metadata;
  const options = Object.entries(provenance.options).map(([name, value]) => `${name}=${value}`);
  const rows = [
    ['name', metadata.name],
    ['source', provenance.source],
    ['sha256', provenance.sourceDigest],
    ...provenance.capture.split('\n').map((line, index) => [index === 0 ? 'capture' : '', line]),
    ['licence', provenance.licence],
    ['importer', `${provenance.importer} (${provenance.tool}) ${options.join(' ')}`],
    ['clock', `${metadata.clock}; time 0 = ${metadata.origin}`],
    ['duration', `${(metadata.durationNs / 1e9).toFixed(9)} s`],
    ['events', String(metadata.eventCount)],
    ['objects', `${metadata.objectLimit} live at most at a time`],
    ['cpus', String(metadata.cpuCount)],
    ['call sites', String(metadata.sites.length)],
    ['digest', `${metadata.digest} (checked)`],
  ];
  return plainTable(
    rows.map(([name, value]) => [name!, value === '' ? '-' : value!]),
    width,
  );
}

function populationTable(kinds: readonly KindFigures[], width: number): string {
  const heading = ['kind', 'allocs', 'frees', 'live at end', 'bytes at end', 'peak live', 'peak bytes'];
  const rows = kinds.map((kind) => [
    kind.name,
    kind.allocs,
    kind.frees,
    kind.liveAtEnd,
    kind.bytesAtEnd,
    kind.peakLive,
    kind.peakBytes,
  ]);
  return plainTable([heading, ...rows], width);
}

function curveTable(kinds: readonly KindFigures[], durationNs: number, width: number): string {
  const share = `${(durationNs / CURVE_POINTS / 1e9).toPrecision(3)} s a bar`;
  const rows = kinds.map(({ name, liveCurve, peakLive }) => [name, sparkline(liveCurve), peakLive]);
  return plainTable([['kind', `most live in each share of the time (${share})`, 'full bar'], ...rows], width);
}

function sizesTable(kinds: readonly KindFigures[], width: number): string {
  const rows = kinds.map(({ name, distinctSizes, topSizes }) => {
    const top = topSizes.map(([size, count]) => `${size}x${count}`);
    return [name, distinctSizes, top.join(' ')];
  });
  return plainTable([['kind', 'sizes', 'most frequent (bytes x count)'], ...rows], width);
}

function livesTable(kinds: readonly KindFigures[], width: number): string {
  const heading = ['kind', ...LIFE_SHARES.map((share) => (share === 1 ? 'longest' : `p${share * 100}`))];
  const rows = kinds
    .filter(({ lifeUs }) => lifeUs.length > 0)
    .map(({ name, lifeUs }) => [`${name}, lifetime`, ...lifeUs.map(duration)]);
  return plainTable([heading, ...rows], width);
}

function duration(us: number): string {
  if (us < 1000) return `${us} us`;
  return us < 1e6 ? `${(us / 1e3).toPrecision(3)} ms` : `${(us / 1e6).toPrecision(3)} s`;
}

function lifeBySizeTable(kinds: readonly KindFigures[], width: number): string {
  const limits = LIFE_LIMITS_US.map((us) => `<${duration(us)}`);
  const rows = kinds.flatMap(({ name, lifeBySize }) =>
    lifeBySize.map(({ bytes, lives, noEnd }) => [name, `${bytes}..`, ...lives, noEnd, sparkline(lives)]),
  );
  return plainTable([['kind', 'bytes', ...limits, 'longer', 'no end', 'lifetimes'], ...rows], width, 2);
}

function cpuTable(kinds: readonly KindFigures[], width: number): string {
  const rows = kinds.map(({ name, allocs, allocsByCpu }) => {
    return [name, allocsByCpu.map((count) => percent(count, allocs)).join(' ')];
  });
  return plainTable([['kind', 'allocations by CPU'], ...rows], width);
}

function siteTable(kinds: readonly KindFigures[], width: number): string {
  const rows = kinds.flatMap(({ name, allocs, topSites }) =>
    topSites.map(([site, count]) => [name, count, percent(count, allocs), site]),
  );
  return plainTable([['kind', 'allocations', 'share', 'most frequent call sites'], ...rows], width);
}

function percent(part: number, whole: number): string {
  return whole === 0 ? '-' : `${((100 * part) / whole).toFixed(1)}%`;
}
