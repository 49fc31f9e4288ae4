import { countColumn, textColumn } from './column.js';
import type { TableProbe } from './contract.js';

/** Which locks the kernel's code would have taken, and how often. */
export const locksTable: TableProbe = {
  name: 'locks',
  title: 'Acquisitions of simulated locks by name over the whole run',
  when: 'end',
  columns: [
    textColumn('lock', 'Name of the lock; locks of one kind (of each arena, of each CPU) share theirs.'),
    countColumn('acquisitions', 'less', 'Acquisitions, never contended here.'),
  ],
  key: ['lock'],
  rows: ({ simulation }) => [...simulation.locks.byName()],
};
