import type { RandomStream } from '../core/random.js';
import { RequestClass } from '../core/request.js';
import type { Bytes } from '../core/units.js';

/** What a user may set of a test. */
export interface VmallocOptions {
  readonly loops: number;
  /** Pages of an area, where a test has no size of its own (test_vmalloc's nr_pages). */
  readonly pages: number;
  readonly pageBytes: Bytes;
  /** Bytes that vmalloc adds behind each area; vm_map_ram adds none. */
  readonly guardBytes: Bytes;
  /** Areas that full_fit keeps, with a hole behind each. */
  readonly holes: number;
  /** Areas that long_busy_list keeps. */
  readonly busy: number;
  /** Per-CPU objects that pcpu_alloc makes. */
  readonly pcpuObjects: number;
  /** Areas that wait for the end of a grace period together. */
  readonly rcuBatch: number;
  /** align_shift leaves larger alignments out. */
  readonly largestAlign: Bytes;
}

/** Sizes and alignments of a test's areas; those that are kept are of the smallest size. */
export interface AreaShape {
  readonly cls: RequestClass;
  readonly smallest: Bytes;
  readonly largest: Bytes;
  /** Alignments that it asks for; those up to the page are no constraint. */
  readonly aligns: readonly Bytes[];
  /** Bytes of an area; `index` counts the looped areas of its CPU, `word` was drawn for it. */
  bytes(index: number, word: number): Bytes;
  /** Alignment of the same area. */
  align(index: number, word: number): Bytes;
}

/**
 * What each CPU does: allocates `kept` areas, with as many temporary ones in between if there are `holes`, frees
 * the temporary ones; then allocates `areas` areas in batches, each freed in order when it is complete; then frees
 * what it kept.
 */
export interface VmallocTest {
  readonly kept: number;
  readonly holes: boolean;
  readonly areas: number;
  readonly batch: number;
  /** Words from 0 to this − 1 are drawn for each area. */
  readonly words: number;
  readonly shape: AreaShape;
}

/** 2 × THREAD_ALIGN of 64-bit x86, which fix_align asks for. */
const FIXED_ALIGN = 32 * 1024;
const ALIGN_SHIFTS = 23;
const LARGEST_SHIFT = 63;
const PCPU_LARGEST = 1024;

const unaligned = (bytes: Bytes): AreaShape => fixed(bytes, 1);

function fixed(bytes: Bytes, align: Bytes): AreaShape {
  return {
    cls: RequestClass.va,
    smallest: bytes,
    largest: bytes,
    aligns: [align],
    bytes: () => bytes,
    align: () => align,
  };
}

const powersOfTwo = (count: number): readonly Bytes[] => Array.from({ length: count }, (_, k) => 2 ** k);

/** Makes a test from the options; see VMALLOC_TESTS. */
type TestMaker = (options: VmallocOptions) => VmallocTest;

const area = ({ pageBytes, guardBytes }: VmallocOptions, pages: number): Bytes =>
  pages * pageBytes + guardBytes;

const looped = ({ loops }: VmallocOptions, shape: AreaShape, words = 1): VmallocTest => ({
  kept: 0,
  holes: false,
  areas: loops,
  batch: 1,
  words,
  shape,
});

const fixSize: TestMaker = (options) => looped(options, unaligned(area(options, options.pages)));

const fullFit: TestMaker = (options) => ({
  ...looped(options, unaligned(area(options, 1))),
  kept: options.holes,
  holes: true,
});

/** 100 pages and one page, both freed in that order. */
const longBusyList: TestMaker = (options) => ({
  ...looped(options, {
    ...unaligned(area(options, 1)),
    largest: area(options, 100),
    bytes: (index) => area(options, index % 2 === 0 ? 100 : 1),
  }),
  kept: options.busy,
  areas: 2 * options.loops,
  batch: 2,
});

const randomSize: TestMaker = (options) =>
  looped(
    options,
    {
      ...unaligned(area(options, 1)),
      largest: area(options, 100),
      bytes: (_, word) => area(options, word + 1),
    },
    100,
  );

const fixAlign: TestMaker = (options) => looped(options, fixed(area(options, 5), FIXED_ALIGN));

/** One byte decides both. */
const randomSizeAlign: TestMaker = (options) => {
  const aligns = powersOfTwo(ALIGN_SHIFTS);
  const shape: AreaShape = {
    ...unaligned(area(options, 1)),
    largest: area(options, 10),
    aligns,
    bytes: (_, word) => area(options, (word % 10) + 1),
    align: (_, word) => aligns[word % ALIGN_SHIFTS]!,
  };
  return looped(options, shape, 256);
};

/** One page with each alignment in turn, once. */
const alignShift: TestMaker = (options) => {
  const aligns = powersOfTwo(LARGEST_SHIFT + 1).filter((align) => align <= options.largestAlign);
  const shape = { ...unaligned(area(options, 1)), aligns, align: (index: number) => aligns[index]! };
  return { ...looped(options, shape), areas: aligns.length };
};

/** Objects of the per-CPU allocator, not of vmalloc: byte-wise requests, of which its alignments are no part here. */
const pcpuAlloc: TestMaker = (options) => {
  const shape: AreaShape = {
    ...unaligned(1),
    cls: RequestClass.kmem,
    largest: PCPU_LARGEST,
    bytes: (_, word) => word + 1,
  };
  const { pcpuObjects } = options;
  return { ...looped(options, shape, PCPU_LARGEST), areas: pcpuObjects, batch: pcpuObjects };
};

const kvfreeRcu: TestMaker = (options) => ({
  ...looped(options, unaligned(area(options, 1))),
  batch: options.rcuBatch,
});

const vmMapRam: TestMaker = (options) => looped(options, unaligned(options.pages * options.pageBytes));

/**
 * Linux' eleven tests of vmalloc by name, in the order of their bits: lib/test_vmalloc.c of [linux-6.12.117]. Facts
 * are sizes, alignments and numbers; the order of the frees, that a test frees at its end what it kept, and the batches
 * of kvfree_rcu are assumptions of ours, see docs/workloads.md.
 */
export const VMALLOC_TESTS: Readonly<Record<string, TestMaker>> = {
  fix_size_alloc_test: fixSize,
  full_fit_alloc_test: fullFit,
  long_busy_list_alloc_test: longBusyList,
  random_size_alloc_test: randomSize,
  fix_align_alloc_test: fixAlign,
  random_size_align_alloc_test: randomSizeAlign,
  align_shift_alloc_test: alignShift,
  pcpu_alloc_test: pcpuAlloc,
  kvfree_rcu_1_arg_vmalloc_test: kvfreeRcu,
  kvfree_rcu_2_arg_vmalloc_test: kvfreeRcu,
  vm_map_ram_test: vmMapRam,
};

/** Draws the word of an area. */
export function drawWord({ words }: VmallocTest, stream: RandomStream): number {
  return words === 1 ? 0 : stream.below(words);
}

/** Requests of one CPU. */
export function requestsOf({ kept, holes, areas }: VmallocTest): number {
  return 2 * (kept * (holes ? 2 : 1) + areas);
}

/** Slots of one CPU: what it keeps and what is temporary beside it, then one batch. */
export function slotsOf({ kept, holes, areas, batch }: VmallocTest): number {
  return kept * (holes ? 2 : 1) + Math.min(batch, areas);
}
