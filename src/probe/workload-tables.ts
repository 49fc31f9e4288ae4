import { REQUEST_CLASS_NAMES } from '../core/request.js';
import { bytesColumn, countColumn, textColumn } from './column.js';
import type { Column, TableProbe } from './contract.js';
import { LIFETIME_CLASSES } from './request-lifetimes.js';

const CLASS_COLUMN = textColumn('class', 'Request class, as the backend serves it.');

const fromColumn: Column = {
  name: 'from_ns',
  unit: 'ns',
  kind: 'exact',
  better: 'none',
  description:
    'Shortest lifetime of the row: 0 for no time at all, else a power of two; the row ends below twice of it.',
};

/** What sizes the workload asks for. */
export const sizesTable: TableProbe = {
  name: 'sizes',
  title: 'Requests by the size that was asked for, over the whole run',
  when: 'end',
  columns: [
    CLASS_COLUMN,
    bytesColumn(
      'to_bytes',
      'none',
      'Largest size of the row. Sizes up to 64 and multiples of a page up to 64 pages have a row of their own; others share one with sizes less than 1/32 smaller.',
    ),
    countColumn(
      'requests',
      'none',
      'Requests of such a size, granted or not; rows without requests are left out.',
    ),
  ],
  key: ['class', 'to_bytes'],
  rows: ({ requests: { sizes } }) =>
    REQUEST_CLASS_NAMES.flatMap((name, cls) =>
      sizes.steps(cls).map(({ largest, requests }) => [name, largest, requests]),
    ),
};

/** How long the workload keeps what it was given. */
export const lifetimesTable: TableProbe = {
  name: 'lifetimes',
  title: 'Objects by the simulated time from grant to free, over the whole run',
  when: 'end',
  columns: [
    CLASS_COLUMN,
    fromColumn,
    countColumn(
      'objects',
      'none',
      'Objects that were freed after that time; those alive at the end are not among them, and rows without objects are left out.',
    ),
  ],
  key: ['class', 'from_ns'],
  rows: ({ requests: { lifetimes } }) =>
    REQUEST_CLASS_NAMES.flatMap((name, cls) =>
      Array.from({ length: LIFETIME_CLASSES }, (_, index) => index)
        .filter((index) => lifetimes.objectsIn(cls, index) > 0)
        .map((index) => [name, index === 0 ? 0 : 2 ** (index - 1), lifetimes.objectsIn(cls, index)]),
    ),
};
