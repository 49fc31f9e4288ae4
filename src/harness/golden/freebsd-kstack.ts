import { Type } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import { MAX_STACK_PAGES, OBJECT_BYTES, TRIE_NODE_BYTES } from '../../arena/freebsd-kstack/abi.js';
import { KernelStacks, type KernelStacksForm, NO_STACK } from '../../arena/freebsd-kstack/kernel-stacks.js';
import { ownerListing } from '../../arena/freebsd-kstack/owner-listing.js';
import { NO_FRAME, Owner } from '../../arena/freebsd-kstack/page-frames.js';
import {
  indexUse,
  reservationUse,
  stackContiguity,
  stackPopulation,
} from '../../arena/freebsd-kstack/stack-figures.js';
import { LAYOUT_NAMES, type LayoutName } from '../../arena/freebsd-kstack/stack-layout.js';
import { type Address, AddressSpace, NO_ADDRESS } from '../../core/address.js';
import { InputError } from '../../core/errors.js';
import type { GoldenCase, TableRow } from './golden-case.js';
import { type CaseOperations, NO_RESULT } from './operations.js';
import type { Difference, Oracle, OracleModel, PreparedCase } from './oracle.js';
import { STACK_OPERATIONS } from './stack-operations.js';

const [CREATE, EXIT, SWAP_OUT, SWAP_IN, NOISE, UNNOISE, LAUNDER, RECLAIM, REAP] = STACK_OPERATIONS.keys();

const RESULT_COLUMNS = ['kva', 'hit', 'pindex', 'pfns', 'clusters'] as const;
const OUT_OF_MEMORY = 'ENOMEM';

const StackCase = Type.Object({
  params: Type.Object({
    kstack_pages: Type.Integer({ minimum: 1, maximum: MAX_STACK_PAGES }),
    guard: Type.Integer({ minimum: 0, maximum: 1 }),
    cpus: Type.Integer({ minimum: 1, maximum: 256 }),
    phys_pages: Type.Integer({ minimum: 1, maximum: 2 ** 28 }),
    kva_skip: Type.Integer({ minimum: 0, maximum: 2 ** 40 }),
  }),
  variants: Type.Array(Type.Union(LAYOUT_NAMES.map((name) => Type.Literal(name))), { minItems: 1 }),
});

/**
 * Vectors of kernel stacks over FreeBSD 13.0's memory code, one list of operations under five layouts; a timed operation
 * is one under each.
 */
export const freebsdKstackOracle: Oracle = {
  name: 'freebsd-kstack',
  checkpointTables: LAYOUT_NAMES.map((name) => `checkpoints-${name}.csv`),
  initialTables: [],
  finalTables: [],
  requiredTables: (golden) =>
    golden.variants.flatMap((name) => [`checkpoints-${name}.csv`, `results-${name}.csv.gz`]),
  unmodelled: () => ({}),
  skipReason: () => undefined,
  prepare,
};

function prepare(golden: GoldenCase): PreparedCase {
  const { description } = golden;
  if (!Value.Check(StackCase, description)) {
    const error = Value.Errors(StackCase, description).First();
    const place = { file: golden.path('case.json'), field: error?.path ?? '' };
    throw new InputError(error?.message ?? 'not a case of kernel stacks', place);
  }
  const { params, variants } = description;
  const { operations } = golden;
  const prepared = variants.map((layout) => {
    const form: KernelStacksForm = {
      layout,
      stackPages: params.kstack_pages,
      guardPages: params.guard,
      cpus: params.cpus,
      memoryPages: params.phys_pages,
      skippedKvaBytes: params.kva_skip,
    };
    return { form, results: readResults(golden, layout) };
  });
  return {
    start: () =>
      new LayoutModels(
        operations,
        prepared.map((each) => new LayoutModel(operations, each)),
      ),
  };
}

/** The results of one layout: those of operation i are row i. */
interface LayoutResults {
  /** What the row says, for messages; empty for an operation without result. */
  readonly text: readonly string[];
  readonly kva: Float64Array;
  readonly hit: Int32Array;
  readonly pindex: Int32Array;
  /** Page frames, pages of clusters, or the count of freed pages: those of row i are from `listStart[i]` on. */
  readonly list: Int32Array;
  readonly listStart: Int32Array;
}

function readResults(golden: GoldenCase, layout: LayoutName): LayoutResults {
  const { operations } = golden;
  const file = `results-${layout}.csv.gz`;
  const rows = new Map(golden.table(file).map((row) => [Number(row.seq), row] as const));
  const columns = {
    text: [] as string[],
    kva: new Float64Array(operations.length).fill(NO_ADDRESS),
    hit: new Int32Array(operations.length),
    pindex: new Int32Array(operations.length),
    listStart: new Int32Array(operations.length + 1),
  };
  const list: number[] = [];
  for (let at = 0; at < operations.length; at++) {
    const row = rows.get(operations.seq[at]!);
    rows.delete(operations.seq[at]!);
    columns.text.push(row === undefined ? '' : RESULT_COLUMNS.map((name) => row[name]).join(','));
    if (row !== undefined) {
      if (row.kva !== '') columns.kva[at] = AddressSpace.canonical.toNumber(BigInt(row.kva!));
      columns.hit[at] = Number(row.hit);
      columns.pindex[at] = Number(row.pindex);
      list.push(...listField(row.pfns!), ...listField(row.clusters!));
    }
    columns.listStart[at + 1] = list.length;
  }
  const [unknown] = rows.keys();
  if (unknown !== undefined) {
    throw new InputError(`no operation '${unknown}'`, { file: golden.path(file), field: 'seq' });
  }
  return { ...columns, list: Int32Array.from(list) };
}

function listField(text: string): number[] {
  if (text === '') return [];
  return text.split('|').map((part) => (part === OUT_OF_MEMORY ? NO_FRAME : Number(part)));
}

/** The layouts of a case side by side. */
class LayoutModels implements OracleModel {
  readonly lastResult = NO_RESULT;
  lastDifference: Difference | undefined;

  constructor(
    private readonly operations: CaseOperations,
    private readonly models: readonly LayoutModel[],
  ) {}

  advance(from: number, to: number): number {
    for (let row = from; row < to; row++) {
      let wrong: LayoutModel | undefined;
      for (const model of this.models) {
        model.execute(row);
        if (!model.isRight(row)) wrong ??= model;
      }
      if (wrong !== undefined) {
        this.lastDifference = wrong.difference(row);
        return row;
      }
    }
    return to;
  }

  checkpoint(table: string): TableRow {
    return checkpointRow(this.modelOf(table.replace(/^checkpoints-(.*)\.csv$/, '$1')).kernel);
  }

  wholeTable(): readonly string[] {
    return [];
  }

  dump(layout: string, around: readonly Address[] = []): string {
    const { kernel } = this.modelOf(layout);
    return `${layout}\n${ownerListing(kernel, around[0] ?? 0, around[1] ?? kernel.memory.frames.count)}`;
  }

  private modelOf(layout: string): LayoutModel {
    const index = this.operations.arenaNames.indexOf(layout);
    const model = this.models[index];
    if (model === undefined) throw new InputError(`unknown layout '${layout}'`, { field: 'variants' });
    return model;
  }
}

/** One layout, and what its last operation answered. */
class LayoutModel {
  readonly kernel: KernelStacks;
  private readonly operations: CaseOperations;
  private readonly results: LayoutResults;
  /** Stack, or page frame, of each slot. */
  private readonly held: Int32Array;
  private kva: Address = NO_ADDRESS;
  private hit = 0;
  private pindex = 0;
  private readonly list: Int32Array;
  private listed = 0;

  constructor(
    operations: CaseOperations,
    { form, results }: { form: KernelStacksForm; results: LayoutResults },
  ) {
    this.kernel = new KernelStacks(form);
    this.operations = operations;
    this.results = results;
    this.held = new Int32Array(operations.slotLimit);
    this.list = new Int32Array(Math.max(form.memoryPages, MAX_STACK_PAGES));
  }

  execute(row: number): void {
    const { kernel, held, operations } = this;
    const slot = operations.slot[row]!;
    this.kva = NO_ADDRESS;
    this.hit = 0;
    this.pindex = 0;
    this.listed = 0;
    switch (operations.op[row]) {
      case CREATE:
        held[slot] = this.create(operations.size[row]!);
        break;
      case EXIT:
        kernel.exit(held[slot]!);
        break;
      case SWAP_OUT:
        kernel.swapOut(held[slot]!);
        break;
      case SWAP_IN:
        this.swapIn(held[slot]!);
        break;
      case NOISE:
        held[slot] = kernel.memory.allocateBackground(Owner.vnode);
        this.list[this.listed++] = held[slot]!;
        break;
      case UNNOISE:
        if (held[slot] !== NO_FRAME) kernel.memory.free(held[slot]!);
        break;
      default:
        this.executeRare(operations.op[row]!, operations.size[row]!);
    }
  }

  isRight(row: number): boolean {
    const { results } = this;
    const start = results.listStart[row]!;
    if (results.kva[row] !== this.kva || results.listStart[row + 1]! - start !== this.listed) return false;
    if (results.hit[row] !== this.hit || results.pindex[row] !== this.pindex) return false;
    for (let at = 0; at < this.listed; at++) {
      if (results.list[start + at] !== this.list[at]) return false;
    }
    return true;
  }

  difference(row: number): Difference {
    const got = this.list.subarray(0, this.listed).join('|').replace(String(NO_FRAME), OUT_OF_MEMORY);
    const isLaunder = this.operations.op[row] === LAUNDER;
    const kva =
      this.kva === NO_ADDRESS
        ? ',,'
        : `${AddressSpace.canonical.format(this.kva)},${this.hit},${this.pindex}`;
    const lists = isLaunder ? `,${got}` : `${got},`;
    return {
      what: `${RESULT_COLUMNS.join(',')} under ${this.kernel.form.layout}`,
      wanted: this.results.text[row]!,
      got: `${kva},${lists}`,
    };
  }

  private executeRare(op: number, argument: number): void {
    const { kernel } = this;
    if (op === LAUNDER) this.launder(argument);
    else if (op === RECLAIM) this.list[this.listed++] = kernel.daemon.reclaim(argument);
    else if (op === REAP) kernel.reap(argument === 1);
    else kernel.current.cpu = argument;
  }

  private create(pages: number): number {
    const { kernel } = this;
    const hits = kernel.counters.cacheHits;
    const stack = kernel.create(pages);
    if (stack === NO_STACK) return stack;
    this.hit = kernel.counters.cacheHits - hits;
    this.answerWith(stack);
    return stack;
  }

  private swapIn(stack: number): void {
    const { kernel } = this;
    const reads = kernel.counters.swapReads;
    if (!kernel.swapIn(stack)) return;
    this.hit = kernel.counters.swapReads - reads;
    this.answerWith(stack);
  }

  /** Launders clusters until as many pages have been written as are wanted. */
  private launder(wanted: number): void {
    for (let written = 0; written < wanted; ) {
      const pages = this.kernel.daemon.launderCluster();
      if (pages === 0) return;
      this.list[this.listed++] = pages;
      written += pages;
    }
  }

  private answerWith(stack: number): void {
    const { stacks, memory } = this.kernel;
    this.kva = stacks.base[stack]!;
    this.pindex = stacks.pindex[stack]!;
    let frame = memory.objects.find(stacks.object[stack]!, this.pindex);
    for (let left = stacks.pages[stack]!; left > 0; left--) {
      this.list[this.listed++] = frame;
      frame = memory.frames.objectNext[frame]!;
    }
  }
}

function checkpointRow(kernel: KernelStacks): TableRow {
  const { constructed, ...population } = stackPopulation(kernel);
  const figures = {
    ...population,
    constructed,
    ...metadataColumns(kernel),
    ...contiguityColumns(kernel),
    ...indexColumns(kernel),
    ...reservationColumns(kernel),
    guard_pages: constructed * kernel.form.guardPages,
    ...arenaColumns(kernel),
    free_pages: kernel.memory.freePages,
    ...swapColumns(kernel),
    ...counterColumns(kernel),
  };
  return Object.fromEntries(Object.entries(figures).map(([name, value]) => [name, String(value)]));
}

function metadataColumns({ memory }: KernelStacks): Record<string, number> {
  const { objects } = memory;
  const { nodes } = objects.tries;
  return {
    objects: objects.count,
    object_bytes: objects.count * OBJECT_BYTES,
    radix_nodes: nodes,
    radix_bytes: nodes * TRIE_NODE_BYTES,
  };
}

function contiguityColumns(kernel: KernelStacks): Record<string, number> {
  const contiguity = stackContiguity(kernel);
  return {
    live_resident: contiguity.resident,
    live_contig: contiguity.ascending,
    live_phys_runs: contiguity.runs,
    live_contig_any_order: contiguity.contiguousInAnyOrder,
    phys_owner_runs: contiguity.ownerRuns,
    phys_2m_blocks: contiguity.superpageBlocks,
  };
}

function indexColumns(kernel: KernelStacks): Record<string, number | string> {
  const use = indexUse(kernel);
  return {
    std_resident_pages: use.residentPages,
    std_pindex_min: use.residentPages === 0 ? '' : use.lowest,
    std_pindex_max: use.residentPages === 0 ? '' : use.highest,
    std_holes: use.holes,
    std_pindex_runs: use.runs,
    std_superpage_slots: use.windows,
  };
}

function reservationColumns(kernel: KernelStacks): Record<string, number> {
  const use = reservationUse(kernel);
  return {
    reserv_active: use.active,
    reserv_full: use.full,
    reserv_partial: use.partial,
    reserv_pages_in_use: use.pagesInUse,
    reserv_pages_idle: use.pagesIdle,
  };
}

function arenaColumns({ kva }: KernelStacks): Record<string, number> {
  return {
    kernel_arena_size: kva.kernelArena.totalBytes,
    kernel_arena_inuse: kva.kernelArena.inUseBytes,
    domain_arena_size: kva.domainArena.totalBytes,
    domain_arena_inuse: kva.domainArena.inUseBytes,
    kstack_arena_size: kva.stackArena.totalBytes,
    kstack_arena_inuse: kva.stackArena.inUseBytes,
  };
}

function swapColumns({ daemon, counters }: KernelStacks): Record<string, number | string> {
  const histogram = [...daemon.writesOfPages.entries()].filter(([, writes]) => writes > 0);
  return {
    swap_blocks: daemon.swap.blocksInUse,
    swap_writes: daemon.writes,
    swap_pages_written: daemon.pagesWritten,
    swap_reads: counters.swapReads,
    swap_pages_read: counters.pagesRead,
    cluster_hist: histogram.map(([pages, writes]) => `${pages}:${writes}`).join('|'),
  };
}

function counterColumns({ counters }: KernelStacks): Record<string, number> {
  return {
    creates: counters.creates,
    cache_hits: counters.cacheHits,
    stacks_built: counters.built,
    stacks_destroyed: counters.destroyed,
    object_locks: counters.objectLocks,
  };
}
