import { Type } from '@sinclair/typebox';
import type { VmemArena } from '../arena/illumos-vmem/arena.js';
import { VmFlag } from '../arena/illumos-vmem/flags.js';
import { AllocSource } from '../arena/illumos-vmem/span-source.js';
import type { ArenaView } from '../arena/view.js';
import { type Address, AddressSpace } from '../core/address.js';
import { RequestClass, UNCONSTRAINED } from '../core/request.js';
import { type Bytes, KIB } from '../core/units.js';
import type { BackendDefinition, BackendEnvironment, Parameters } from './contract.js';
import { basesOf, SHARED_PARAMETERS, SharedGuestStack } from './shared-guests.js';

/**
 * Guests beside the data of files in segzio: zfs_file_data → zfs_file_data_buf for records of the ARC, zfs_file_data →
 * vmm_alloc_arena for guests. Records are told by their size; the kernel's caches of records (zio_data_buf) are left
 * out, so each is a segment. Source: spec segkvmm-layout §2; startup.c [illumos@04909c8].
 */
class GuestInZio extends SharedGuestStack {
  private readonly records: VmemArena;
  private readonly recordsFrom: Bytes;

  constructor(parameters: Parameters, environment: BackendEnvironment) {
    super(parameters, environment);
    this.records = this.arenaNamed('zfs_file_data_buf');
    this.recordsFrom = Number(parameters.records_from);
  }

  override alloc(cls: number, size: Bytes, constraint: number, cpu: number): Address {
    if (!this.isRecord(cls, size, constraint)) return super.alloc(cls, size, constraint, cpu);
    this.system.cpu = cpu;
    return this.records.alloc(this.footprint(cls, size), VmFlag.NOSLEEP);
  }

  override free(cls: number, address: Address, size: Bytes, constraint: number, cpu: number): void {
    if (!this.isRecord(cls, size, constraint)) super.free(cls, address, size, constraint, cpu);
    else {
      this.system.cpu = cpu;
      this.records.free(address, this.footprint(cls, size));
    }
  }

  override footprint(cls: number, size: Bytes): Bytes {
    const isRecord = this.isRecord(cls, size, UNCONSTRAINED);
    return isRecord ? this.records.roundUp(size) : super.footprint(cls, size);
  }

  /** kmem has both heap and zfs_file_data, by size. */
  override rootsOf(cls: number): readonly ArenaView[] {
    const roots = super.rootsOf(cls);
    if (cls !== RequestClass.kmem) return roots;
    return [...roots, ...this.arenas.filter(({ name }) => name === 'zfs_file_data')];
  }

  protected override createGuest(parameters: Parameters): VmemArena {
    const { segzioBase, segzioSize } = basesOf(parameters);
    const { quantum } = this.arenaNamed('heap');
    const plain = { quantum, qcacheMax: 0, flags: 0 };
    const zio = this.system.createArena({ name: 'zfs_file_data', ...plain, source: null });
    zio.addSpan(AddressSpace.canonical.toNumber(segzioBase), Number(segzioSize));
    this.system.createArena({ name: 'zfs_file_data_buf', ...plain, source: new AllocSource(zio) });
    return this.guestArenaOver(zio, parameters);
  }

  /** What a constraint is placed for comes from heap whatever its size. */
  private isRecord(cls: number, size: Bytes, constraint: number): boolean {
    return cls === RequestClass.kmem && size >= this.recordsFrom && constraint === UNCONSTRAINED;
  }
}

const PARAMETERS = Type.Object(
  {
    ...SHARED_PARAMETERS,
    records_from: Type.Number({
      format: 'bytes',
      minimum: 1,
      default: 128 * KIB,
      description: 'kmem requests of so many bytes and more are records of files: they come from segzio',
    }),
  },
  { additionalProperties: false },
);

/** Where the first tests of bhyve put guests, since crash dumps leave segzio out. See GuestInZio. */
export const illumosGuestInZio: BackendDefinition = {
  name: 'illumos-guest-in-zio',
  summary: 'illumos before segkvmm, guests in segzio: they share it with cached files',
  heldBy: ['illumos-vmem', 'kva-layout'],
  parameters: PARAMETERS,
  create: (parameters, environment) => new GuestInZio(parameters, environment),
};
