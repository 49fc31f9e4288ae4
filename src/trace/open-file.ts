import { closeSync, fstatSync, openSync, readSync, type Stats, statSync } from 'node:fs';
import { InputError } from '../core/errors.js';
import { systemProblem } from './system-problem.js';

/**
 * Opens a file of a trace, which is read in parts; to be closed.
 * @throws InputError if it cannot be read or is no regular file.
 */
export function openRegular(path: string): number {
  try {
    const descriptor = openSync(path, 'r');
    if (fstatSync(descriptor).isFile()) return descriptor;
    closeSync(descriptor);
  } catch (error) {
    throw new InputError(`cannot read the trace: ${systemProblem(error)}`, { file: path });
  }
  throw new InputError('cannot read the trace: not a regular file', { file: path });
}

/** Does something with a file and closes it. @throws InputError as `openRegular`, and what `use` throws. */
export function withFile<T>(path: string, use: (descriptor: number) => T): T {
  const descriptor = openRegular(path);
  try {
    return use(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** What there is at a path, or undefined. @throws InputError where that cannot be said: a file taken for a folder, say. */
export function statusOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    throw new InputError(`cannot be used: ${systemProblem(error)}`, { file: path });
  }
}

/** Whether this is a regular file that begins with some bytes: nothing is taken out of a pipe. */
export function beginsWith(path: string, magic: Buffer): boolean {
  if (!(statusOf(path)?.isFile() ?? false)) return false;
  return withFile(path, (descriptor) => readAt(descriptor, 0, magic.length).equals(magic));
}

/** The bytes of a part of a file, as far as it has them. */
export function readAt(descriptor: number, position: number, length: number): Buffer {
  return readInto(Buffer.alloc(length), descriptor, position);
}

/** Fills `bytes` from the file; returns those that it had. */
export function readInto(bytes: Buffer, descriptor: number, position: number): Buffer {
  let done = 0;
  for (let more = 1; more > 0 && done < bytes.length; done += more) {
    more = readSync(descriptor, bytes, done, bytes.length - done, position + done);
  }
  return bytes.subarray(0, done);
}
