import { Type } from '@sinclair/typebox';
import type { ArenaView } from '../arena/view.js';
import { type Address, NO_ADDRESS } from '../core/address.js';
import { InvariantError } from '../core/errors.js';
import { RequestClass } from '../core/request.js';
import type { Simulation } from '../core/simulation.js';
import { type Bytes, GIB, KIB } from '../core/units.js';
import type { Backend, BackendEnvironment, Parameters } from './contract.js';
import { IllumosStack } from './illumos-stack.js';
import { type SegkpMachine, type SegkpRanges, segkpRanges } from './segkp-layout.js';
import type { SegkpFailure, SegkpFigures, SegkpView } from './segkp-view.js';

/** Parameters of both places that segkp may be in. */
export const SEGKP_PARAMETERS = {
  arch: Type.Union([Type.Literal('i86'), Type.Literal('amd64')], {
    default: 'i86',
    description: 'layout and structure sizes: of 32-bit x86 in 2005, or of amd64',
  }),
  physmem: Type.Number({
    format: 'bytes',
    minimum: 0,
    maximum: 2 ** 52,
    default: 4 * GIB,
    description: 'RAM, from which the layout follows (`kvabench layout`)',
  }),
  page_size: Type.Number({
    format: 'bytes',
    maximum: 64 * KIB,
    default: 4096,
    description: 'page, a power of two: quantum of all arenas, and the red zone of a stack',
  }),
  segkp_qcache_pages: Type.Integer({
    minimum: 0,
    maximum: 16,
    default: 5,
    description:
      'pages of the largest stack, red zone included, that a quantum cache of segkp serves; 0 = none',
  }),
  kmem_va_qcache_pages: Type.Integer({
    minimum: 0,
    maximum: 16,
    default: 8,
    description: 'pages of the largest size with a quantum cache in kmem_va; 0 = none',
  }),
} as const;

/** Largest kmem_alloc cache in 2005, and on amd64 since (spec segkp §2). */
const LARGEST_CACHED = { i86: 16 * KIB, amd64: 128 * KIB } as const;

/** Bits of a word of the bitmap. */
const WORD_BITS = 32;

/**
 * Builds the backend; `segkpSize` of 0 has segkp import from the heap.
 * @throws InputError naming the parameter that is wrong and what it may be.
 */
export function createSegkp(
  parameters: Parameters,
  environment: BackendEnvironment,
  segkpSize: Bytes,
): SegkpBackend {
  const arch = parameters.arch === 'amd64' ? 'amd64' : 'i86';
  const pageBytes = Number(parameters.page_size);
  const machine: SegkpMachine = { arch, physmem: Number(parameters.physmem), pageBytes, segkpSize };
  const ranges = segkpRanges(machine);
  const stack = new IllumosStack(
    {
      page_size: pageBytes,
      quantum: pageBytes,
      arena_base: ranges.heapBase,
      arena_size: ranges.heapSize,
      segkp_size: segkpSize,
      qcache_max: Number(parameters.kmem_va_qcache_pages) * pageBytes,
      segkp_qcache_max: Number(parameters.segkp_qcache_pages) * pageBytes,
      abi: arch === 'i86' ? 'ilp32' : 'lp64',
    },
    environment,
    { segkp: ranges.segkp, guests: false, largestCached: LARGEST_CACHED[arch] },
  );
  return new SegkpBackend(stack, machine, ranges, environment.simulation);
}

/**
 * illumos' arenas with segkp either in a segment of its own or importing from the heap (segkp_fromheap), and what the choice
 * is judged by: threads and heap bytes at the first failure of each. A stack is taken with its red zone, the lowest page, by
 * best fit; up to five pages in all come from quantum caches, whose slabs are 64 KiB by instant fit, and so does any
 * import from the heap. Address space only: physical pages, swap reservations and segkp's free lists of 32 and 8 stacks are
 * left out. Sources: spec segkp §1–§4; seg_kp.c, startup.c [OpenSolaris 2005].
 */
export class SegkpBackend implements Backend, SegkpView {
  readonly serves: readonly number[];
  readonly arenas: readonly ArenaView[];
  readonly segkp: SegkpView = this;
  readonly failures: SegkpFailure[] = [];
  private readonly heapArena: ArenaView;
  private readonly segkpArena: ArenaView;
  private readonly qcacheBytes: Bytes;
  private threadFailed = false;
  private heapFailed = false;
  private threads = 0;
  /** Live stacks, red zones included. */
  private stackBytes = 0;
  private cachedStacks = 0;
  /** As requested, of kmem and va. */
  private heapLiveBytes = 0;

  constructor(
    private readonly stack: IllumosStack,
    private readonly machine: SegkpMachine,
    private readonly ranges: SegkpRanges,
    private readonly simulation: Simulation,
  ) {
    this.serves = stack.serves;
    this.arenas = stack.arenas;
    this.heapArena = arenaNamed(stack, 'heap');
    this.segkpArena = arenaNamed(stack, 'segkp');
    const cached = this.segkpArena.caches.map(({ bufferBytes }) => bufferBytes);
    this.qcacheBytes = Math.max(0, ...cached);
  }

  alloc(cls: number, size: Bytes, constraint: number, cpu: number): Address {
    const address = this.stack.alloc(cls, size, constraint, cpu);
    if (address === NO_ADDRESS) {
      this.noteFailure(cls, size);
      return NO_ADDRESS;
    }
    if (cls === RequestClass.kstack) {
      const length = this.stack.footprint(cls, size);
      this.threads++;
      this.stackBytes += length;
      if (length <= this.qcacheBytes) this.cachedStacks++;
    } else this.heapLiveBytes += size;
    return address;
  }

  free(cls: number, address: Address, size: Bytes, constraint: number, cpu: number): void {
    this.stack.free(cls, address, size, constraint, cpu);
    if (cls === RequestClass.kstack) {
      this.threads--;
      this.stackBytes -= this.stack.footprint(cls, size);
    } else this.heapLiveBytes -= size;
  }

  footprint(cls: number, size: Bytes): Bytes {
    return this.stack.footprint(cls, size);
  }

  rootsOf(cls: number): readonly ArenaView[] {
    return this.stack.rootsOf(cls);
  }

  workDone(): number {
    return this.stack.workDone();
  }

  reap(): void {
    this.stack.reap();
  }

  /** Beside every arena: what segkp has handed out is what live stacks have (its bits in the bitmap are exactly these). */
  check(): void {
    this.stack.check();
    const handedOut = this.segkpArena.caches.reduce(
      (bytes, cache) =>
        bytes -
        cache.slabs * cache.slabBytes +
        (cache.buffersInUse - cache.buffersInMagazines) * cache.bufferBytes,
      this.segkpArena.figures.inUseBytes,
    );
    if (handedOut === this.stackBytes) return;
    throw new InvariantError(`segkp has handed out ${handedOut} bytes, live stacks have ${this.stackBytes}`);
  }

  figures(): SegkpFigures {
    const { heapArena, segkpArena, stackBytes } = this;
    const { pageBytes, segkpSize } = this.machine;
    const isStatic = segkpSize > 0;
    const pages = (isStatic ? segkpSize : this.ranges.heapSpan) / pageBytes;
    return {
      threads: this.threads,
      cachedStacks: this.cachedStacks,
      stackBytes,
      heapLiveBytes: this.heapLiveBytes,
      heapUsedBytes: heapArena.figures.inUseBytes - segkpArena.figures.importBytes,
      heapFreeBytes: heapArena.freeBytes(),
      heapLargestFree: heapArena.largestFree(),
      heapFreeSegments: heapArena.figures.freeTags,
      segkpBytes: segkpArena.figures.totalBytes,
      segkpImports: segkpArena.figures.imports,
      segkpReleases: segkpArena.figures.releases,
      bitmapBytes: isStatic ? 0 : Math.ceil(pages / WORD_BITS) * (WORD_BITS / 8),
      bitmapBits: isStatic ? 0 : stackBytes / pageBytes,
      anonSlots: pages,
    };
  }

  /** Keeps the first failure of a thread and the first of the heap: two records in a run at most. */
  private noteFailure(cls: number, size: Bytes): void {
    const isThread = cls === RequestClass.kstack;
    if (isThread ? this.threadFailed : this.heapFailed) return;
    if (isThread) this.threadFailed = true;
    else this.heapFailed = true;
    const kind = isThread ? 'thread' : 'heap';
    const arena = this.stack.rootsOf(cls)[0]!.name;
    this.failures.push({ kind, timeNs: this.simulation.now, size, arena, figures: this.figures() });
  }
}

function arenaNamed(stack: IllumosStack, name: string): ArenaView {
  return stack.arenas.find((arena) => arena.name === name)!;
}
