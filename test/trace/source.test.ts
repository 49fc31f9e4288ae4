import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { InputError } from '../../src/core/errors.js';
import { type LineHandler, LineSplitter } from '../../src/trace/line-splitter.js';
import { openText } from '../../src/trace/source.js';
import { fixture, temporaryFolder, ZSTD_BLOCK_BYTES, zstdBlock, zstdBomb, zstdFrame } from './support.js';

const folder = temporaryFolder();
const none = Readable.from([]);

function zstd(bytes: Buffer, checksum?: Buffer): Buffer {
  const blocks: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += ZSTD_BLOCK_BYTES) {
    const content = bytes.subarray(at, at + ZSTD_BLOCK_BYTES);
    blocks.push(zstdBlock('raw', content, content.length, at + ZSTD_BLOCK_BYTES >= bytes.length));
  }
  return zstdFrame(blocks, checksum);
}

async function readAll(path: string, stdin: NodeJS.ReadableStream = none) {
  const source = await openText(path, stdin);
  const parts: Buffer[] = [];
  for await (const chunk of source.chunks()) parts.push(Buffer.from(chunk));
  return { file: source.file, text: Buffer.concat(parts), digest: source.digest() };
}

function file(name: string, bytes: Buffer): string {
  writeFileSync(folder.path(name), bytes);
  return folder.path(name);
}

describe('text source', () => {
  const long = Buffer.alloc(2_500_000, 'line of text\n');

  it('gives all bytes of plain and packed files, by content and not by name', async () => {
    expect((await readAll(file('plain.gz', long))).text.equals(long)).toBe(true);
    expect((await readAll(file('packed.txt', gzipSync(long)))).text.equals(long)).toBe(true);
    expect(
      (await readAll('-', Readable.from([long.subarray(0, 1), long.subarray(1)]))).text.equals(long),
    ).toBe(true);
    expect((await readAll('-', Readable.from([gzipSync(long)]))).file).toBe('standard input');
  });

  it('reads a named pipe, as process substitution of a shell makes them', async () => {
    const path = folder.path('pipe');
    execFileSync('mkfifo', [path]);
    const reading = readAll(path);
    await writeFile(path, gzipSync(long));
    expect((await reading).text.equals(long)).toBe(true);
  });

  it('reads zstd, with long windows, of several frames and with bytes to skip', async () => {
    const frames = [long.subarray(0, 2_000_000), long.subarray(2_000_000)].map((text) => zstd(text));
    const skippable = Buffer.from([0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]);
    const packed = Buffer.concat([frames[0]!, skippable, frames[1]!]);
    expect((await readAll(file('packed.zst', packed))).text.equals(long)).toBe(true);
    expect((await readAll('-', Readable.from([packed]))).text.equals(long)).toBe(true);
  });

  it('leaves fetch as it was', async () => {
    const { fetch } = globalThis;
    await readAll(file('small.zst', zstd(Buffer.from('text'))));
    expect(globalThis.fetch).toBe(fetch);
  });

  it('unpacks a bomb piece by piece', async () => {
    for (const name of ['bomb.zst', 'bomb.gz']) {
      const zeros = Buffer.alloc(64 * 1024 * 1024);
      const source = await openText(
        file(name, name === 'bomb.gz' ? gzipSync(zeros) : zstdBomb(zeros.length)),
        none,
      );
      let [bytes, largest] = [0, 0];
      for await (const chunk of source.chunks()) {
        bytes += chunk.length;
        largest = Math.max(largest, chunk.length);
      }
      expect(bytes).toBe(zeros.length);
      expect(largest).toBeLessThanOrEqual(1024 * 1024);
    }
  });

  it.each([
    ['cut', zstd(long).subarray(0, -3)],
    ['damaged', Buffer.concat([zstd(long).subarray(0, 6), Buffer.alloc(100, 0xff)])],
    ['of a wrong checksum', zstd(long, Buffer.alloc(4))],
    ['followed by something else', Buffer.concat([zstd(long), Buffer.from('text behind')])],
  ])('refuses zstd that is %s', async (_what, packed) => {
    await expect(readAll(file('bad.zst', packed))).rejects.toThrow(/bad\.zst: cannot be unpacked: /);
  });

  it('digests the bytes as stored', async () => {
    const { digest } = await readAll(file('abc.txt', Buffer.from('abc')));
    expect(digest).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  });

  it.each([
    ['missing.txt', undefined, /missing\.txt: cannot be read: ENOENT: no such file or directory$/],
    ['.', undefined, /cannot be read: it is a directory/],
    ['empty.txt', Buffer.alloc(0), /empty\.txt: is empty/],
    ['empty.gz', gzipSync(Buffer.alloc(0)), /empty\.gz: is empty once it is unpacked/],
    ['cut.gz', gzipSync(long).subarray(0, 500), /cut\.gz: cannot be unpacked: unexpected end of file/],
    ['bad.gz', Buffer.from([0x1f, 0x8b, 1, 2, 3, 4, 5, 6]), /bad\.gz: cannot be unpacked: /],
  ])('refuses %s', async (name, bytes, message) => {
    const path = bytes === undefined ? folder.path(name) : file(name, bytes);
    await expect(readAll(path)).rejects.toThrow(message);
    await expect(readAll(path)).rejects.toThrow(InputError);
  });
});

describe('line splitter', () => {
  function split(chunks: readonly Buffer[]) {
    const found: string[] = [];
    const note = (mark: string) => (bytes: Uint8Array, start: number, end: number) => {
      found.push(mark + Buffer.from(bytes.subarray(start, end)).toString());
    };
    const handler: LineHandler = {
      line: note(''),
      cutLine: note('cut:'),
      overlongLine: () => found.push('long'),
    };
    const splitter = new LineSplitter(handler);
    for (const chunk of chunks) splitter.push(chunk);
    splitter.end();
    return { found, lines: splitter.lines };
  }

  it('finds the same lines however the text is cut', () => {
    const text = readFileSync(fixture('marker.txt'));
    const wanted = text.toString().split('\n').slice(0, -1);
    for (const size of [1, 2, 3, 17, 100, 4096, 100_000]) {
      const chunks = Array.from({ length: Math.ceil(text.length / size) }, (_, at) =>
        text.subarray(at * size, (at + 1) * size),
      );
      expect(split(chunks)).toEqual({ found: wanted, lines: wanted.length });
    }
  });

  it('finds as many lines as a chunk has', () => {
    for (const count of [255, 256, 257, 512, 1000]) {
      const wanted = Array.from({ length: count }, (_, line) => `line ${line}`);
      const text = Buffer.from(`${wanted.join('\n')}\n`);
      expect(split([text])).toEqual({ found: wanted, lines: count });
      expect(split([text.subarray(0, 3), text.subarray(3)])).toEqual({ found: wanted, lines: count });
    }
  });

  it('marks a last line without an end, drops carriage returns and overlong lines', () => {
    const long = Buffer.alloc(3 << 20, 'x');
    const chunks = [Buffer.from('a\r\nb'), long, Buffer.from('y\nc\n'), Buffer.from('d')];
    expect(split(chunks)).toEqual({ found: ['a', 'long', 'c', 'cut:d'], lines: 4 });
    expect(split([long, long]).found).toEqual(['long']);
  });
});
