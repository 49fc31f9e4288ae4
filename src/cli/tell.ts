import { visibleLines } from '../core/visible-text.js';
import type { Io } from './io.js';

/** Writes a message for people to stderr. It may quote what a file holds, so every character of it shows. */
export function tell({ stderr }: Pick<Io, 'stderr'>, message: string): void {
  stderr.write(`kvabench: ${visibleLines(message)}\n`);
}

/** Writes lines for people to stdout, each character of them showing. */
export function print({ stdout }: Pick<Io, 'stdout'>, lines: string): void {
  stdout.write(visibleLines(lines));
}
