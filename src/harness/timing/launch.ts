import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { ENGINE_FLAGS } from '../../core/engine-flags.js';
import type { Measurement, TimingJob } from './measure.js';
import type { TimingAnswer } from './timing-process.js';

/** How the measuring of one job ended. */
export type TimingEnd =
  | { readonly end: 'measured'; readonly measurement: Measurement }
  /** `problem` is one line. */
  | { readonly end: 'failed'; readonly problem: string }
  | { readonly end: 'interrupted' };

/** Measures a job somewhere; `signal` stops it at once. */
export type Measure = (job: TimingJob, signal: AbortSignal) => Promise<TimingEnd>;

const ENTRY = fileURLToPath(new URL('./timing-process.js', import.meta.url));

/** As much of a process' last words as is kept. */
const LAST_WORDS = 16_384;

/** Measures a job in a process of its own, with the program's flags of V8; `entry` is its compiled main module. */
export async function launchTiming(
  job: TimingJob,
  signal: AbortSignal,
  entry: string = ENTRY,
): Promise<TimingEnd> {
  if (signal.aborted) return { end: 'interrupted' };
  const child = fork(entry, {
    execArgv: [...ENGINE_FLAGS],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    serialization: 'advanced',
  });
  const kill = (): void => void child.kill('SIGKILL');
  signal.addEventListener('abort', kill);
  try {
    return await converse(child, job, signal);
  } finally {
    signal.removeEventListener('abort', kill);
  }
}

async function converse(child: ChildProcess, job: TimingJob, signal: AbortSignal): Promise<TimingEnd> {
  let answer: TimingAnswer | undefined;
  let words = '';
  child.on('message', (message: TimingAnswer) => {
    answer = message;
  });
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    words = (words + text).slice(-LAST_WORDS);
  });
  // A process that ends before it has read its job makes the sending fail; how it ended says more.
  child.send(job, () => {});
  const [code, killedBy] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  // A terminal's Ctrl-C reaches the child as well, and maybe first.
  if (signal.aborted || killedBy === 'SIGINT') return { end: 'interrupted' };
  if (code === 0 && answer !== undefined) {
    return 'badInput' in answer
      ? { end: 'failed', problem: answer.badInput }
      : { end: 'measured', measurement: answer.measurement };
  }
  const how = killedBy === null ? `ended with code ${code}` : `was killed by ${killedBy}`;
  return { end: 'failed', problem: `its process ${how}${saying(words)}` };
}

/** The line of a process' last words that names an error, else the last one. */
function saying(words: string): string {
  const lines = words
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  const line = lines.find((text) => /^(\w*Error|FATAL ERROR)\b.*:/.test(text)) ?? lines.at(-1);
  return line === undefined ? '' : `: ${line}`;
}
