import { Value } from '@sinclair/typebox/value';
import { describe, expect, it } from 'vitest';
import { Priority, Simulation } from '../../src/core/simulation.js';
import { RULE_SETS } from '../../src/memlock/rule-sets.js';
import type { Field, RunView, TableProbe } from '../../src/probe/contract.js';
import { GuestLimits } from '../../src/probe/guest-limits.js';
import { memlockTable, memlockTimelineTable } from '../../src/probe/memlock.js';
import { RequestFigures } from '../../src/probe/request-figures.js';
import type { Parameters } from '../../src/workload/definition.js';
import { guest } from '../../src/workload/guest.js';
import type { FleetFacts, GuestFleet, GuestMoment } from '../../src/workload/guest-life.js';
import { ToyBackend } from '../support/toy.js';

const GIB = 2 ** 30;
const MIB = 2 ** 20;
const HOUR = 3_600_000_000_000;

const FACTS: FleetFacts = {
  arch: 'x86_64',
  deviceKind: 'pci',
  hasViommu: false,
  initialLimit: 65_536,
  maxMemory: 4,
  dimmRoom: GIB,
};

function moment(hour: number, step: GuestMoment['step'], more: Partial<GuestMoment> = {}): GuestMoment {
  return { time: hour * HOUR, step, guest: 0, bytes: 0, devices: 0, fails: false, ...more };
}

function fleetOf(moments: readonly GuestMoment[], facts: Partial<FleetFacts> = {}): GuestFleet {
  return {
    facts: { ...FACTS, ...facts },
    life: () => {
      const left = [...moments];
      return { next: (until) => (left.length > 0 && left[0]!.time <= until ? left.shift() : undefined) };
    },
  };
}

function viewOf(fleet: GuestFleet, endHour: number): RunView {
  return {
    simulation: new Simulation(1),
    backend: new ToyBackend(),
    requests: new RequestFigures(),
    guestLimits: new GuestLimits(fleet, endHour * HOUR),
  };
}

/** Rows by rule set, with their columns' names. */
function named(probe: TableProbe, view: RunView): Record<string, Record<string, Field>> {
  return Object.fromEntries(
    probe
      .rows(view)
      .map((row) => [
        row[0],
        Object.fromEntries(row.map((field, index) => [probe.columns[index]!.name, field])),
      ]),
  );
}

/** A guest of 2 GiB that has a device for two hours, and stops at the tenth. */
const VISIT = [
  moment(0, 'start', { bytes: 2 * GIB }),
  moment(1, 'attach'),
  moment(3, 'detach'),
  moment(10, 'stop'),
];

describe('memlock.csv', () => {
  it('has nothing of workloads whose guests are not followed', () => {
    const { guestLimits: _limits, ...view } = viewOf(fleetOf([]), 1);
    expect(memlockTable.rows(view)).toEqual([]);
    expect(memlockTimelineTable.rows(view)).toEqual([]);
  });

  it('has a row for each rule set: what a device leaves behind', () => {
    const rows = named(memlockTable, viewOf(fleetOf(VISIT), 12));
    expect(Object.keys(rows)).toEqual(RULE_SETS.map(({ name }) => name));
    const excess = Object.values(rows).map((row) => row.idle_excess_byte_hours);
    const left = 7 * (3 * GIB - 65_536);
    expect(excess).toEqual(RULE_SETS.map((_, index) => (index < 3 ? left : 0)));
    expect(rows['1.3.1']).toMatchObject({
      starts: 1,
      attaches: 1,
      detaches: 1,
      needed_byte_hours: 2 * 3 * GIB + 8 * 65_536,
      locked_byte_hours: 2 * (2 * GIB + 17 * MIB),
      limit_byte_hours: 2 * 3 * GIB + 8 * 65_536,
    });
    expect(rows.posted).toMatchObject({ excess_peak_bytes: 3 * GIB - 65_536, guests_with_excess: 1 });
  });

  it('goes on to the end of the workload, wherever its last request was', () => {
    const running = fleetOf([moment(1, 'start', { bytes: GIB, devices: 1 })]);
    expect(named(memlockTable, viewOf(running, 5))['9.4.0']!.limit_byte_hours).toBe(4 * 2 * GIB);
  });

  it('counts what fails apart from what does not', () => {
    const fleet = fleetOf([
      moment(0, 'start', { bytes: GIB }),
      moment(1, 'attach', { fails: true }),
      moment(2, 'plug', { bytes: GIB, fails: true }),
      moment(3, 'attach'),
      moment(4, 'plug', { bytes: GIB }),
      moment(5, 'unplug', { bytes: GIB }),
    ]);
    const rows = named(memlockTable, viewOf(fleet, 6));
    expect(rows['5.2.0']).toMatchObject({
      attaches: 1,
      failed_attaches: 1,
      detaches: 0,
      plugs: 1,
      failed_plugs: 1,
      unplugs: 1,
    });
    // Until 5.8.0 a failed attach left its limit, and since 7.2.0 an unplugged DIMM does.
    expect(Object.values(rows).map(({ excess_byte_hours: excess }) => excess)).toEqual(
      RULE_SETS.map(({ name }) => {
        if (['5.8.0', '6.0.0'].includes(name)) return 0;
        const isOld =
          RULE_SETS.findIndex((set) => set.name === name) <
          RULE_SETS.findIndex((set) => set.name === '5.8.0');
        const isFirst = ['2015-11-11', 'posted', '1.3.0'].includes(name);
        if (isFirst) return 2 * (2 * GIB - 65_536);
        return isOld ? 2 * GIB - 65_536 : GIB;
      }),
    );
  });

  it('takes a pseries guest as libvirt completes it, with a host bridge more for a device at the start', () => {
    const start = [moment(0, 'start', { bytes: 300 * MIB, devices: 1 })];
    const rows = named(memlockTable, viewOf(fleetOf(start, { arch: 'ppc64le' }), 1));
    const memory = 512 * MIB;
    const most = 1536 * MIB;
    const withBridges = (bridges: number) =>
      most / 128 +
      4 * MIB * bridges +
      8 * MIB +
      Math.max(2 * GIB * bridges, memory + (memory / 512) * bridges + 8 * MIB);
    expect(rows['3.2.0']!.limit_byte_hours).toBe(withBridges(1));
    expect(rows['3.6.0']!.limit_byte_hours).toBe(withBridges(2));
    const without = named(memlockTable, viewOf(fleetOf(start, { arch: 'ppc64le', maxMemory: 0 }), 1));
    expect(rows['3.6.0']!.limit_byte_hours as number).toBeGreaterThan(
      without['3.6.0']!.limit_byte_hours as number,
    );
  });
});

describe('memlock-timeline.csv', () => {
  it('has the sums of the moment', () => {
    const view = viewOf(fleetOf(VISIT), 12);
    const seen: unknown[] = [];
    const look = () => {
      const row = named(memlockTimelineTable, view)['1.3.0']!;
      seen.push([row.guests, row.limit_bytes, row.locked_bytes, row.idle_excess_bytes]);
    };
    const handler = view.simulation.register({ fire: look });
    for (const hour of [0, 2, 4, 11]) view.simulation.schedule(hour * HOUR, Priority.sample, handler, 0);
    view.simulation.workloadStarted();
    view.simulation.run();
    expect(seen).toEqual([
      [1, 65_536, 0, 0],
      [1, 3 * GIB, 2 * GIB + 17 * MIB, 0],
      [1, 3 * GIB, 0, 3 * GIB - 65_536],
      [0, 0, 0, 0],
    ]);
  });
});

describe('a generated fleet', () => {
  const rowsOf = (overrides: Parameters) => {
    const given = {
      memlock: 'x86_64',
      duration: 24 * HOUR,
      arrival: HOUR / 6,
      devices: 2,
      attach_failure: 10,
      ...overrides,
    };
    const { guests, durationNs } = guest.create(Value.Default(guest.parameters, given) as Parameters, 1);
    return memlockTable.rows(viewOf(guests!, durationNs / HOUR));
  };

  it('has the same limits on every architecture but ppc64, for none has a rule of its own', () => {
    const x86 = rowsOf({});
    expect(rowsOf({ memlock: 'aarch64' })).toEqual(x86);
    expect(rowsOf({ memlock: 's390x' })).toEqual(x86);
    expect(rowsOf({ memlock: 'ppc64le' })).not.toEqual(x86);
  });

  it('leaves no excess from 5.8.0 to 6.0.0 where no guest starts with a device, and does before and after', () => {
    const names = memlockTable.columns.map(({ name }) => name);
    const excess = rowsOf({ device_share: 0, unplug_every: HOUR / 4 }).map((row) => [
      row[0],
      row[names.indexOf('excess_byte_hours')] === 0,
    ]);
    expect(excess.filter(([, isNone]) => isNone).map(([name]) => name)).toEqual(['5.8.0', '6.0.0']);
  });

  it('has the same figures however often it is looked at', () => {
    const make = () => {
      const given = { memlock: 'x86_64', duration: 24 * HOUR, arrival: HOUR / 6 };
      const { guests, durationNs } = guest.create(Value.Default(guest.parameters, given) as Parameters, 1);
      return new GuestLimits(guests!, durationNs);
    };
    const often = make();
    for (let hour = 0; hour <= 30; hour++) often.advance(hour * HOUR);
    const once = make();
    once.advance(once.end);
    expect(often.fleets.map((fleet) => fleet.byteHours('limit'))).toEqual(
      once.fleets.map((fleet) => fleet.byteHours('limit')),
    );
    expect(often.steps).toEqual(once.steps);
    expect(once.steps.attach).toBeGreaterThan(5);
  });
});
