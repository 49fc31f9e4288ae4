import { closest } from 'fastest-levenshtein';
import { InputError } from '../../core/errors.js';
import { ARROW_MAGIC } from '../arrow-format.js';
import type { TraceImporter } from '../importer.js';
import { refuseOtherForm } from '../trace-forms.js';
import { alibabaDlrmImporter, alibabaOpenbImporter } from './alibaba.js';
import { azureV1Importer } from './azure-v1.js';
import { bpftraceImporter } from './bpftrace.js';
import { bpftraceJsonImporter } from './bpftrace-json.js';
import { csvImporter } from './csv.js';
import { ftraceImporter } from './ftrace.js';
import { mtraceImporter } from './mtrace.js';
import { perfScriptImporter } from './perf-script.js';
import { traceCmdImporter } from './trace-cmd.js';

/** Formats that can be imported, in the order in which they are tried on a text. */
export const IMPORTERS: readonly TraceImporter[] = [
  traceCmdImporter,
  ftraceImporter,
  perfScriptImporter,
  bpftraceImporter,
  bpftraceJsonImporter,
  mtraceImporter,
  azureV1Importer,
  alibabaOpenbImporter,
  alibabaDlrmImporter,
  csvImporter,
];

/** Names of the formats. */
export const IMPORTER_NAMES: readonly string[] = IMPORTERS.map(({ name }) => name);

/** The importer of that name. @throws InputError if there is none. */
export function importerNamed(name: string): TraceImporter {
  const found = IMPORTERS.find((importer) => importer.name === name);
  if (found !== undefined) return found;
  throw new InputError(`unknown trace format '${name}'; did you mean '${closest(name, IMPORTER_NAMES)}'?`, {
    field: 'format',
    allowed: IMPORTER_NAMES.join(', '),
  });
}

/** The importer whose format the first bytes of a text have. @throws InputError if none recognises them, or they are a trace's. */
export function importerFor(head: Uint8Array, file: string): TraceImporter {
  // A trace holds samples of its recording, which look like one.
  if (ARROW_MAGIC.equals(head.subarray(0, ARROW_MAGIC.length))) {
    throw new InputError('is an Arrow file and no recording: traces need no import', { file });
  }
  refuseOtherForm(head, file);
  const found = IMPORTERS.find((importer) => importer.sniff(head));
  if (found !== undefined) return found;
  throw new InputError('is in no format that can be imported', { file, allowed: IMPORTER_NAMES.join(', ') });
}
