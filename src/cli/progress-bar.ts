import { SingleBar } from 'cli-progress';
import type { Io } from './io.js';

/** How far long work has come. */
export interface Progress {
  show(finished: number, of: number): void;
  stop(): void;
}

/** A bar on stderr where that is a terminal, else nothing; `unit` is what is counted. */
export function progressBar(io: Io, unit: string): Progress {
  if (io.stderr.isTTY !== true) return { show: () => {}, stop: () => {} };
  const bar = new SingleBar({
    format: `{bar} {value}/{total} ${unit}, {eta_formatted} left`,
    stream: io.stderr as NodeJS.WriteStream,
    clearOnComplete: true,
    barsize: 30,
  });
  const show = (finished: number, of: number): void => {
    if (bar.isActive) bar.update(finished);
    else bar.start(of, finished);
  };
  return { show, stop: () => bar.stop() };
}
