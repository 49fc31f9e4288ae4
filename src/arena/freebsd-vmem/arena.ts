import { type Address, type AddressSpace, NO_ADDRESS } from '../../core/address.js';
import { MisuseError } from '../../core/errors.js';
import type { SimulatedLock } from '../../core/locks.js';
import { type Bytes, isPowerOfTwo, roundUp } from '../../core/units.js';
import type { ArenaFigures } from '../view.js';
import { BusyHash, type WorkCounter } from './busy-hash.js';
import { Cursor } from './cursor.js';
import { STRATEGIES, VmemFlag } from './flags.js';
import { FreeLists } from './free-lists.js';
import { fitIn, isPossible, LAST_ADDRESS } from './placement.js';
import { QuantumCaches } from './quantum-caches.js';
import type { SpanSource } from './span-source.js';
import { SpareTags } from './spare-tags.js';
import { FREE_LISTS, NO_TAG, Tag, TagTable } from './tags.js';
import type { CpuHost } from './zone-cache.js';

/** How an arena is created (vmem_create, vmem_set_import, vmem_set_limit, vmem_set_reclaim). */
export interface ArenaSpec {
  readonly name: string;
  /** Power of two. */
  readonly quantum: Bytes;
  /** Largest size that quantum caches serve, cut off at 16 quanta. 0 = none. */
  readonly qcacheMax: Bytes;
  readonly source: SpanSource | null;
  /** Imports stop here. 0 = never. */
  readonly limit?: Bytes;
  /** Called when a request fails, to free some of the arena. */
  readonly reclaim?: () => void;
}

/** What an arena needs of its surroundings. */
export interface ArenaHost extends CpuHost {
  readonly space: AddressSpace;
  readonly work: WorkCounter;
}

/**
 * One FreeBSD vmem arena: spans cut into segments, free lists, a cursor for next fit, quantum caches in front, imports
 * from a source behind. THEORY.md in this folder explains it; sizes are bytes, addresses numbers of the host's space.
 * Single-threaded: where the kernel sleeps, the request is counted in `waits` and refused (D1).
 * Mirrors vmem_alloc, vmem_xalloc, vmem_free, vmem_xfree, vmem_add, vmem_import, subr_vmem.c [freebsd@5cb586b].
 */
export class VmemArena implements ArenaFigures {
  readonly name: string;
  readonly quantum: Bytes;
  readonly source: SpanSource | null;
  readonly limit: Bytes;
  readonly tags = new TagTable();
  readonly freeLists: FreeLists;
  readonly hash: BusyHash;
  readonly cursor: Cursor;
  readonly spares: SpareTags;
  readonly quantumCaches: QuantumCaches;
  readonly lock: SimulatedLock;
  readonly space: AddressSpace;
  private readonly work: WorkCounter;
  private readonly perQuantum: number;
  /** Whether fully free imported spans go back. Otherwise spans that touch become one. */
  readonly releasesSpans: boolean;
  private readonly reclaim: (() => void) | null;

  /** Span tags in the order of the segment list, of an arena that never releases one. */
  readonly lastingSpans: number[] = [];
  totalBytes = 0;
  inUseBytes = 0;
  importBytes = 0;
  spanTags = 0;
  allocs = 0;
  frees = 0;
  fails = 0;
  waits = 0;
  searches = 0;
  splits = 0;
  merges = 0;
  imports = 0;
  releases = 0;
  importFails = 0;
  /** Whether some span begins at 0, which quantum caches must avoid. */
  hasAddressZero = false;
  /** Lowest start and highest end of any segment allocated so far. */
  private lowest = LAST_ADDRESS;
  private highest = 0;

  /** @throws MisuseError unless the quantum is a power of two. */
  constructor(spec: ArenaSpec, host: ArenaHost) {
    if (!isPowerOfTwo(spec.quantum)) throw new MisuseError('quantum is not a power of two', { ...spec });
    this.name = spec.name;
    this.quantum = spec.quantum;
    this.perQuantum = 1 / spec.quantum;
    this.source = spec.source;
    this.releasesSpans = spec.source?.releases ?? false;
    this.limit = spec.limit ?? 0;
    this.reclaim = spec.reclaim ?? null;
    this.space = host.space;
    this.work = host.work;
    this.lock = host.locks.create('vmem');
    this.freeLists = new FreeLists(this.tags, spec.quantum);
    this.hash = new BusyHash(this.tags, host.space, host.work);
    this.spares = new SpareTags(this.tags, spec.name);
    this.cursor = new Cursor(this.tags, this.freeLists, this.spares);
    this.quantumCaches = new QuantumCaches(this, spec.qcacheMax, host);
  }

  get freeTags(): number {
    return this.freeLists.count;
  }

  get allocTags(): number {
    return this.hash.count;
  }

  get lookups(): number {
    return this.hash.lookups;
  }

  get hashBuckets(): number {
    return this.hash.chains;
  }

  get reachBytes(): Bytes {
    return Math.max(0, this.highest - this.lowest);
  }

  /**
   * vmem_add: a static span.
   * @throws MisuseError unless base and size are quanta and the size is positive.
   */
  addSpan(base: Address, size: Bytes): void {
    this.lock.acquire();
    this.spares.fill();
    this.addFree(base, size, Tag.staticSpan);
  }

  /** vmem_alloc. `size` > 0 bytes, `flags` VmemFlag bits with one strategy. Returns NO_ADDRESS when exhausted. */
  alloc(size: Bytes, flags: number): Address {
    if (size <= this.quantumCaches.most && size > 0) {
      const address = this.quantumCaches.get(size, flags);
      if (address !== NO_ADDRESS) return address;
    }
    const tag = this.allocTag(size, flags);
    return tag === NO_TAG ? NO_ADDRESS : this.tags.start[tag]!;
  }

  /** vmem_free of what `alloc` returned for the same size. Address 0 never enters a quantum cache. */
  free(address: Address, size: Bytes): void {
    if (size <= this.quantumCaches.most && size > 0 && address > 0) this.quantumCaches.put(address, size);
    else this.xfree(address, size);
  }

  /**
   * vmem_xalloc. 0 stands for no alignment, phase or nocross; the bounds are inclusive. Never uses quantum caches.
   * @throws MisuseError where the kernel asserts something of its arguments.
   */
  xalloc(
    size: Bytes,
    align: Bytes,
    phase: Bytes,
    nocross: Bytes,
    minAddress: Address,
    maxAddress: Address,
    flags: number,
  ): Address {
    const tag = this.xallocTag(size, align, phase, nocross, minAddress, maxAddress, flags);
    return tag === NO_TAG ? NO_ADDRESS : this.tags.start[tag]!;
  }

  /** vmem_xfree. @throws MisuseError for an address or size that is not allocated. */
  xfree(address: Address, size: Bytes): void {
    this.lock.acquire();
    const { tags } = this;
    const tag = this.hash.remove(address);
    if (tag === NO_TAG || tags.size[tag] !== this.roundUp(size)) {
      throw new MisuseError('free of a segment that is not allocated', { arena: this.name, address, size });
    }
    this.frees++;
    this.inUseBytes -= tags.size[tag]!;
    this.absorb(tag, tags.next[tag]!);
    const left = tags.previous[tag]!;
    if (tags.type[left] === Tag.free) {
      tags.start[tag] = tags.start[left]!;
      this.absorb(tag, left);
    }
    if (this.releaseIfSpan(tag)) return;
    this.freeLists.insert(tag);
    this.spares.trim();
  }

  /** Rounds up to the quantum: exact, since a division by a power of two loses nothing. */
  roundUp(size: Bytes): Bytes {
    return Math.ceil(size * this.perQuantum) * this.quantum;
  }

  /** vmem_xalloc without constraints. Internally a result is the busy tag: an address would be boxed at every call. */
  allocTag(size: Bytes, flags: number): number {
    if (!(size > 0)) throw new MisuseError('allocation of no bytes', { arena: this.name, size, flags });
    const bytes = this.roundUp(size);
    const strategy = flags & STRATEGIES;
    if (strategy === VmemFlag.NEXTFIT) return this.nextFit(size, this.quantum, 0, 0, flags);
    this.lock.acquire();
    this.spares.fill();
    let tag = strategy === VmemFlag.BESTFIT ? NO_TAG : this.firstFit(bytes, flags);
    if (tag === NO_TAG) tag = this.bestFit(bytes);
    while (tag === NO_TAG && this.fetch(bytes, this.quantum, flags)) tag = this.bestFit(bytes);
    return tag === NO_TAG ? this.refuse(flags) : this.carve(tag, 0, bytes);
  }

  /** As `xalloc`; returns the busy tag, or NO_TAG. */
  xallocTag(
    size: Bytes,
    align: Bytes,
    phase: Bytes,
    nocross: Bytes,
    minAddress: Address,
    maxAddress: Address,
    flags: number,
  ): number {
    const alignment = align === 0 ? this.quantum : align;
    if (!isPossible(size, this.quantum, alignment, phase, nocross, minAddress, maxAddress, flags)) {
      const args = { arena: this.name, size, align, phase, nocross, minAddress, maxAddress, flags };
      throw new MisuseError('impossible constraint', args);
    }
    if ((flags & VmemFlag.NEXTFIT) !== 0) return this.nextFit(size, alignment, phase, nocross, flags);
    const bytes = this.roundUp(size);
    this.lock.acquire();
    this.spares.fill();
    let tag = NO_TAG;
    if ((flags & VmemFlag.FIRSTFIT) !== 0)
      tag = this.search(bytes, alignment, phase, nocross, minAddress, maxAddress, true);
    if (tag === NO_TAG) tag = this.search(bytes, alignment, phase, nocross, minAddress, maxAddress, false);
    while (tag === NO_TAG && this.fetch(bytes, alignment, flags))
      tag = this.search(bytes, alignment, phase, nocross, minAddress, maxAddress, false);
    if (tag === NO_TAG) return this.refuse(flags);
    const { start, size: sizes } = this.tags;
    const front = fitIn(start[tag]!, sizes[tag]!, bytes, alignment, phase, nocross, minAddress, maxAddress);
    return this.carve(tag, front, bytes);
  }

  /** If `other` is free, `tag` grows by it, and it is gone. */
  private absorb(tag: number, other: number): void {
    const { tags } = this;
    if (tags.type[other] !== Tag.free) return;
    this.freeLists.remove(other);
    tags.size[tag] = tags.size[tag]! + tags.size[other]!;
    this.merges++;
    this.spares.unlink(other);
  }

  /** A free tag that is on no free list and fills the imported span before it goes back with it. */
  private releaseIfSpan(tag: number): boolean {
    const { start, size, previous, type } = this.tags;
    const span = previous[tag]!;
    if (!this.releasesSpans || type[span] !== Tag.span || size[span] !== size[tag]) return false;
    const base = start[span]!;
    const bytes = size[span]!;
    this.spares.unlink(tag);
    this.spares.unlink(span);
    this.spanTags--;
    this.totalBytes -= bytes;
    this.importBytes -= bytes;
    this.releases++;
    this.spares.trim();
    this.source!.releaseSpan(base, bytes);
    return true;
  }

  /** The head of the lowest list all of whose members are large enough: without constraints it always fits. */
  private firstFit(bytes: Bytes, flags: number): number {
    if ((flags & VmemFlag.FIRSTFIT) === 0) {
      throw new MisuseError('a request without a strategy', { arena: this.name, bytes, flags });
    }
    const list = this.freeLists.listFrom(this.freeLists.sureListOf(bytes));
    if (list === FREE_LISTS) return NO_TAG;
    this.countSearches(1);
    return this.freeLists.first(list);
  }

  /** The first member that is large enough of the lowest list that has one: list order, not size, decides. */
  private bestFit(bytes: Bytes): number {
    const { freeLists } = this;
    const { kinNext, size } = this.tags;
    let list = freeLists.listFrom(freeLists.listOf(bytes));
    let tag = NO_TAG;
    let passed = 0;
    while (list < FREE_LISTS) {
      tag = freeLists.first(list);
      while (tag !== NO_TAG && size[tag]! < bytes) {
        tag = kinNext[tag]!;
        passed++;
      }
      if (tag !== NO_TAG) break;
      list = freeLists.listFrom(list + 1);
    }
    this.countSearches(tag === NO_TAG ? passed : passed + 1);
    return tag;
  }

  private countSearches(elements: number): void {
    this.searches += elements;
    this.work.steps += elements;
  }

  /** First fit looks at heads only, from the list all of whose members are large enough; best fit at every member. */
  private search(
    bytes: Bytes,
    align: Bytes,
    phase: Bytes,
    nocross: Bytes,
    minAddress: Address,
    maxAddress: Address,
    headsOnly: boolean,
  ): number {
    const { freeLists } = this;
    const { kinNext, start, size } = this.tags;
    let list = freeLists.listFrom(headsOnly ? freeLists.sureListOf(bytes) : freeLists.listOf(bytes));
    while (list < FREE_LISTS) {
      for (let tag = freeLists.first(list); tag !== NO_TAG; tag = headsOnly ? NO_TAG : kinNext[tag]!) {
        this.countSearches(1);
        if (size[tag]! < bytes) continue;
        if (fitIn(start[tag]!, size[tag]!, bytes, align, phase, nocross, minAddress, maxAddress) >= 0)
          return tag;
      }
      list = freeLists.listFrom(list + 1);
    }
    return NO_TAG;
  }

  /**
   * vmem_xalloc_nextfit. Spare tags are topped up before every scan, and the cursor's neighbours merge after it, whether
   * it found something or not.
   * @throws MisuseError for a size that is not whole quanta (upstream defect 2), EndlessScanError (defect 1).
   */
  private nextFit(bytes: Bytes, align: Bytes, phase: Bytes, nocross: Bytes, flags: number): number {
    if (bytes % this.quantum !== 0) {
      throw new MisuseError('next fit of a size that is not whole quanta', {
        arena: this.name,
        bytes,
        flags,
      });
    }
    const { cursor, tags } = this;
    this.lock.acquire();
    do {
      this.spares.fill();
      const before = cursor.visited;
      let found = cursor.scan(bytes, align, phase, nocross);
      this.countSearches(cursor.visited - before);
      let taken = found === NO_TAG ? NO_TAG : this.carveFitted(found, bytes, align, phase, nocross);
      const merged = cursor.mergeNeighbours();
      if (merged !== NO_TAG) {
        this.merges++;
        if (taken === NO_TAG && cursor.fits(merged, bytes, align, phase, nocross)) {
          found = merged;
          taken = this.carveFitted(merged, bytes, align, phase, nocross);
        } else this.releaseMerged(merged);
      }
      if (taken !== NO_TAG) {
        cursor.moveBehind(found, tags.start[taken]! + bytes);
        return taken;
      }
    } while (this.fetch(bytes, align, flags));
    return this.refuse(flags);
  }

  private carveFitted(tag: number, bytes: Bytes, align: Bytes, phase: Bytes, nocross: Bytes): number {
    const { start, size } = this.tags;
    const front = fitIn(start[tag]!, size[tag]!, bytes, align, phase, nocross, 0, LAST_ADDRESS);
    return this.carve(tag, front, bytes);
  }

  /** What merged at the cursor may fill its span. It is on a free list, unlike what a free releases. */
  private releaseMerged(tag: number): void {
    const { previous, type, size } = this.tags;
    const span = previous[tag]!;
    if (!this.releasesSpans || type[span] !== Tag.span || size[span] !== size[tag]) return;
    this.freeLists.remove(tag);
    this.releaseIfSpan(tag);
  }

  /**
   * Takes `bytes` out of the free segment `tag`, `front` bytes behind its start. What is in front gets a new tag and is
   * listed first; if at least a quantum is left behind, that keeps its tag, and the allocation gets a new one. Returns the
   * busy tag.
   */
  private carve(tag: number, front: Bytes, bytes: Bytes): number {
    const { tags, freeLists } = this;
    freeLists.remove(tag);
    if (front > 0) this.splitOff(tag, front, Tag.free);
    let taken = tag;
    if (tags.size[tag]! - bytes >= this.quantum) {
      taken = this.splitOff(tag, bytes, Tag.busy);
      freeLists.insert(tag);
    } else tags.type[tag] = Tag.busy;
    this.hash.insert(taken);
    this.countAlloc(taken);
    return taken;
  }

  /** Moves the first `bytes` of `tag` to a spare tag before it and returns that; a free one is listed. */
  private splitOff(tag: number, bytes: Bytes, type: number): number {
    const other = this.spares.take();
    const { tags } = this;
    const { start, size, previous } = tags;
    tags.set(other, type, start[tag]!, bytes);
    start[tag] = start[tag]! + bytes;
    size[tag] = size[tag]! - bytes;
    if (type === Tag.free) this.freeLists.insert(other);
    tags.insertAfter(other, previous[tag]!);
    this.splits++;
    return other;
  }

  private countAlloc(tag: number): void {
    const { start, size } = this.tags;
    const first = start[tag]!;
    const end = first + size[tag]!;
    this.allocs++;
    this.inUseBytes += size[tag]!;
    if (first < this.lowest) this.lowest = first;
    if (end > this.highest) this.highest = end;
  }

  /** vmem_try_fetch: import, or else drain and reclaim. Returns whether to search again. */
  private fetch(bytes: Bytes, align: Bytes, flags: number): boolean {
    if (this.source !== null && this.importSpan(this.source, bytes, align, flags)) return true;
    if (this.quantumCaches.most === 0 && this.reclaim === null) return false;
    const free = this.totalBytes - this.inUseBytes;
    this.spares.hide();
    this.quantumCaches.drain();
    this.reclaim?.();
    this.lock.acquire();
    this.spares.show();
    return this.totalBytes - this.inUseBytes > free;
  }

  /** A span from the source, with the request's flags; room for any alignment if it is not the quantum. */
  private importSpan(source: SpanSource, bytes: Bytes, align: Bytes, flags: number): boolean {
    const room = align === this.quantum ? bytes : bytes + 2 * align;
    const wanted = roundUp(room, source.importQuantum);
    if (this.limit !== 0 && this.totalBytes + wanted > this.limit) return false;
    this.spares.hide();
    const base = source.importSpan(wanted, flags);
    this.lock.acquire();
    this.spares.show();
    if (base === NO_ADDRESS) {
      this.importFails++;
      return false;
    }
    this.imports++;
    this.importBytes += wanted;
    this.addFree(base, wanted, Tag.span);
    return true;
  }

  /**
   * vmem_add1: a span at the end of the segment list, with one free segment. Where spans are never released, one that
   * touches the segment at the end of the list gets no tag: it enlarges that segment if it is free, or follows it.
   */
  private addFree(base: Address, size: Bytes, type: number): void {
    if (!(size > 0) || size % this.quantum !== 0 || base % this.quantum !== 0 || !(base >= 0)) {
      throw new MisuseError('bad span', { arena: this.name, base, size, quantum: this.quantum });
    }
    const { tags } = this;
    const last = tags.previous[NO_TAG]!;
    const isSegment = tags.type[last] === Tag.free || tags.type[last] === Tag.busy;
    const touches = isSegment && tags.start[last]! + tags.size[last]! === base;
    this.totalBytes += size;
    if (base === 0) this.hasAddressZero = true;
    if (touches && !this.releasesSpans && tags.type[last] === Tag.free) {
      this.freeLists.remove(last);
      tags.size[last] = tags.size[last]! + size;
      this.freeLists.insert(last);
      return;
    }
    if (!touches || this.releasesSpans) {
      const span = this.append(type, base, size);
      if (!this.releasesSpans) this.lastingSpans.push(span);
      this.spanTags++;
    }
    this.freeLists.insert(this.append(Tag.free, base, size));
  }

  private append(type: number, base: Address, size: Bytes): number {
    const tag = this.spares.take();
    this.tags.set(tag, type, base, size);
    this.tags.insertAfter(tag, this.tags.previous[NO_TAG]!);
    return tag;
  }

  private refuse(flags: number): number {
    if ((flags & VmemFlag.NOWAIT) !== 0) this.fails++;
    else this.waits++;
    return NO_TAG;
  }
}
