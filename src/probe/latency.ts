import { REQUEST_CLASS_NAMES } from '../core/request.js';
import { countColumn, textColumn } from './column.js';
import type { Field, TableProbe } from './contract.js';
import { Outcome, type RequestWork, WORK_CLASSES } from './request-work.js';

const OUTCOME_NAMES = Object.keys(Outcome) as readonly (keyof typeof Outcome)[];

/** Latency of requests in units of counted work. */
export const latencyTable: TableProbe = {
  name: 'work',
  title: 'Requests by the work that each was (searches + lookups of all arenas), over the whole run',
  when: 'end',
  columns: [
    textColumn('class', 'Request class.'),
    textColumn('outcome', 'granted: an allocation that succeeded; refused: one that failed; freed: a free.'),
    countColumn(
      'from_work',
      'none',
      'Least work of the row: 0 for no work at all, else a power of two; the row ends below twice of it.',
    ),
    countColumn('requests', 'none', 'Requests with that much work; rows without requests are left out.'),
    countColumn('work', 'less', 'Their work together.'),
  ],
  key: ['class', 'outcome', 'from_work'],
  rows: ({ requests: { work } }) =>
    REQUEST_CLASS_NAMES.flatMap((name, cls) =>
      OUTCOME_NAMES.flatMap((outcome) => histogram(work, cls, outcome).map((row) => [name, outcome, ...row])),
    ),
};

function histogram(work: RequestWork, cls: number, outcome: keyof typeof Outcome): Field[][] {
  const rows: Field[][] = [];
  for (let workClass = 0; workClass < WORK_CLASSES; workClass++) {
    const requests = work.requestsIn(cls, Outcome[outcome], workClass);
    const least = workClass === 0 ? 0 : 2 ** (workClass - 1);
    if (requests > 0) rows.push([least, requests, work.workIn(cls, Outcome[outcome], workClass)]);
  }
  return rows;
}
