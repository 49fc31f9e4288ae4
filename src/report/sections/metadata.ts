import type { ReportSection } from '../content.js';
import { type TimelineMeasure, timelineGroup } from './timeline-group.js';

const MEASURES: readonly TimelineMeasure[] = [
  { column: 'tags', id: 'tags', title: 'Boundary tags and map entries' },
  { column: 'metadata_bytes', id: 'metadata', title: 'Metadata' },
];

/** What bookkeeping costs, over time. */
export const metadataSection: ReportSection = {
  id: 'metadata',
  title: 'Tags, entries and metadata over time',
  render: (data) => {
    const groups = MEASURES.flatMap((measure) => timelineGroup(data, measure) ?? []);
    return groups.length === 0 ? undefined : groups;
  },
};
