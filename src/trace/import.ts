import { basename } from 'node:path';
import { InputError } from '../core/errors.js';
import { MIB } from '../core/units.js';
import { TraceWriter, type TraceWriterOptions } from './arrow-writer.js';
import { ByteNames } from './byte-names.js';
import {
  type Companion,
  DEFAULT_IMPORT_OPTIONS,
  type ImportContext,
  type ImportOptions,
  type ParsedText,
  type TraceImporter,
  UnpurgedAreas,
} from './importer.js';
import { importerFor, importerNamed } from './importers/registry.js';
import { InitialAreas, snapshotText } from './initial-areas.js';
import { statusOf } from './open-file.js';
import { Pairing } from './pairing.js';
import { SkipTally } from './skip-tally.js';
import { openText, type TextSource } from './source.js';
import type { TraceMetadata } from './trace.js';

/** What to import, and what to say about it. */
export interface ImportRequest extends TraceWriterOptions {
  /** Path of the recording, `-` for `stdin`. */
  readonly input: string;
  readonly stdin: NodeJS.ReadableStream;
  /** Path of the trace to write. */
  readonly output: string;
  /** Name of an importer; told by the text if absent. */
  readonly format?: string;
  /** Path of a snapshot of the objects that lived before: /proc/vmallocinfo, or a tar archive with it. */
  readonly initial?: string;
  /** Paths of files that belong to the recording, as some formats need them. */
  readonly companions?: readonly string[];
  readonly options?: Partial<ImportOptions>;
  /** Name of the trace; from the file's name if absent. */
  readonly name?: string;
  /** What `input` is called in the provenance: for a recording that comes through a pipe. */
  readonly sourceName?: string;
  readonly licence?: string;
  readonly capture?: string;
  /** Version of kvabench. */
  readonly tool: string;
  /** Gives the import up. */
  readonly signal?: AbortSignal;
}

/** What an import found. */
export interface ImportReport extends ParsedText {
  readonly metadata: TraceMetadata;
}

/**
 * Reads a recording and writes it as a trace. Memory is bounded by the objects that live at one time, not by the
 * length. The same bytes and options give the same file, byte by byte.
 * @throws InputError if the recording cannot be read or holds no event that can be used, or the trace cannot be
 * written; the signal's reason if it gave the import up. Then there is no new file and an old one is as it was.
 */
export async function importTrace(request: ImportRequest): Promise<ImportReport> {
  const named = request.format === undefined ? undefined : importerNamed(request.format);
  refuseOwnInput(request.input, request.output);
  const source = await openText(request.input, request.stdin);
  try {
    return await importText(source, named ?? importerFor(source.head, source.file), request);
  } finally {
    await source.close();
  }
}

async function importText(
  source: TextSource,
  importer: TraceImporter,
  request: ImportRequest,
): Promise<ImportReport> {
  const companions = await readCompanions(request);
  const options = { ...DEFAULT_IMPORT_OPTIONS, ...request.options };
  const base = request.sourceName ?? basename(source.file);
  const skips = new SkipTally();
  const sites = new ByteNames();
  const writer = new TraceWriter(request.output, request);
  try {
    const sink = new Pairing(writer, skips);
    const unpurged = new UnpurgedAreas();
    const context = { sink, sites, skips, options, unpurged, file: source.file, companions };
    if (request.initial !== undefined) await emitInitial(request.initial, request.stdin, context);
    const parser = importer.start(context);
    for await (const chunk of source.chunks()) {
      request.signal?.throwIfAborted();
      parser.push(chunk);
    }
    const text = parser.end();
    checkUse(source.file, writer.eventCount, skips);
    const metadata = writer.finish({
      name: request.name ?? base.replace(/\.(gz|zst|txt|log|ftrace)\b/g, ''),
      provenance: {
        source: base,
        sourceDigest: source.digest(),
        importer: `${importer.name} ${importer.version}`,
        options: { ...options, ...inputNames(request) },
        capture: request.capture ?? '',
        licence: request.licence ?? '',
        tool: request.tool,
      },
      origin: text.origin,
      clock: text.clock,
      cpuCount: Math.max(text.cpuCount, sink.cpuLimit),
      skipped: skips.list(),
      recordedEvents: text.events,
      sites: sites.names,
      constraints: sink.constraints,
    });
    return { ...text, metadata };
  } finally {
    writer.discard();
  }
}

/** More text than any companion of a known format has. */
const MAX_COMPANION_BYTES = 256 * MIB;

async function readCompanions({ companions = [], stdin }: ImportRequest): Promise<Companion[]> {
  const read: Companion[] = [];
  for (const file of companions) {
    read.push({ file, text: (await readWhole(file, stdin)).toString('utf8') });
  }
  return read;
}

/** All bytes of a companion, unpacked. @throws InputError if it cannot be read or is too long. */
export async function readWhole(file: string, stdin: NodeJS.ReadableStream): Promise<Buffer> {
  const source = await openText(file, stdin);
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of source.chunks()) {
    bytes += chunk.length;
    if (bytes > MAX_COMPANION_BYTES)
      throw new InputError('is too long to stand beside a recording', { file });
    parts.push(Buffer.from(chunk));
  }
  return Buffer.concat(parts);
}

async function emitInitial(
  file: string,
  stdin: NodeJS.ReadableStream,
  context: ImportContext,
): Promise<void> {
  new InitialAreas(context).emit(snapshotText(await readWhole(file, stdin), file), file);
}

function inputNames({ companions = [], initial }: ImportRequest): Record<string, string> {
  const names = companions.map((file) => basename(file)).join(' ');
  return {
    ...(names === '' ? {} : { with: names }),
    ...(initial === undefined ? {} : { initial: basename(initial) }),
  };
}

/**
 * A recording is often all that is left of a run: no option replaces it by its trace.
 * @throws InputError if both paths are those of one file.
 */
export function refuseOwnInput(input: string, output: string): void {
  const [from, to] = [input, output].map(statusOf);
  if (input === '-' || from === undefined || to === undefined) return;
  if (from.ino !== to.ino || from.dev !== to.dev) return;
  throw new InputError('the trace would replace the recording it is made from', { file: output });
}

function checkUse(file: string, events: number, skips: SkipTally): void {
  if (events > 0) return;
  const reasons = skips.list().map(({ reason, count }) => `${count} ${reason}`);
  const why = reasons.length === 0 ? '' : `: ${reasons.join(', ')}`;
  throw new InputError(`holds no event that can be used${why}`, { file });
}
