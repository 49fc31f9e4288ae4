import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { InputError } from '../core/errors.js';
import { readAt, statusOf, withFile } from './open-file.js';
import { PARQUET_MAGIC } from './parquet-format.js';

/** How a trace as CSV begins; its metadata follow. */
export const TRACE_CSV_BEGIN = '# kvabench trace ';

/** What a trace becomes besides the Arrow file that everything else reads, by the first bytes. */
const FORMS: readonly (readonly [magic: Buffer, name: string])[] = [
  [PARQUET_MAGIC, 'a Parquet file'],
  [Buffer.from(TRACE_CSV_BEGIN), 'a trace as CSV'],
];

/** Bytes that tell these forms apart. */
const HEAD_BYTES = Math.max(...FORMS.map(([magic]) => magic.length));

/**
 * Says what makes a trace of a file that `kvabench trace convert` wrote, where one was given that it must be made of first.
 * @throws InputError if `head`, the beginning of the file, is that of Parquet or of a trace as CSV.
 */
export function refuseOtherForm(head: Uint8Array, file: string): void {
  const form = FORMS.find(([magic]) => magic.equals(head.subarray(0, magic.length)));
  if (form === undefined) return;
  const allowed = `a trace: ${convertCommand(file)} makes one of it`;
  throw new InputError(`is ${form[1]}, which has to be converted first`, { file, allowed });
}

/** Holds a regular file of this path, if there is one, against `refuseOtherForm`. @throws InputError as that does. */
export function refuseFileOfOtherForm(path: string): void {
  if (!existsSync(path) || statusOf(path)?.isFile() !== true) return;
  withFile(path, (descriptor) => refuseOtherForm(readAt(descriptor, 0, HEAD_BYTES), path));
}

/** Ready to be run where the name means the same to a shell and is no option. */
function convertCommand(file: string): string {
  const isPlain = /^[\w./][\w./-]*$/.test(file);
  const name = basename(file).replace(/(\.csv|\.parquet)?(\.gz|\.zst)?$/i, '');
  return `kvabench trace convert ${isPlain ? `${file} --out ${name}.arrow` : 'FILE --out TRACE.arrow'}`;
}
