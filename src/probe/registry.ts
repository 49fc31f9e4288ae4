import { bytesProbe } from './bytes.js';
import { cachesProbe } from './caches.js';
import type { Column, Probe, RunView, TableProbe } from './contract.js';
import { entriesProbe } from './entries.js';
import { failuresTable } from './failures.js';
import { fragmentationProbe } from './fragmentation.js';
import { guestsTable } from './guests.js';
import { kstackProbe } from './kstack.js';
import { latencyTable } from './latency.js';
import { locksTable } from './locks.js';
import { memlockTable, memlockTimelineTable } from './memlock.js';
import { requestsProbe } from './requests.js';
import { segkpTable } from './segkp.js';
import { spectrumTable } from './spectrum.js';
import { superpagesTable } from './superpages.js';
import { swapTable } from './swap.js';
import { tagsProbe } from './tags.js';
import { unusableTable } from './unusable.js';
import { workProbe } from './work.js';
import { lifetimesTable, sizesTable } from './workload-tables.js';

/** Every probe, in the order of its columns in the result files. */
export const PROBES: readonly Probe[] = [
  requestsProbe,
  bytesProbe,
  fragmentationProbe,
  tagsProbe,
  entriesProbe,
  cachesProbe,
  workProbe,
  kstackProbe,
];

/** Every probe with a table of its own, in the order of the files. */
export const TABLE_PROBES: readonly TableProbe[] = [
  spectrumTable,
  unusableTable,
  failuresTable,
  locksTable,
  latencyTable,
  superpagesTable,
  swapTable,
  segkpTable,
  guestsTable,
  sizesTable,
  lifetimesTable,
  memlockTable,
  memlockTimelineTable,
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
