import { Worker } from 'node:worker_threads';
import { brokenPromise, PROMISES, type Verdict } from '../conformance/promises.js';
import { InputError } from '../core/errors.js';
import { type ConformanceJob, holdToPromises } from './conformance-session.js';
import type { ConformanceTask, WorkerMessage } from './conformance-worker.js';
import { WORKERS_AVAILABLE } from './matrix.js';

/** Heap that a backend may fill: none of those that are shipped needs a tenth of it. */
const HEAP_MIB = 2048;

/** How a backend is judged. */
export interface ConformanceOptions {
  /** Seconds that loading, and each promise, may take. Kept only where there are worker threads. */
  readonly timeLimit: number;
  /** Called with each verdict as it is reached. */
  onVerdict(label: string, verdict: Verdict): void;
}

/**
 * Holds a backend to every promise, in a thread that can be stopped where it does not return.
 * @throws InputError for a file that is no backend, bad parameters, or a file that does not get loaded in time.
 */
export async function judgeBackend(job: ConformanceJob, options: ConformanceOptions): Promise<void> {
  if (!WORKERS_AVAILABLE) {
    await judgeHere(job, options);
    return;
  }
  let label = job.backend;
  for (let first = 0; first < PROMISES.length; ) {
    const session = new Session(job, first, label, options);
    first = await session.ended;
    label = session.label;
  }
}

async function judgeHere(job: ConformanceJob, options: ConformanceOptions): Promise<void> {
  let label = job.backend;
  await holdToPromises(job, 0, (message) => {
    if ('label' in message) label = message.label;
    else if ('verdict' in message) options.onVerdict(label, message.verdict);
  });
}

/** One thread at work, until it has judged all promises or has to be stopped at one of them. */
class Session {
  /** The first promise that has not been judged. */
  readonly ended: Promise<number>;
  private readonly worker: Worker;
  private timer: NodeJS.Timeout | undefined;
  /** Number of the promise that is being judged; -1 while the backend is being loaded. */
  private current = -1;
  private resolve!: (next: number) => void;
  private reject!: (error: Error) => void;

  constructor(
    private readonly job: ConformanceJob,
    first: number,
    public label: string,
    private readonly options: ConformanceOptions,
  ) {
    this.ended = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    const workerData: ConformanceTask = { job, first };
    this.worker = new Worker(new URL('./conformance-worker.js', import.meta.url), {
      workerData,
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MIB },
    });
    this.worker.on('message', (message: WorkerMessage) => this.hear(message));
    this.worker.on('error', (error) => this.fail(error));
    this.worker.on('exit', (code) => this.breakOff(`the backend ended its thread (exit code ${code})`));
  }

  private hear(message: WorkerMessage): void {
    if ('badInput' in message) this.stop(() => this.reject(new InputError(message.badInput)));
    else if ('done' in message) this.stop(() => this.resolve(PROMISES.length));
    else if ('ready' in message) this.startClock();
    else if ('label' in message) this.label = message.label;
    else if ('verdict' in message) this.options.onVerdict(this.label, message.verdict);
    else {
      this.current = message.started;
      this.startClock();
    }
  }

  private startClock(): void {
    const { timeLimit } = this.options;
    clearTimeout(this.timer);
    const late = (): void => this.breakOff(`it did not return within ${timeLimit} s (--time-limit)`);
    this.timer = setTimeout(late, timeLimit * 1000);
  }

  /** What a thread throws is the backend's fault if it ran out of memory, else ours. */
  private fail(error: Error): void {
    const isMemory = 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY';
    if (isMemory) this.breakOff(error.message);
    else this.stop(() => this.reject(error));
  }

  /** Ends the session at the promise that is being judged, which is broken. */
  private breakOff(reason: string): void {
    const { current, label, job } = this;
    this.stop(() => {
      if (current < 0) {
        this.reject(new InputError(`the backend cannot be loaded: ${reason}`, { file: job.backend }));
        return;
      }
      this.options.onVerdict(label, brokenPromise(PROMISES[current]!.name, reason));
      this.resolve(current + 1);
    });
  }

  private stop(then: () => void): void {
    clearTimeout(this.timer);
    this.worker.removeAllListeners();
    void this.worker.terminate().then(then, this.reject);
  }
}
