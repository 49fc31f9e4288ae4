import { bytesProbe } from './bytes.js';
import { cachesProbe } from './caches.js';
import type { Column, Probe, RunView } from './contract.js';
import { fragmentationProbe } from './fragmentation.js';
import { requestsProbe } from './requests.js';
import { tagsProbe } from './tags.js';
import { workProbe } from './work.js';

/** Every probe, in the order of its columns in the result files. */
export const PROBES: readonly Probe[] = [
  requestsProbe,
  bytesProbe,
  fragmentationProbe,
  tagsProbe,
  cachesProbe,
  workProbe,
];

/** Columns of all probes, one after the other. */
export const PROBE_COLUMNS: readonly Column[] = PROBES.flatMap((probe) => probe.columns);

/** One row of all probes' figures, in the order of PROBE_COLUMNS. */
export function sampleProbes(run: RunView): Float64Array {
  const row = new Float64Array(PROBE_COLUMNS.length);
  let at = 0;
  for (const probe of PROBES) {
    probe.sample(run, row, at);
    at += probe.columns.length;
  }
  return row;
}
