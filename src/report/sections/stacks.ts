import type { ReportSection } from '../content.js';
import { type TimelineMeasure, timelineGroup } from './timeline-group.js';

const MEASURES: readonly TimelineMeasure[] = [
  { column: 'stack_reservation_fill', id: 'reservation-fill', title: 'Fill of page reservations' },
  { column: 'stack_reservations', id: 'reservations', title: 'Reservations touched' },
  { column: 'stack_reservations_partial', id: 'reservations-partial', title: 'Reservations in part in use' },
  { column: 'stack_objects', id: 'stack-objects', title: 'VM objects of stacks' },
];

/** How kernel stacks lie in reservations and objects, where a backend models them. */
export const stacksSection: ReportSection = {
  id: 'stacks',
  title: 'Kernel stacks in physical memory',
  render: (data) => {
    const groups = MEASURES.flatMap((measure) => timelineGroup(data, measure) ?? []);
    return groups.length === 0 ? undefined : groups;
  },
};
