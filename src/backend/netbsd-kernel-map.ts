import { CountedCache } from '../arena/netbsd-pool/counted-cache.js';
import type { CountedPool } from '../arena/netbsd-pool/counted-pool.js';
import type { ItemSupply } from '../arena/netbsd-pool/supplies.js';
import type { UvmAbi } from '../arena/uvm-map/abi.js';
import { Attribute, MapFlag } from '../arena/uvm-map/flags.js';
import { PooledEntries } from '../arena/uvm-map/pooled-entries.js';
import { ANYWHERE } from '../arena/uvm-map/space-search.js';
import { UvmMap } from '../arena/uvm-map/uvm-map.js';
import type { ArenaFigures, ArenaView, CacheFigures, MapEntryFigures, TagVisitor } from '../arena/view.js';
import { type Address, NO_ADDRESS } from '../core/address.js';
import type { SimulatedLock } from '../core/locks.js';
import type { ConstraintTable } from '../core/request.js';
import type { Bytes } from '../core/units.js';

/** What a kernel map is made of. */
export interface KernelMapOptions {
  readonly base: Address;
  readonly limit: Address;
  readonly abi: UvmAbi;
  /** The pool of map entries, and the one of cache groups. */
  readonly entries: CountedPool;
  readonly groups: ItemSupply;
  /** Entries that are never removed nor merged, for what lies beside the range: kernel image, heap. */
  readonly staticEntries: number;
  /** Name of the arena whose addresses the map only describes; null if it manages its range itself. */
  readonly source: string | null;
  readonly lock: SimulatedLock;
}

/**
 * kernel_map without in-kernel entries, as it is once vmem has taken over the heap: entries of the pool cache `vmmpepl`,
 * neither QUANTUM nor kept nor reserved ones; neighbours of equal attributes merge, and a free in the middle of an entry
 * needs another. Mirrors uvm_map and uvm_unmap1 after 2012 (spec netbsd-vmem-uvm §2.8) by the model of NetBSD 5.2's
 * maps, of which this is the part for plain maps.
 *
 * The static entries are counted, not linked: they are NOMERGE, so nothing that happens beside them depends on them.
 */
export class KernelMap implements ArenaView {
  readonly name = 'kernel_map';
  readonly source: string | null;
  readonly quantum: Bytes;
  readonly caches: readonly CacheFigures[] = [];
  readonly figures: ArenaFigures;
  readonly mapEntries: MapEntryFigures;
  private readonly map: UvmMap;
  private readonly supply: EntrySource;
  private readonly lock: SimulatedLock;
  private readonly staticBytes: Bytes;

  constructor(options: KernelMapOptions) {
    const { base, limit, abi, groups, staticEntries } = options;
    this.supply = new EntrySource(options.entries);
    const supply = new PooledEntries(new CountedCache(this.supply, groups, abi.groupObjects));
    this.map = new UvmMap({ name: this.name, base, limit, abi, supply });
    this.source = options.source;
    this.quantum = this.map.quantum;
    this.lock = options.lock;
    this.figures = this.map.figures;
    this.staticBytes = staticEntries * abi.entry;
    this.mapEntries = entryFigures(this.map, staticEntries, this.supply);
  }

  /** Elements visited by searches and lookups. */
  get steps(): number {
    const { searches, lookups } = this.map.figures;
    return searches + lookups;
  }

  /** The lowest fit of whole pages; NO_ADDRESS if there is neither room nor memory for an entry. */
  alloc(size: Bytes, isPageable: boolean): Address {
    this.lock.acquire();
    return this.map.map(size, 0, ANYWHERE, 0, attributesOf(isPageable));
  }

  /** uvm_map knows an alignment and a hint; what asks for a phase or nocross is refused. */
  xalloc(size: Bytes, isPageable: boolean, constraints: ConstraintTable, row: number): Address {
    this.lock.acquire();
    const { map } = this;
    if (constraints.phase[row] !== 0 || constraints.nocross[row] !== 0) return this.refuse();
    const align = constraints.align[row]!;
    const hint = Math.ceil(constraints.minAddress[row]! / this.quantum) * this.quantum;
    const maximum = constraints.maxAddress[row]!;
    const attributes = attributesOf(isPageable);
    const address = map.map(size, align > this.quantum ? align : 0, hint, 0, attributes);
    if (maximum === 0 || address === NO_ADDRESS || address + size <= maximum) return address;
    this.unmap(address, size);
    return this.refuse();
  }

  /** Enters a range that was allocated elsewhere. Answers whether there was memory for an entry. */
  enter(address: Address, size: Bytes): boolean {
    this.lock.acquire();
    return this.map.map(size, 0, address, MapFlag.fixed, attributesOf(true)) !== NO_ADDRESS;
  }

  free(address: Address, size: Bytes): void {
    this.lock.acquire();
    this.unmap(address, size);
  }

  largestFree(): Bytes {
    return this.map.largestFree();
  }

  freeBytes(): Bytes {
    return this.map.freeBytes();
  }

  metadataBytes(): Bytes {
    return this.map.metadataBytes() + this.staticBytes;
  }

  walk(visit: TagVisitor): void {
    this.map.walk(visit);
  }

  check(): void {
    this.map.check();
  }

  /** The kernel sleeps until there is an entry; here the free goes on with a borrowed one, and is counted. */
  private unmap(address: Address, size: Bytes): void {
    this.supply.mayBorrow = true;
    this.map.unmap(address, size, false);
    this.supply.mayBorrow = false;
  }

  private refuse(): Address {
    this.map.figures.fails++;
    return NO_ADDRESS;
  }
}

/** The pool of entries; a free gets one in any case, if need be a borrowed one that the next entry given pays back. */
class EntrySource implements ItemSupply {
  mayBorrow = false;
  /** Entries that were not to be had. */
  missing = 0;
  private borrowed = 0;

  constructor(private readonly pool: CountedPool) {}

  take(): boolean {
    if (this.pool.take()) return true;
    if (!this.mayBorrow) return false;
    this.missing++;
    this.borrowed++;
    return true;
  }

  give(): void {
    if (this.borrowed > 0) this.borrowed--;
    else this.pool.give();
  }
}

/** uvm_km_alloc maps pageable memory with the kernel object, wired memory without one, so that the two never merge. */
function attributesOf(isPageable: boolean): number {
  return isPageable ? Attribute.allAccess | Attribute.object : Attribute.allAccess;
}

function entryFigures(map: UvmMap, staticEntries: number, supply: EntrySource): MapEntryFigures {
  const { figures } = map;
  return {
    get linkedEntries() {
      return figures.linkedEntries + staticEntries;
    },
    keptEntries: 0,
    get freeEntries() {
      return figures.freeEntries;
    },
    get entriesForSplits() {
      return figures.entriesForSplits;
    },
    entriesReserved: 0,
    get mergedMappings() {
      return figures.mergedMappings;
    },
    get hangs() {
      return supply.missing;
    },
  };
}
