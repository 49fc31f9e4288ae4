import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { ZSTDDecoder } from 'zstddec/stream';

/** Bytes given to the decoder at a time: little, because a damaged stream keeps what it was given. */
const PIECE_BYTES = 64 * 1024;
/** Calls in a row without input or output, of which a sound stream needs none. */
const IDLE_CALLS = 100;

/** Pieces that a generator takes while more may be added. */
class PieceQueue implements Iterable<Uint8Array> {
  readonly pieces: Uint8Array[] = [];
  taken = 0;

  add(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length; at += PIECE_BYTES) {
      this.pieces.push(new Uint8Array(chunk.subarray(at, at + PIECE_BYTES)));
    }
  }

  *[Symbol.iterator](): Generator<Uint8Array> {
    for (let piece = this.pieces.shift(); piece !== undefined; piece = this.pieces.shift()) {
      this.taken++;
      yield piece;
    }
  }
}

/**
 * A closed port: memory that is sent there is given back at once, and not by the next collection, dozens of megabytes later.
 */
function closedPort(): MessagePort {
  const { port1 } = new MessageChannel();
  port1.close();
  return port1;
}

/**
 * Does something that is not to see `fetch` when it begins. zstddec reads its own code through it where there is one, for
 * which Node.js loads an HTTP client and the certificates that it trusts: 30 ms and 10 MB.
 */
function withoutFetch<T>(action: () => T): T {
  const property = Object.getOwnPropertyDescriptor(globalThis, 'fetch');
  if (property?.configurable !== true) return action();
  Reflect.deleteProperty(globalThis, 'fetch');
  try {
    return action();
  } finally {
    Object.defineProperty(globalThis, 'fetch', property);
  }
}

/**
 * Unpacks zstd with windows up to 128 MiB (as `zstd --long=27` makes them), 128 KiB at a time, so that memory is
 * bounded whatever a file unpacks to: by the window. A piece is valid until the next one is asked for. Not: zlib of Node.js, which has zstd only from 22.15 on.
 * @throws Error where the stream is damaged or cut.
 */
export async function* zstdUnpacked(stored: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  const decoder = new ZSTDDecoder();
  await withoutFetch(() => decoder.init());
  const queue = new PieceQueue();
  const nowhere = closedPort();
  const input = stored[Symbol.asyncIterator]();
  const output = decoder.decodeStreaming(queue);
  for (let idle = 0, taken = 0, ended = false; ; ) {
    // A step of the decoder takes one piece at most; it must not find the queue empty before the input has ended.
    while (!ended && queue.pieces.length === 0) {
      const { done, value } = await input.next();
      if (done === true) ended = true;
      else queue.add(value);
    }
    const { done, value } = output.next();
    if (done === true) return;
    // The decoder says nothing about damage: it stands still.
    idle = value.length > 0 || queue.taken > taken ? 0 : idle + 1;
    taken = queue.taken;
    if (idle > IDLE_CALLS) throw new Error('damaged zstd data');
    if (value.length > 0) yield Buffer.from(value.buffer, value.byteOffset, value.byteLength);
    nowhere.postMessage(undefined, [value.buffer as ArrayBuffer]);
  }
}
