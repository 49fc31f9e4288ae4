import type { Address } from '../core/address.js';
import type { Bytes } from '../core/units.js';
import type { FreeSpectrum } from './free-spectrum.js';

/** A boundary tag as the outside sees it. */
export const TagType = { span: 0, free: 1, alloc: 2 } as const;
export type TagType = (typeof TagType)[keyof typeof TagType];
export const TAG_TYPE_NAMES = ['span', 'free', 'alloc'] as const;

/** Called for each tag in address order, a span before its first segment. */
export type TagVisitor = (type: TagType, start: Address, size: Bytes) => void;

/**
 * Live figures of one arena, all kept up to date in O(1) per operation. Byte figures follow the kstat of the same
 * name; counters only rise. A model for which a figure has no meaning leaves it 0.
 */
export interface ArenaFigures {
  /** Bytes of all spans (kstat mem_total). */
  readonly totalBytes: Bytes;
  /** Bytes of allocated segments as requested, unrounded (kstat mem_inuse). */
  readonly inUseBytes: Bytes;
  /** Bytes of imported spans (kstat mem_import). */
  readonly importBytes: Bytes;
  readonly spanTags: number;
  readonly freeTags: number;
  readonly allocTags: number;
  /** Segment-list allocations that succeeded (kstat alloc); quantum-cache hits are not among them. */
  readonly allocs: number;
  readonly frees: number;
  readonly fails: number;
  readonly waits: number;
  /** Steps along hash chains on free (kstat lookup). */
  readonly lookups: number;
  /** Elements visited by searches for a fit (kstat search). */
  readonly searches: number;
  /** Segments cut in two or three by an allocation. */
  readonly splits: number;
  /** Pairs of neighbours made one by a free. */
  readonly merges: number;
  readonly imports: number;
  /** Spans given back to the source. */
  readonly releases: number;
  readonly hashBuckets: number;
  /** Bytes from the lowest to the highest address that was ever allocated: the address space needed so far. */
  readonly reachBytes: Bytes;
}

/** Figures of one cache in front of an arena. */
export interface CacheFigures {
  readonly name: string;
  /**
   * A quantum cache serves the arena's own small requests; an object cache is a client of the arena; a metadata cache
   * is one whose buffers are structures of the allocators themselves.
   */
  readonly kind: 'quantum' | 'object' | 'metadata';
  /** Name of the arena that supplies the slabs. */
  readonly arena: string;
  readonly bufferBytes: Bytes;
  readonly slabBytes: Bytes;
  readonly slabs: number;
  /** Buffers of all slabs. */
  readonly buffers: number;
  /** Buffers out of the slab layer: with clients or in magazines. */
  readonly buffersInUse: number;
  /** Buffers held by per-CPU magazines and by full magazines of the depot. */
  readonly buffersInMagazines: number;
  readonly magazines: number;
  /** Allocations served by the cache, and how many of those by a magazine. */
  readonly allocs: number;
  readonly magazineHits: number;
  readonly frees: number;
}

/** Where the entries of a map are; what they have cost so far only rises. */
export interface MapEntryFigures {
  /** Entries in the map. */
  readonly linkedEntries: number;
  /** Entries kept aside for live ranges that share an entry. */
  readonly keptEntries: number;
  /** Entries that are free without further memory. */
  readonly freeEntries: number;
  /** Entries that frees allocated because they cut one in two ("allocate to free"). */
  readonly entriesForSplits: number;
  /** Entries that frees allocated beforehand and gave back unused. */
  readonly entriesReserved: number;
  /** Mappings that extended a neighbour's entry instead of getting one of their own. */
  readonly mergedMappings: number;
  /** Frees that needed an entry which was not to be had, so that the kernel would hang or sleep. */
  readonly hangs: number;
}

/** What an arena holds back so that it never lacks boundary tags for the memory that tags live in. */
export interface SpareTagFigures {
  readonly spareTags: number;
  /** Tags taken so far, whether they were needed in the end or not. */
  readonly tagsTaken: number;
  /** The most refills that were ever under way at once, in all arenas that draw on the same supply. */
  readonly deepestRefill: number;
}

/** What probes, checks and reports may see of an arena model. */
export interface ArenaView {
  readonly name: string;
  /** Name of the arena that it imports from, or null. */
  readonly source: string | null;
  readonly quantum: Bytes;
  /** The most that `totalBytes` may become, of an arena without a source that grows by itself; else what it has. */
  readonly capacityBytes?: Bytes;
  readonly figures: ArenaFigures;
  readonly caches: readonly CacheFigures[];
  /** Only of maps that model where their entries come from. */
  readonly mapEntries?: MapEntryFigures;
  /** Only of arenas that hold boundary tags in reserve. */
  readonly spareTags?: SpareTagFigures;
  /** Size of the largest free segment. Not for the hot path: O(free tags) in the worst case. */
  largestFree(): Bytes;
  /** Bytes of free segments. */
  freeBytes(): Bytes;
  /** Bytes of the model's metadata under an ABI, see Abi. */
  metadataBytes(): Bytes;
  walk(visit: TagVisitor): void;
  /** Calls `visit` with the size of each free segment, in any order; without it, probes pick them out of `walk`. */
  walkFree?(visit: (size: Bytes) => void): void;
  /**
   * How its free space is cut. The first call walks the free segments; from then on the model keeps the answer up to
   * date at every change, so that sampling costs nothing per segment, and a run without samples nothing at all. Without
   * it, probes walk at every sample point.
   */
  freeSpectrum?(): FreeSpectrum;
  /**
   * Per span, bytes from the start of its first allocated segment to the end of its last; summed over the spans. O(spans)
   * for an arena that does not import. Without it, probes walk.
   */
  extentBytes?(): Bytes;
  /** Checks every invariant. @throws InvariantError with a dump. */
  check(): void;
}

/** How kernel stacks lie in VM objects and in physical memory; counters only rise. */
export interface StackFigures {
  /** VM objects that hold pages of stacks, and bytes of them and of the nodes of their page tries. */
  readonly objects: number;
  readonly objectBytes: Bytes;
  readonly trieNodes: number;
  /** From the lowest to the highest index of a resident page of the shared object, and those without one; 0 without it. */
  readonly indexSpan: number;
  readonly indexHoles: number;
  /** Reservations with at least one page, those with all and those with some, and the pages of all of them. */
  readonly reservations: number;
  readonly fullReservations: number;
  readonly partialReservations: number;
  readonly reservedPages: number;
  /** Live stacks with all their pages in memory, and those of them whose page frames ascend one by one. */
  readonly residentStacks: number;
  readonly contiguousStacks: number;
  /** Pages of live stacks, maximal runs of their frames, and the longest of these in pages. */
  readonly residentPages: number;
  readonly pageRuns: number;
  readonly longestRun: number;
  /** Writes to swap, each a cluster, and their pages; reads from swap. */
  readonly swapWrites: number;
  readonly swapPagesWritten: number;
  readonly swapReads: number;
  /** Pages of swap space in use, and what is kept to find them: metadata blocks, trie nodes, and bytes of both. */
  readonly swapBlocks: number;
  readonly swapMetadataBlocks: number;
  readonly swapTrieNodes: number;
  readonly swapMetadataBytes: Bytes;
  readonly objectLocks: number;
  readonly creations: number;
  /** Creations that the stack cache served. */
  readonly cacheHits: number;
  /** Address space of constructed stacks, guard pages included. */
  readonly stackBytes: Bytes;
}

/** What probes may see of a model of kernel stacks. */
export interface StackView {
  /** Figures as they are now. Not for the hot path: O(pages of stacks). */
  stackFigures(): StackFigures;
}

/** How the live requests of one class lie in extents of address space that are as long as a superpage, and aligned. */
export interface ExtentFigures {
  /** Extents with a page of the class. */
  readonly extents: number;
  /** Of these, those all of whose pages are the class's. */
  readonly whole: number;
  /** Of these, those with a page of a stack or of its guard; 0 for the stacks themselves. */
  readonly withStacks: number;
  /** Of these, those with pages of further classes. */
  readonly withOthers: number;
}

/** What probes may see of a backend that knows whose the pages of its address space are. */
export interface ExtentView {
  /** Figures of a request class as they are now. Not for the hot path: O(extents). */
  extentFigures(cls: number): ExtentFigures;
}
