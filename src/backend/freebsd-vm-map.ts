import { Type } from '@sinclair/typebox';
import type { ArenaFigures, ArenaView, CacheFigures, MapEntryFigures, TagVisitor } from '../arena/view.js';
import { MAP_ABIS, SUPERPAGE_BYTES } from '../arena/vm-map/abi.js';
import { VmMap } from '../arena/vm-map/vm-map.js';
import { type Address, NO_ADDRESS } from '../core/address.js';
import { type ConstraintTable, RequestClass, UNCONSTRAINED } from '../core/request.js';
import { type Bytes, roundUp } from '../core/units.js';
import type { Backend, BackendDefinition, BackendEnvironment, Parameters } from './contract.js';
import { FREEBSD_PARAMETERS, freebsdRange, GUARD_BYTES, PAGE } from './freebsd-kernel.js';
import { requireConstraints } from './placement.js';

/** What a request's range is mapped with; like the kernel's text, it is wired and of no object. */
const Attribute = { range: 1, text: 2 } as const;

/**
 * FreeBSD's kernel_map by itself, as if no vmem stood before it: every request is a vm_map_find of whole pages without an
 * object, aligned to superpages from 2 MiB on where `superpages` says so (VMFS_SUPER_SPACE, as kva_import asks). Ranges
 * of all classes are alike, so neighbours become one entry; a stack is one range with its guard page. Nothing is cached.
 *
 * The last page of the range is the kernel's text: a search fails where the entry behind a gap is the last of the map
 * (spec freebsd-vmem-kstack §11), and the kernel has entries at its top. It is in no figure but the entries.
 *
 * Of constraints a map knows alignment, and a hint; what lies above the bound then is given back and refused. Phase and
 * nocross it does not know: refused.
 */
export const freebsdVmMap: BackendDefinition = {
  name: 'freebsd-vm-map',
  summary: "FreeBSD's kernel_map without vmem: first fit over merging map entries, no caches",
  heldBy: ['freebsd-map'],
  parameters: Type.Object(
    {
      ...FREEBSD_PARAMETERS,
      superpages: Type.Boolean({
        default: true,
        description: 'whether ranges of 2 MiB and more are aligned to 2 MiB',
      }),
      abi: Type.Union([Type.Literal('13'), Type.Literal('12')], {
        default: '13',
        description: 'structure sizes of amd64 for the metadata: of 13.0 or 12.1',
      }),
    },
    { additionalProperties: false },
  ),
  create: (parameters, environment) => new MapBackend(parameters, environment),
};

class MapBackend implements Backend {
  readonly serves = [RequestClass.kmem, RequestClass.kstack, RequestClass.va, RequestClass.guest];
  readonly arenas: readonly ArenaView[];
  private readonly map: VmMap;
  private readonly figures: ToppedFigures;
  private readonly base: Address;
  private readonly constraints: ConstraintTable;
  private readonly superpages: boolean;

  /** @throws InputError naming the parameter that is wrong and what it may be. */
  constructor(parameters: Parameters, { simulation, constraints }: BackendEnvironment) {
    requireConstraints(constraints);
    const { base, limit } = freebsdRange(parameters);
    const abi = MAP_ABIS[parameters.abi === '12' ? 12 : 13];
    this.map = new VmMap({ name: 'kernel_map', base, limit, abi, locks: simulation.locks });
    this.base = base;
    this.constraints = constraints;
    this.superpages = parameters.superpages === true;
    const view = new ToppedMap(this.map);
    this.figures = view.figures;
    this.arenas = [view];
  }

  alloc(cls: number, size: Bytes, constraint: number): Address {
    const length = this.footprint(cls, size);
    const lead = leadOf(cls);
    if (constraint !== UNCONSTRAINED) return this.allocConstrained(length, lead, constraint);
    const isSuper = this.superpages && length >= SUPERPAGE_BYTES;
    const start = this.find(length, isSuper ? SUPERPAGE_BYTES : 0, this.base);
    return start === NO_ADDRESS ? NO_ADDRESS : start + lead;
  }

  free(cls: number, address: Address, size: Bytes): void {
    this.map.remove(address - leadOf(cls), this.footprint(cls, size));
  }

  guardBytes(cls: number): Bytes {
    return -leadOf(cls);
  }

  /** Whole pages; the guard page of a stack included. */
  footprint(cls: number, size: Bytes): Bytes {
    return roundUp(size, PAGE) + leadOf(cls);
  }

  /** Nothing is cached. */
  reap(): void {}

  check(): void {
    this.map.check();
  }

  /** An aligned stack would need its guard page in front of an aligned address, which a map cannot be asked for. */
  private allocConstrained(length: Bytes, lead: Bytes, row: number): Address {
    const { align, phase, nocross, minAddress, maxAddress } = this.constraints;
    const alignment = align[row]! <= PAGE ? 0 : align[row]!;
    const isUnknown = phase[row] !== 0 || nocross[row] !== 0 || (lead !== 0 && alignment !== 0);
    if (isUnknown) return NO_ADDRESS;
    const hint = Math.max(this.base, roundUp(minAddress[row]!, PAGE) - lead);
    const start = this.find(length, alignment, hint);
    if (start === NO_ADDRESS || maxAddress[row] === 0 || start + length <= maxAddress[row]!) {
      return start === NO_ADDRESS ? start : start + lead;
    }
    this.map.remove(start, length);
    return NO_ADDRESS;
  }

  private find(length: Bytes, align: Bytes, hint: Address): Address {
    const start = this.map.find(length, align, hint, Attribute.range);
    if (start !== NO_ADDRESS) this.figures.reach(start, start + length);
    return start;
  }
}

/** Bytes in front of what the client gets. */
function leadOf(cls: number): Bytes {
  return cls === RequestClass.kstack ? GUARD_BYTES : 0;
}

/** A map whose last page is the kernel's text, as an arena that ends in front of it. */
class ToppedMap implements ArenaView {
  readonly name: string;
  readonly source = null;
  readonly quantum: Bytes;
  readonly caches: readonly CacheFigures[] = [];
  readonly figures: ToppedFigures;
  readonly mapEntries: MapEntryFigures;
  private readonly map: VmMap;
  private readonly text: Address;

  constructor(map: VmMap) {
    this.name = map.name;
    this.quantum = map.quantum;
    this.map = map;
    this.text = map.limit - PAGE;
    map.insert(this.text, PAGE, Attribute.text);
    this.figures = new ToppedFigures(map.figures);
    this.mapEntries = map.mapEntries;
  }

  largestFree(): Bytes {
    return this.map.largestFree();
  }

  freeBytes(): Bytes {
    return this.map.freeBytes();
  }

  metadataBytes(): Bytes {
    return this.map.metadataBytes();
  }

  walk(visit: TagVisitor): void {
    this.map.walk((type, start, size) => {
      if (start === this.map.base && size === this.map.limit - start) visit(type, start, size - PAGE);
      else if (start < this.text) visit(type, start, size);
    });
  }

  walkFree(visit: (size: Bytes) => void): void {
    this.map.walkFree(visit);
  }

  freeSpectrum() {
    return this.map.freeSpectrum();
  }

  check(): void {
    this.map.check();
  }
}

/** The figures of a map without its text. */
class ToppedFigures implements ArenaFigures {
  readonly importBytes = 0;
  readonly spanTags = 0;
  readonly freeTags = 0;
  readonly waits = 0;
  readonly imports = 0;
  readonly releases = 0;
  readonly hashBuckets = 0;
  private lowest: Address = Number.POSITIVE_INFINITY;
  private highest: Address = 0;

  constructor(private readonly whole: ArenaFigures) {}

  get totalBytes(): Bytes {
    return this.whole.totalBytes - PAGE;
  }

  get inUseBytes(): Bytes {
    return this.whole.inUseBytes - PAGE;
  }

  get allocTags(): number {
    return this.whole.allocTags - 1;
  }

  get allocs(): number {
    return this.whole.allocs - 1;
  }

  get frees(): number {
    return this.whole.frees;
  }

  get fails(): number {
    return this.whole.fails;
  }

  get lookups(): number {
    return this.whole.lookups;
  }

  get searches(): number {
    return this.whole.searches;
  }

  get splits(): number {
    return this.whole.splits;
  }

  get merges(): number {
    return this.whole.merges;
  }

  get reachBytes(): Bytes {
    return Math.max(0, this.highest - this.lowest);
  }

  /** Notes that [start, end) has been allocated. */
  reach(start: Address, end: Address): void {
    if (start < this.lowest) this.lowest = start;
    if (end > this.highest) this.highest = end;
  }
}
