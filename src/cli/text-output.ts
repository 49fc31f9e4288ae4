import { writeWhole } from '../core/files.js';
import type { Io } from './io.js';
import { singleOption } from './option-values.js';

/** Characters of a line where nobody says how many: of an old terminal, and of mail. */
const DEFAULT_WIDTH = 80;
/** Below it, nothing is read with ease. */
const NARROWEST = 40;

/**
 * Characters that a line of text may have: what the variable COLUMNS says, else the width of the terminal if the text
 * goes to one.
 */
export function textWidth({ stdout, env }: Pick<Io, 'stdout' | 'env'>, isFile = false): number {
  const asked = /^[1-9]\d{0,5}$/.test(env.COLUMNS ?? '') ? Number(env.COLUMNS) : undefined;
  const terminal = isFile ? undefined : stdout.columns;
  return Math.max(NARROWEST, asked ?? (terminal || undefined) ?? DEFAULT_WIDTH);
}

/** Where text goes. */
export interface TextDestination {
  /** Characters that a line may have. */
  readonly width: number;
  readonly isTerminal: boolean;
}

/** Prints text, or writes it to the file that the option --out names. @throws InputError if that cannot be written. */
export function writeText(
  args: Readonly<Record<string, unknown>>,
  io: Io,
  text: (destination: TextDestination) => string,
): void {
  const out = singleOption(args, 'out', String);
  if (out === undefined || out === '-') {
    io.stdout.write(text({ width: textWidth(io), isTerminal: io.stdout.isTTY === true }));
  } else writeWhole(out, text({ width: textWidth(io, true), isTerminal: false }));
}
