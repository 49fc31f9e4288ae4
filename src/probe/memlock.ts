import type { LimitSums } from '../memlock/fleet-limits.js';
import { bytesColumn, countColumn, textColumn } from './column.js';
import type { Column, Field, TableProbe } from './contract.js';

const RULES = textColumn(
  'rules',
  'Rule set of libvirt, by the release that brought it; a row each, oldest first, where the workload has its guests followed.',
);

/** An exact column of bytes times hours: whole ones, rounded down. */
function byteHoursColumn(name: string, better: Column['better'], description: string): Column {
  return { name, unit: 'byte-hours', kind: 'exact', better, description };
}

const SUM_TEXT: Readonly<Record<keyof LimitSums, readonly [string, Column['better'], string]>> = {
  limit: ['limit', 'none', 'Locked-memory limits of all guests together'],
  needed: ['needed', 'none', 'What the rules say that they need, or the initial limit where that is more'],
  locked: ['locked', 'none', 'What they have locked'],
  excess: ['excess', 'less', 'Limits beyond what is needed, guest by guest'],
  idleExcess: ['idle_excess', 'less', 'Of this, that of guests without a device'],
};
const SUMS = Object.keys(SUM_TEXT) as readonly (keyof LimitSums)[];

/** Locked-memory limits over a whole run, by rule set; see GuestLimits. */
export const memlockTable: TableProbe = {
  name: 'memlock',
  title: 'Locked-memory limits of guests over the whole run, by rule set of libvirt, whatever the backend',
  when: 'end',
  isOptional: true,
  columns: [
    RULES,
    countColumn('starts', 'none', 'Guests started.'),
    countColumn('attaches', 'none', 'Devices attached to running guests.'),
    countColumn('failed_attaches', 'none', 'Attaches that failed at their last step and were rolled back.'),
    countColumn('detaches', 'none', 'Devices detached from running guests.'),
    countColumn('plugs', 'none', 'DIMMs plugged in.'),
    countColumn('failed_plugs', 'none', 'Plugs that failed at their last step and were rolled back.'),
    countColumn('unplugs', 'none', 'DIMMs unplugged.'),
    countColumn(
      'refused_starts',
      'less',
      'Of the starts, those after which more would be locked than may be.',
    ),
    countColumn('refused_attaches', 'less', 'Of the attaches, likewise.'),
    countColumn('refused_plugs', 'less', 'Of the plugs, likewise.'),
    ...SUMS.map((sum) => {
      const [name, better, text] = SUM_TEXT[sum];
      return byteHoursColumn(`${name}_byte_hours`, better, `${text}, over time.`);
    }),
    bytesColumn('excess_peak_bytes', 'less', 'Largest excess of all guests together at any time.'),
    countColumn('guests_with_excess', 'less', 'Guests that had an excess at some time.'),
  ],
  key: ['rules'],
  rows({ guestLimits }) {
    if (guestLimits === undefined) return [];
    guestLimits.advance(guestLimits.end);
    const { steps, failedAttaches, failedPlugs } = guestLimits;
    const { start, attach, detach, plug, unplug } = steps;
    return guestLimits.fleets.map((fleet) => [
      fleet.rules.name,
      ...[start, attach, failedAttaches, detach, plug, failedPlugs, unplug],
      ...[fleet.refused.start, fleet.refused.attach, fleet.refused.plug],
      ...SUMS.map((sum) => Number(fleet.byteHours(sum))),
      Number(fleet.excessPeak),
      fleet.guestsWithExcess,
    ]);
  },
};

/** The same sums at each sample point. */
export const memlockTimelineTable: TableProbe = {
  name: 'memlock-timeline',
  title: 'Locked-memory limits of guests at each sample point, by rule set of libvirt, whatever the backend',
  when: 'sample',
  isOptional: true,
  columns: [
    RULES,
    countColumn('guests', 'none', 'Guests that run.'),
    ...SUMS.map((sum) => {
      const [name, better, text] = SUM_TEXT[sum];
      return bytesColumn(`${name}_bytes`, better, `${text}.`);
    }),
  ],
  key: ['rules'],
  rows({ guestLimits, simulation }): Field[][] {
    if (guestLimits === undefined) return [];
    guestLimits.advance(simulation.now);
    return guestLimits.fleets.map(({ rules, guests, now }) => [
      rules.name,
      guests,
      ...SUMS.map((sum) => Number(now[sum])),
    ]);
  },
};
