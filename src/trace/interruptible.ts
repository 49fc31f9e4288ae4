import { setImmediate } from 'node:timers/promises';

/**
 * A moment in long work that never waits by itself, in which an interrupt is noticed.
 * @throws the signal's reason if it gave the work up.
 */
export async function pause(signal?: AbortSignal): Promise<void> {
  await setImmediate();
  signal?.throwIfAborted();
}

/**
 * The parts of long work that never waits by itself, with a pause before each.
 * @throws the signal's reason if it gave the work up.
 */
export async function* interruptible<T>(
  parts: Iterable<T> | AsyncIterable<T>,
  signal?: AbortSignal,
): AsyncGenerator<T> {
  for await (const part of parts) {
    await pause(signal);
    yield part;
  }
}
