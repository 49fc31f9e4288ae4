import { Type } from '@sinclair/typebox';
import type { VmemArena } from '../arena/illumos-vmem/arena.js';
import { ArenaFlag, VmFlag } from '../arena/illumos-vmem/flags.js';
import { PolicySource } from '../arena/illumos-vmem/span-source.js';
import type { VmemSystem } from '../arena/illumos-vmem/system.js';
import { PAGE_SIZES, PageTables } from '../arena/page-tables.js';
import { type Address, NO_ADDRESS } from '../core/address.js';
import { InputError } from '../core/errors.js';
import { type ConstraintTable, UNCONSTRAINED } from '../core/request.js';
import type { Simulation } from '../core/simulation.js';
import { type Bytes, GIB, MIB, roundUp, TIB } from '../core/units.js';
import type { Parameters } from './contract.js';
import type { GuestFigures, GuestRefusal, GuestView } from './guest-view.js';

const PAGE_NAMES = ['4KiB', '2MiB', '1GiB'] as const;

const POLICIES = {
  instant: 0,
  best: VmFlag.BESTFIT,
  first: VmFlag.FIRSTFIT,
  next: VmFlag.NEXTFIT,
} as const;

/** Parameters of every backend whose guests get kernel addresses. */
export const GUEST_PARAMETERS = {
  physmem: Type.Number({
    format: 'bytes',
    default: 256 * GIB,
    description: 'RAM of the host, from 1 GiB to 16 TiB; guests together get no more',
  }),
  guest_page: Type.Union(
    PAGE_NAMES.map((name) => Type.Literal(name)),
    {
      default: '4KiB',
      description: 'largest page behind guests; a segment gets the largest that is no longer than itself',
    },
  ),
  policy: Type.Union(
    Object.keys(POLICIES).map((name) => Type.Literal(name)),
    { default: 'instant', description: 'how a segment is placed, as vmem has it; the kernel: instant fit' },
  ),
} as const;

/** Largest arena that guests are put in: page tables are counted by index. */
export const MOST_GUEST_ADDRESSES = 64 * TIB;

const MOST_MEMORY = 16 * TIB;

/** @throws InputError for RAM that no machine has. */
export function physmemOf(parameters: Parameters): Bytes {
  const physmem = Number(parameters.physmem);
  if (physmem >= GIB && physmem <= MOST_MEMORY && physmem % MIB === 0) return physmem;
  throw new InputError(`${physmem} bytes`, {
    field: 'physmem',
    allowed: 'a multiple of 1 MiB from 1 GiB to 16 TiB',
  });
}

/** vmm_alloc_arena: no span of its own, each import is one segment, taken from `source` by the policy asked for. */
export function createGuestArena(
  system: VmemSystem,
  source: VmemArena,
  quantum: Bytes,
  parameters: Parameters,
): VmemArena {
  const policy = POLICIES[parameters.policy as keyof typeof POLICIES];
  return system.createArena({
    name: 'vmm_alloc_arena',
    quantum,
    qcacheMax: 0,
    flags: ArenaFlag.XALIGN,
    source: new PolicySource(source, policy),
  });
}

/**
 * Memory of guests as bhyve on illumos had it from 2018 to 2021: each segment is one range of kernel addresses with all
 * of its pages behind it, asked for without sleeping, and nothing is given back before the segment is. Balloons and
 * devices therefore change nothing here.
 *
 * A segment is refused when it is longer than the kernel lets one request take (max_page_get: 23 pages of every 32), when
 * the host's RAM is used up, or when there are no addresses in one piece. Page by page, RAM is never short for other
 * reasons. Sources: io/vmm/vmm_sol_vm.c, vm_page.c [illumos@04909c8].
 */
export class GuestSegments implements GuestView, GuestFigures {
  requests = 0;
  refusedLength = 0;
  refusedMemory = 0;
  refusedSpace = 0;
  segmentBytes = 0;
  peakSegmentBytes = 0;
  peakPageTables = 0;
  leastLargestFree: Bytes;
  firstRefusal: GuestRefusal | undefined;
  private memoryBytes = 0;
  private readonly root: VmemArena;
  private readonly tables: PageTables;
  private readonly largestPage: number;
  private readonly longest: Bytes;
  private readonly physmem: Bytes;

  /** @param arena what createGuestArena made; its source has one span */
  constructor(
    private readonly guests: VmemArena,
    private readonly constraints: ConstraintTable,
    private readonly simulation: Simulation,
    parameters: Parameters,
  ) {
    this.root = guests.source!.arena;
    const [span] = this.root.ownSpans;
    const { start, end } = this.root.tags;
    this.tables = new PageTables(start[span!]!, end[span!]! - start[span!]!);
    this.leastLargestFree = this.root.freeLists.largest();
    this.largestPage = PAGE_NAMES.indexOf(parameters.guest_page as (typeof PAGE_NAMES)[number]);
    this.physmem = physmemOf(parameters);
    this.longest = Math.floor(this.physmem / 4096 / 32) * 23 * 4096;
  }

  get arena(): string {
    return this.root.name;
  }

  get pageTables(): readonly number[] {
    return [...this.tables.tables];
  }

  guestFigures(): GuestFigures {
    return this;
  }

  /** Address space of a segment. */
  footprint(size: Bytes): Bytes {
    return roundUp(size, Math.max(PAGE_SIZES[this.pageOf(size)]!, this.guests.quantum));
  }

  alloc(size: Bytes, constraint: number): Address {
    this.requests++;
    const memory = this.memoryOf(size);
    if (memory > this.longest) {
      this.refusedLength++;
      return NO_ADDRESS;
    }
    if (this.memoryBytes + memory > this.physmem) {
      this.refusedMemory++;
      return NO_ADDRESS;
    }
    const length = this.footprint(size);
    const address = this.place(length, PAGE_SIZES[this.pageOf(size)]!, constraint);
    if (address === NO_ADDRESS) {
      this.refusedSpace++;
      this.firstRefusal ??= this.describeRefusal(length);
      return NO_ADDRESS;
    }
    this.tables.map(address, memory, this.pageOf(size));
    this.memoryBytes += memory;
    this.segmentBytes += length;
    this.peakSegmentBytes = Math.max(this.peakSegmentBytes, this.segmentBytes);
    this.peakPageTables = Math.max(this.peakPageTables, this.tables.total);
    this.leastLargestFree = Math.min(this.leastLargestFree, this.root.freeLists.largest());
    return address;
  }

  free(address: Address, size: Bytes): void {
    const length = this.footprint(size);
    const memory = this.memoryOf(size);
    this.guests.free(address, length);
    this.tables.unmap(address, memory, this.pageOf(size));
    this.memoryBytes -= memory;
    this.segmentBytes -= length;
  }

  /** Index of the largest page that is allowed and no longer than the segment. */
  private pageOf(size: Bytes): number {
    let page = this.largestPage;
    while (page > 0 && PAGE_SIZES[page]! > size) page--;
    return page;
  }

  /** RAM behind a segment: its own pages, not those of the addresses that it was rounded up to. */
  private memoryOf(size: Bytes): Bytes {
    return roundUp(size, PAGE_SIZES[this.pageOf(size)]!);
  }

  /**
   * A row that no address can meet, because the request is longer than what it may not cross, is refused. So in effect is
   * every row with limits: vmem_xalloc imports nothing for it, and vmm_alloc_arena has no free segments of its own.
   */
  private place(length: Bytes, page: Bytes, row: number): Address {
    const { guests, constraints } = this;
    const alignment = Math.max(page, guests.quantum, row === UNCONSTRAINED ? 0 : constraints.align[row]!);
    const phase = row === UNCONSTRAINED ? 0 : constraints.phase[row]!;
    const limit = row === UNCONSTRAINED ? 0 : constraints.nocross[row]!;
    if (phase % Math.max(page, guests.quantum) !== 0) return NO_ADDRESS;
    if (limit !== 0 && (alignment > limit || phase + length > limit)) return NO_ADDRESS;
    const minimum = row === UNCONSTRAINED ? 0 : constraints.minAddress[row]!;
    const maximum = row === UNCONSTRAINED ? 0 : constraints.maxAddress[row]!;
    return guests.xalloc(length, alignment, phase, limit, minimum, maximum, VmFlag.NOSLEEP);
  }

  private describeRefusal(bytes: Bytes): GuestRefusal {
    const { root, requests, segmentBytes, simulation } = this;
    const freeBytes = root.totalBytes - root.inUseBytes;
    const largestFree = root.freeLists.largest();
    return { timeNs: simulation.now, requests, bytes, segmentBytes, freeBytes, largestFree };
  }
}
