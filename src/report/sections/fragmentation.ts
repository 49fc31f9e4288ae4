import type { ReportSection } from '../content.js';
import { type TimelineMeasure, timelineGroup } from './timeline-group.js';

const MEASURES: readonly TimelineMeasure[] = [
  { column: 'hole_ratio', id: 'holes', title: 'Holes between allocated segments' },
  { column: 'external_fragmentation', id: 'external-fragmentation', title: 'External fragmentation' },
  { column: 'va_extent_bytes', id: 'extent', title: 'Address space spanned' },
];

/** How far address space is cut up, over time. */
export const fragmentationSection: ReportSection = {
  id: 'fragmentation',
  title: 'Fragmentation over time',
  render: (data) => {
    const groups = MEASURES.flatMap((measure) => timelineGroup(data, measure) ?? []);
    return groups.length === 0 ? undefined : groups;
  },
};
