import { REQUEST_CLASS_NAMES } from '../core/request.js';
import { countColumn, textColumn } from './column.js';
import type { TableProbe } from './contract.js';
import { Refusal } from './refusals.js';

const REASONS: readonly (readonly [Refusal, string, string])[] = [
  [Refusal.exhausted, 'exhausted', 'Refused while fewer bytes were free than its footprint.'],
  [
    Refusal.fragmented,
    'fragmented',
    'Refused while enough bytes were free, but no free segment was as long as its footprint.',
  ],
  [
    Refusal.constraint,
    'constraint',
    'Refused with a placement constraint while some free segment was as long as its footprint.',
  ],
  [
    Refusal.policy,
    'policy',
    'Refused without a constraint while some free segment was as long as its footprint: what the backend does between ' +
      'request and root (slabs, larger imports, guard pages, its rule for a fit) needed more.',
  ],
];

/** Refused requests by class and reason; the reasons are judged on the root arenas just after the refusal. */
export const failuresTable: TableProbe = {
  name: 'failures',
  title: 'Refused allocations by request class and reason over the whole run',
  when: 'end',
  columns: [
    textColumn('class', 'Request class; one without requests that the backend serves has no row.'),
    countColumn('requests', 'none', 'Allocations of the class asked for, granted or not.'),
    countColumn('failures', 'less', 'Allocations of the class refused: the sum of the columns that follow.'),
    ...REASONS.map(([, name, text]) => countColumn(name, 'less', text)),
  ],
  key: ['class'],
  rows: ({ requests: { sizes, refusals } }) =>
    REQUEST_CLASS_NAMES.flatMap((name, cls) => {
      if (sizes.count(cls) === 0) return [];
      const counts = REASONS.map(([reason]) => refusals.count(cls, reason));
      return [[name, sizes.count(cls), counts.reduce((sum, count) => sum + count), ...counts]];
    }),
};
