import { SingleBar } from 'cli-progress';
import type { Io } from './io.js';

/** Shows how far a run has come. */
export interface Progress {
  show(ended: number, cells: number): void;
  stop(): void;
}

/** A bar on stderr where that is a terminal, else nothing. */
export function progressBar(io: Io): Progress {
  if (io.stderr.isTTY !== true) return { show: () => {}, stop: () => {} };
  const bar = new SingleBar({
    format: '{bar} {value}/{total} cells, {eta_formatted} left',
    stream: io.stderr as NodeJS.WriteStream,
    clearOnComplete: true,
    barsize: 30,
  });
  const show = (ended: number, cells: number): void => {
    if (bar.isActive) bar.update(ended);
    else bar.start(cells, ended);
  };
  return { show, stop: () => bar.stop() };
}
