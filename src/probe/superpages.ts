import { REQUEST_CLASS_NAMES, RequestClass } from '../core/request.js';
import { countColumn, ratio, ratioColumn, textColumn } from './column.js';
import type { Field, TableProbe } from './contract.js';

/**
 * Whether the address space of each class but stacks could be mapped by superpages, where a backend knows the pages of each
 * extent: what moving the stacks out of the heap's range is said to help (D38852).
 */
export const superpagesTable: TableProbe = {
  name: 'superpages',
  title:
    '2 MiB extents of address space that each class of requests has pages of, at each sample point; only of backends that know them',
  when: 'sample',
  isOptional: true,
  columns: [
    textColumn('class', 'Request class; kstack, and one without live requests, has no row.'),
    countColumn('extents', 'less', '2 MiB-aligned extents of address space with a live page of the class.'),
    countColumn(
      'whole',
      'none',
      'Of these, extents all of whose 512 pages are of live requests of the class: a superpage could map them now.',
    ),
    countColumn(
      'with_stacks',
      'less',
      'Of these, extents in which a live kernel stack or its guard page lies: no superpage while it lives.',
    ),
    countColumn('with_others', 'less', 'Of these, extents in which pages of other classes than kstack lie.'),
    ratioColumn('whole_share', 'more', 'whole / extents.'),
    ratioColumn('stack_share', 'less', 'with_stacks / extents.'),
  ],
  key: ['class'],
  rows({ backend }) {
    const { extents, serves } = backend;
    if (extents === undefined) return [];
    const rows: Field[][] = [];
    for (const cls of [...serves].sort((a, b) => a - b)) {
      const figures = extents.extentFigures(cls);
      if (cls === RequestClass.kstack || figures.extents === 0) continue;
      const { extents: count, whole, withStacks, withOthers } = figures;
      const shares = [ratio(whole, count), ratio(withStacks, count)];
      rows.push([REQUEST_CLASS_NAMES[cls]!, count, whole, withStacks, withOthers, ...shares]);
    }
    return rows;
  },
};
