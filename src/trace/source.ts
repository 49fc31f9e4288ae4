import { createHash, type Hash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { InputError } from '../core/errors.js';
import { systemProblem } from './system-problem.js';
import { zstdUnpacked } from './zstd.js';

/** Bytes that decide about the format of a text. */
const HEAD_BYTES = 64 * 1024;
const CHUNK_BYTES = 1024 * 1024;
const GZIP_MAGIC = Buffer.from([0x1f, 0x8b]);
const ZSTD_MAGIC = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);

/** A recording's bytes, unpacked. */
export interface TextSource {
  /** Path as it was given, or `standard input`. */
  readonly file: string;
  /** The first 64 KiB of the unpacked text, fewer if there are not so many. */
  readonly head: Uint8Array;
  /**
   * The whole text, head included; to be read once. A chunk is valid until the next one is asked for.
   * @throws InputError while reading, if the input is damaged.
   */
  chunks(): AsyncIterable<Uint8Array>;
  /** sha256 of the bytes as stored, hex; to be called after the last chunk. */
  digest(): string;
  /** Gives the input back where its last chunk was not read; does nothing afterwards. */
  close(): Promise<void>;
}

/**
 * Opens a plain, gzip or zstd file; `-` stands for `stdin`. The packing is told by the first bytes, never by the name.
 * @throws InputError if it cannot be read or is empty.
 */
export async function openText(path: string, stdin: NodeJS.ReadableStream): Promise<TextSource> {
  const file = path === '-' ? 'standard input' : path;
  const hash = createHash('sha256');
  const stored = path === '-' ? streamed(stdin) : await storedFile(path);
  const raw = new HeadReader(hashed(stored, hash), file);
  const magic = await raw.head(ZSTD_MAGIC.length);
  if (magic.length === 0) throw new InputError('is empty', { file });
  const unpack = isGzip(magic) ? gunzipped : magic.equals(ZSTD_MAGIC) ? zstdUnpacked : undefined;
  const text = unpack === undefined ? raw : new HeadReader(unpack(raw.chunks()), file, 'cannot be unpacked');
  const head = await text.head(HEAD_BYTES);
  if (head.length === 0) throw new InputError('is empty once it is unpacked', { file });
  return {
    file,
    head,
    chunks: () => text.chunks(),
    digest: () => hash.digest('hex'),
    close: () => raw.close(),
  };
}

function isGzip(magic: Buffer): boolean {
  return magic.subarray(0, GZIP_MAGIC.length).equals(GZIP_MAGIC);
}

/** The bytes of a file: a plain one into one buffer used again; a packed one or a pipe as a stream, which reads ahead. */
async function storedFile(path: string): Promise<AsyncIterable<Buffer>> {
  const handle = await openFile(path);
  if (!(await handle.stat()).isFile()) return streamed(handle.createReadStream());
  const magic = Buffer.alloc(ZSTD_MAGIC.length);
  await handle.read(magic, 0, magic.length, 0);
  return isGzip(magic) || magic.equals(ZSTD_MAGIC)
    ? streamed(handle.createReadStream({ start: 0, highWaterMark: CHUNK_BYTES }))
    : fileChunks(handle);
}

async function openFile(path: string): Promise<FileHandle> {
  let handle: FileHandle;
  try {
    handle = await open(path);
  } catch (error) {
    throw new InputError(`cannot be read: ${systemProblem(error)}`, { file: path });
  }
  if (!(await handle.stat()).isDirectory()) return handle;
  await handle.close();
  throw new InputError('cannot be read: it is a directory', { file: path });
}

/** Reads one buffer while the other one is worked on; what goes wrong meanwhile is thrown when its turn comes. */
async function* fileChunks(handle: FileHandle): AsyncGenerator<Buffer> {
  let [working, reading] = [Buffer.alloc(CHUNK_BYTES), Buffer.alloc(CHUNK_BYTES)];
  const read = (into: Buffer) => Promise.allSettled([handle.read(into, 0, CHUNK_BYTES, null)]);
  let next = read(reading);
  try {
    for (;;) {
      const [outcome] = await next;
      if (outcome.status === 'rejected') throw outcome.reason;
      const { bytesRead } = outcome.value;
      if (bytesRead === 0) return;
      [working, reading] = [reading, working];
      next = read(reading);
      yield working.subarray(0, bytesRead);
    }
  } finally {
    await next;
    await handle.close();
  }
}

async function* streamed(stream: NodeJS.ReadableStream): AsyncGenerator<Buffer> {
  for await (const chunk of stream) yield typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
}

async function* hashed(stored: AsyncIterable<Buffer>, hash: Hash): AsyncGenerator<Buffer> {
  for await (const chunk of stored) {
    hash.update(chunk);
    yield chunk;
  }
}

async function* gunzipped(stored: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const gunzip = createGunzip({ chunkSize: CHUNK_BYTES });
  const input = Readable.from(stored);
  input.on('error', (error) => gunzip.destroy(error));
  yield* input.pipe(gunzip) as AsyncIterable<Buffer>;
}

/** An iterator whose first bytes can be looked at beforehand. */
class HeadReader {
  private readonly iterator: AsyncIterator<Buffer>;
  private readonly ahead: Buffer[] = [];

  constructor(
    source: AsyncIterable<Buffer>,
    private readonly file: string,
    private readonly problem = 'cannot be read',
  ) {
    this.iterator = source[Symbol.asyncIterator]();
  }

  async head(bytes: number): Promise<Buffer> {
    let length = this.ahead.reduce((sum, chunk) => sum + chunk.length, 0);
    while (length < bytes) {
      const chunk = await this.next();
      if (chunk === undefined) break;
      this.ahead.push(Buffer.from(chunk));
      length += chunk.length;
    }
    return Buffer.concat(this.ahead).subarray(0, bytes);
  }

  async *chunks(): AsyncGenerator<Buffer> {
    for (let chunk = this.ahead.shift(); chunk !== undefined; chunk = this.ahead.shift()) yield chunk;
    for (let chunk = await this.next(); chunk !== undefined; chunk = await this.next()) yield chunk;
  }

  async close(): Promise<void> {
    await this.iterator.return?.();
  }

  private async next(): Promise<Buffer | undefined> {
    try {
      const { done, value } = await this.iterator.next();
      return done === true ? undefined : value;
    } catch (error) {
      if (error instanceof InputError) throw error;
      throw new InputError(`${this.problem}: ${systemProblem(error)}`, { file: this.file });
    }
  }
}
