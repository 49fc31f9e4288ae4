import { Type } from '@sinclair/typebox';
import { InputError } from '../core/errors.js';
import { constraintTable, RequestClass } from '../core/request.js';
import { type Bytes, formatDuration, GIB, KIB, type Nanoseconds, roundUp, SECOND } from '../core/units.js';
import type { Workload } from './contract.js';
import type { Parameters, WorkloadDefinition } from './definition.js';
import {
  DEVICE_KINDS,
  type DeviceKind,
  FLEET_ARCHITECTURES,
  type FleetArchitecture,
  type FleetFacts,
  SourceLife,
} from './guest-life.js';
import { GUEST_MIXES, type GuestMix, GuestSizes } from './guest-sizes.js';
import { BHYVE_SEGMENT, type GuestOptions, GuestSource, segmentsPerGuest } from './guest-source.js';
import { sourceWorkload } from './source-workload.js';

/** With all of their DIMMs these need fewer than 2^31 object slots. */
const MOST_GUESTS = 2 ** 22;

/** More than a guest of any architecture is known to have. */
const MOST_DEVICES = 32;

const HOUR = 3600 * SECOND;

const duration = (minimum: number, value: Nanoseconds, description: string) =>
  Type.Number({ format: 'duration', minimum, maximum: 2 ** 52, default: value, description });
const length = (minimum: number, value: Bytes, description: string) =>
  Type.Number({ format: 'bytes', minimum, maximum: 2 ** 50, default: value, description });
const percent = (minimum: number, value: number, description: string) =>
  Type.Integer({ minimum, maximum: 100, default: value, description });

const parameters = Type.Object(
  {
    mix: Type.Union(
      GUEST_MIXES.map((name) => Type.Literal(name)),
      { default: 'east1', description: 'memory sizes: small flavours, large flavours, or 256 MiB to ram/4' },
    ),
    ram: length(GIB, 256 * GIB, 'memory of the host'),
    fill: percent(1, 90, 'per cent of the host that guests may have; arrivals beyond do not take place'),
    max_guests: Type.Integer({
      minimum: 0,
      maximum: MOST_GUESTS,
      default: 0,
      description: 'guests at a time; 0: as many of the smallest as fit',
    }),
    arrival: duration(1, 60 * SECOND, 'mean time between arrivals'),
    short_share: percent(0, 93, 'per cent of guests whose life is short'),
    short_life: duration(1, 2 * HOUR, 'mean of short lives'),
    long_life: duration(1, 480 * HOUR, 'mean of long lives'),
    split: length(0, 3 * GIB, 'memory above is a segment of its own, allocated first; 0: one segment'),
    rom: length(0, BHYVE_SEGMENT, 'boot ROM of each guest; 0: none'),
    framebuffer: length(0, BHYVE_SEGMENT, 'frame buffer'),
    framebuffer_share: percent(0, 50, 'per cent of guests that have a frame buffer'),
    release_order: Type.Union([Type.Literal('low-first'), Type.Literal('high-first')], {
      default: 'low-first',
      description: 'which memory segment is freed first',
    }),
    page_size: Type.Union([Type.Literal('4KiB'), Type.Literal('2MiB'), Type.Literal('1GiB')], {
      default: '4KiB',
      description: 'pages behind guest memory: large ones round sizes up and align addresses',
    }),
    device_share: percent(0, 10, 'per cent of guests that start with a device passed through'),
    attach_every: duration(0, HOUR, 'mean time between devices attached or detached; 0: none'),
    balloon_every: duration(0, HOUR / 2, 'mean time between balloons that move; 0: none'),
    balloon_share: percent(1, 25, 'per cent of each memory segment that a balloon takes'),
    hotplug_every: duration(0, HOUR, 'mean time between DIMMs plugged in; 0: none'),
    dimm_size: length(1, GIB, 'memory of a DIMM'),
    dimms: Type.Integer({ minimum: 0, maximum: 256, default: 8, description: 'DIMMs of a guest at most' }),
    unplug_every: duration(0, 0, 'mean time between DIMMs unplugged; 0: none'),
    plug_failure: percent(0, 0, 'per cent of DIMMs whose plug fails at its last step and is rolled back'),
    devices: Type.Integer({
      minimum: 1,
      maximum: MOST_DEVICES,
      default: 1,
      description: 'devices of a guest at a time at most',
    }),
    attach_failure: percent(
      0,
      0,
      'per cent of attaches to running guests that fail at their last step, likewise',
    ),
    memlock: Type.Union(
      ['none', ...FLEET_ARCHITECTURES].map((name) => Type.Literal(name)),
      {
        default: 'none',
        description:
          'architecture of guests whose locked-memory limits are followed under each rule of libvirt',
      },
    ),
    device_kind: Type.Union(
      DEVICE_KINDS.map((name) => Type.Literal(name)),
      { default: 'pci', description: 'for memlock: what is passed through' },
    ),
    viommu: Type.Boolean({ default: false, description: 'for memlock: guests have a virtual IOMMU' }),
    memlock_default: length(0, 64 * KIB, 'for memlock: limit of a process that nothing has set'),
    max_memory: Type.Integer({
      minimum: 0,
      maximum: 64,
      default: 4,
      description:
        'for memlock: maxMemory in multiples of the memory at boot, with room for all DIMMs; 0: none',
    }),
    duration: duration(1, 96 * HOUR, 'simulated time'),
    cpus: Type.Integer({ minimum: 1, maximum: 4096, default: 4, description: 'CPUs that ask, evenly' }),
  },
  { additionalProperties: false },
);

/** Virtual machines on one host: the workload of the registry. */
export const guest: WorkloadDefinition = {
  name: 'guest',
  summary: 'guest memory: a fleet of virtual machines, hot-plug, devices, balloons',
  parameters,
  create: (values, seed) => guestWorkload(optionsOf(values), seed, factsOf(values)),
};

/**
 * A GuestSource as a workload, its guests' locked-memory limits followed where facts of the fleet are given.
 * @throws InputError if the options contradict each other.
 */
export function guestWorkload(options: GuestOptions, seed: number, facts?: FleetFacts): Workload {
  checkOptions(options);
  const { pageBytes, hostBytes, cpus, durationNs } = options;
  const life = () => new SourceLife((observer) => new GuestSource(options, seed, observer));
  return sourceWorkload(
    {
      name: 'guest',
      objectLimit: options.maxGuests * segmentsPerGuest(options.dimms),
      cpus,
      classes: [RequestClass.guest],
      constraints: constraintTable(pageBytes > PAGE_BYTES['4KiB'] ? [{ align: pageBytes }] : []),
      durationNs,
      largestRequest: roundUp(hostBytes, pageBytes),
      provenance: { workload: 'guest', seed, ...options, ...(facts === undefined ? {} : { memlock: facts }) },
      ...(facts === undefined ? {} : { guests: { facts, life } }),
    },
    () => new GuestSource(options, seed),
  );
}

const PAGE_BYTES = { '4KiB': 4096, '2MiB': 2 ** 21, '1GiB': 2 ** 30 } as const;

function optionsOf(values: Parameters): GuestOptions {
  const number = (name: string): number => Number(values[name]);
  const options: GuestOptions = {
    mix: values.mix as GuestMix,
    hostBytes: number('ram'),
    fill: number('fill'),
    maxGuests: number('max_guests'),
    arrivalNs: number('arrival'),
    shortPercent: number('short_share'),
    shortLifeNs: number('short_life'),
    longLifeNs: number('long_life'),
    splitBytes: number('split'),
    romBytes: number('rom'),
    framebufferBytes: number('framebuffer'),
    framebufferPercent: number('framebuffer_share'),
    releaseOrder: values.release_order as GuestOptions['releaseOrder'],
    pageBytes: PAGE_BYTES[values.page_size as keyof typeof PAGE_BYTES],
    devicePercent: number('device_share'),
    attachEveryNs: number('attach_every'),
    balloonEveryNs: number('balloon_every'),
    balloonPercent: number('balloon_share'),
    hotplugEveryNs: number('hotplug_every'),
    unplugEveryNs: number('unplug_every'),
    mostDevices: number('devices'),
    attachFailurePercent: number('attach_failure'),
    plugFailurePercent: number('plug_failure'),
    dimmBytes: number('dimm_size'),
    dimms: number('dimms'),
    durationNs: number('duration'),
    cpus: number('cpus'),
  };
  return options.maxGuests === 0 ? { ...options, maxGuests: fittingGuests(options) } : options;
}

function factsOf(values: Parameters): FleetFacts | undefined {
  if (values.memlock === 'none') return undefined;
  return {
    arch: values.memlock as FleetArchitecture,
    deviceKind: values.device_kind as DeviceKind,
    hasViommu: values.viommu === true,
    initialLimit: Number(values.memlock_default),
    maxMemory: Number(values.max_memory),
    dimmRoom: Number(values.hotplug_every) === 0 ? 0 : Number(values.dimms) * Number(values.dimm_size),
  };
}

/** Guests of the smallest size that fit into what guests may have. */
function fittingGuests({ mix, hostBytes, fill }: GuestOptions): number {
  const fitting = Math.floor(((hostBytes / 100) * fill) / GuestSizes.smallest(mix));
  return Math.min(Math.max(1, fitting), MOST_GUESTS);
}

/** @throws InputError that names the parameter. */
function checkOptions(options: GuestOptions): void {
  const { mix, hostBytes, fill, pageBytes, dimmBytes, splitBytes } = options;
  const smallest = GuestSizes.smallest(mix);
  if ((hostBytes / 100) * fill < smallest) {
    const allowed = `so much that ${fill} % of it is a guest of ${smallest} bytes`;
    throw new InputError(`no guest fits into ${hostBytes} bytes`, { field: 'ram', allowed });
  }
  if (mix === 'odd' && hostBytes < 2 * GIB) {
    throw new InputError(`${hostBytes} bytes`, { field: 'ram', allowed: 'at least 2 GiB for the mix odd' });
  }
  if (options.arrivalNs > options.durationNs) {
    const allowed = `at most the duration, ${formatDuration(options.durationNs)}`;
    throw new InputError('no guest ever arrives', { field: 'arrival', allowed });
  }
  for (const [field, bytes] of [
    ['dimm_size', dimmBytes],
    ['split', splitBytes],
  ] as const) {
    if (bytes % pageBytes === 0) continue;
    throw new InputError(`${bytes} bytes`, {
      field,
      allowed: `multiples of the page size, ${pageBytes} bytes`,
    });
  }
  if (options.hotplugEveryNs > 0 && dimmBytes > hostBytes) {
    throw new InputError(`${dimmBytes} bytes`, {
      field: 'dimm_size',
      allowed: `at most ram, ${hostBytes} bytes`,
    });
  }
}
