/** Where bad input was found; every part that is known is printed. */
export interface InputPlace {
  /** Path or URL of the input as the user named it. */
  readonly file?: string;
  /** 1-based. */
  readonly line?: number;
  /** 1-based. */
  readonly column?: number;
  /** Name of the field, option or column that is wrong. */
  readonly field?: string;
  /** What would have been accepted. */
  readonly allowed?: string;
}

/**
 * Bad usage or bad input: the command line prints `message` alone, without a stack trace, and exits 1.
 * The message reads `file:line:column: field: what is wrong (allowed: …)`.
 */
export class InputError extends Error {
  override readonly name = 'InputError';
  readonly place: InputPlace;

  constructor(problem: string, place: InputPlace = {}) {
    super(composeMessage(problem, place));
    this.place = place;
  }
}

function composeMessage(problem: string, place: InputPlace): string {
  const position = [place.file, place.line, place.column].filter((part) => part !== undefined).join(':');
  const parts = [position, place.field, problem].filter((part) => part !== undefined && part !== '');
  const allowed = place.allowed === undefined ? '' : ` (allowed: ${place.allowed})`;
  return parts.join(': ') + allowed;
}

/** A caller broke the contract of an allocator, for example by freeing twice. Carries every argument. */
export class MisuseError extends RangeError {
  override readonly name = 'MisuseError';

  constructor(problem: string, args: Readonly<Record<string, unknown>>) {
    const list = Object.entries(args).map(([key, value]) => `${key}=${String(value)}`);
    super(`${problem} [${list.join(' ')}]`);
  }
}

/** A model's own state contradicts itself: a bug of ours, never of the input. `dump` shows the state. */
export class InvariantError extends Error {
  override readonly name = 'InvariantError';
  readonly dump: string;

  constructor(problem: string, dump = '') {
    super(dump === '' ? problem : `${problem}\n${dump}`);
    this.dump = dump;
  }
}
