import { countColumn } from './column.js';
import type { Probe, RunView } from './contract.js';

/** What was asked and what was refused. */
export const requestsProbe: Probe = {
  name: 'requests',
  columns: [
    countColumn('allocs', 'none', 'Allocations that the backend granted.'),
    countColumn('frees', 'none', 'Frees of granted allocations.'),
    countColumn('failures', 'less', 'Allocations that the backend refused because it was exhausted.'),
    countColumn(
      'skipped_frees',
      'none',
      'Frees of objects whose allocation had been refused; not passed on.',
    ),
    countColumn(
      'unserved',
      'none',
      'Allocations and frees of request classes that the backend does not serve; not passed on.',
    ),
    countColumn(
      'actions',
      'none',
      'Other events that the backend took: swapping of stacks, devices and balloons of guests, memory pressure.',
    ),
    countColumn(
      'skipped_actions',
      'none',
      'Such events that the backend has no model of, or whose object had been refused; not passed on.',
    ),
    countColumn('live_objects', 'none', 'Granted allocations that are not freed yet.'),
    countColumn('peak_live_objects', 'none', 'Largest number of live objects so far, after any request.'),
  ],
  sample({ requests }: RunView, row: Float64Array, at: number): void {
    row[at] = requests.allocs;
    row[at + 1] = requests.frees;
    row[at + 2] = requests.failures;
    row[at + 3] = requests.skippedFrees;
    row[at + 4] = requests.unserved;
    row[at + 5] = requests.actions;
    row[at + 6] = requests.skippedActions;
    row[at + 7] = requests.liveObjects;
    row[at + 8] = requests.peakLiveObjects;
  },
};
