import { InputError } from '../core/errors.js';
import type { Trace } from '../trace/trace.js';

/** Opens a trace file. @throws InputError: no reader of trace files is part of this build. */
export function openTrace(path: string): Trace {
  throw new InputError('this build cannot read trace files', { file: path });
}
