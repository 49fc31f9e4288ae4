import type { EventEmitter } from 'node:events';

/**
 * Lets the program finish when the reader of its output has gone, as `kvabench list | head -1` does: what is written
 * after that is lost, files and exit code are not. Any other error of the stream, such as a full disk, goes to `giveUp`.
 */
export function outliveReader(stream: EventEmitter, giveUp: (error: Error) => void): void {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') giveUp(error);
  });
}
