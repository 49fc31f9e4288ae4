import { parentPort, workerData } from 'node:worker_threads';
import { InputError } from '../core/errors.js';
import { type ConformanceJob, holdToPromises, type SessionMessage } from './conformance-session.js';

/** What a worker is given. */
export interface ConformanceTask {
  readonly job: ConformanceJob;
  readonly first: number;
}

/** What a worker says; an error's class would be lost on the way between threads. */
export type WorkerMessage =
  | SessionMessage
  | { readonly ready: true }
  | { readonly done: true }
  | { readonly badInput: string };

const { job, first } = workerData as ConformanceTask;
const tell = (message: WorkerMessage): void => parentPort!.postMessage(message);

// From here on time counts: the program's own modules are loaded.
tell({ ready: true });
try {
  await holdToPromises(job, first, tell);
  tell({ done: true });
} catch (error) {
  if (!(error instanceof InputError)) throw error;
  tell({ badInput: error.message });
}
