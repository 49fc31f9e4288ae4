import { Type } from '@sinclair/typebox';
import { KERNEL_MIN, KERNEL_PAGES, PAGE_BYTES, SUPERPAGE_BYTES } from '../arena/freebsd-kstack/abi.js';
import { checkStacks } from '../arena/freebsd-kstack/check.js';
import { KernelStacks, NO_STACK } from '../arena/freebsd-kstack/kernel-stacks.js';
import type { KvaArena } from '../arena/freebsd-kstack/kva-arena.js';
import { KernelMapView, KvaView } from '../arena/freebsd-kstack/kva-view.js';
import { objectBytes, stackFigures } from '../arena/freebsd-kstack/stack-figures.js';
import type { LayoutName } from '../arena/freebsd-kstack/stack-layout.js';
import type { ArenaView, StackFigures, StackView } from '../arena/view.js';
import { type Address, NO_ADDRESS } from '../core/address.js';
import { InputError } from '../core/errors.js';
import { RequestClass, RequestOp, UNCONSTRAINED } from '../core/request.js';
import { type Bytes, GIB, MIB } from '../core/units.js';
import type { Backend, BackendEnvironment, Parameters } from './contract.js';
import { BackgroundLoad } from './freebsd-background.js';
import { MOST_STACK_PAGES, STACK_PAGES_PARAMETER } from './freebsd-kernel.js';
import { StackCacheView } from './freebsd-stack-cache.js';

/** Parameters of every backend of kernel stacks. */
export const KSTACK_PARAMETERS = {
  kstack_pages: STACK_PAGES_PARAMETER,
  guard_pages: Type.Integer({
    minimum: 0,
    maximum: 1,
    default: 1,
    description: 'unmapped pages below each stack (KSTACK_GUARD_PAGES)',
  }),
  memory: Type.Number({
    format: 'bytes',
    default: GIB,
    description: 'physical memory, one domain, for stacks and the background load (assumption)',
  }),
  skip_kva: Type.Number({
    format: 'bytes',
    default: 32 * MIB,
    description: 'bytes at the start of kernel address space that others hold (assumption: vm_page_array)',
  }),
  launder_after: Type.Integer({
    minimum: 1,
    maximum: 2 ** 24,
    default: 256,
    description:
      'pages of swapped-out stacks that wait before the page daemon writes and frees them all (assumption)',
  }),
  background_pages: Type.Integer({
    minimum: 0,
    maximum: 2 ** 24,
    default: 4096,
    description: 'pages of files and anonymous memory that live at the same time',
  }),
  background_rate: Type.Integer({
    minimum: 0,
    maximum: 1024,
    default: 4,
    description: 'of these pages, how many are replaced at random at each creation of a thread',
  }),
} as const;

const PER_PAGE = 1 / PAGE_BYTES;

/**
 * Kernel stacks of FreeBSD with their VM objects, page frames, reservations and swap, under one layout; nothing but the
 * class kstack. A request of one page gets a stack of default size, as in the kernel; one of more than 32 pages, or with a
 * constraint, is refused. Stacks of default size come through the stack cache.
 *
 * Memory pressure (`reap`, and a request for which there is no memory): the stack cache is drained, the laundry is written
 * and clean pages are freed. Swapping a stack out queues its pages; they are written once `launder_after` have come
 * together. A thread whose stack cannot be swapped in for lack of memory exits all the same, and the stack is destroyed.
 * Metadata are boundary tags, VM objects and nodes of page tries; those of swap space are counted by themselves (`swap.csv`).
 */
export class FreebsdStacks implements Backend, StackView {
  readonly serves = [RequestClass.kstack];
  readonly arenas: readonly ArenaView[];
  readonly stacks = this;
  private readonly kernel: KernelStacks;
  private readonly background: BackgroundLoad;
  private readonly launderAfter: number;
  /** Pages swapped out since the laundry was last written. */
  private waiting = 0;
  private readonly firstPage: number;
  /** The stack that begins at a page of address space, counted from `firstPage`. */
  private stackAt = new Int32Array(1024);

  /** @throws InputError naming the parameter that is wrong and what it may be. */
  constructor(layout: LayoutName, parameters: Parameters, { simulation }: BackendEnvironment) {
    const skippedKvaBytes = wholeSuperpages(parameters, 'skip_kva', 0, KERNEL_PAGES * PAGE_BYTES - GIB);
    const memoryPages = wholeSuperpages(parameters, 'memory', 8 * MIB, 256 * GIB) * PER_PAGE;
    const { cpus, locks } = simulation;
    const stackPages = Number(parameters.kstack_pages);
    const guardPages = Number(parameters.guard_pages);
    const kernel = new KernelStacks({ layout, stackPages, guardPages, cpus, memoryPages, skippedKvaBytes });
    this.kernel = kernel;
    this.firstPage = (KERNEL_MIN + skippedKvaBytes) * PER_PAGE;
    this.launderAfter = Number(parameters.launder_after);
    const pages = Number(parameters.background_pages);
    this.background = new BackgroundLoad(kernel.memory, pages, Number(parameters.background_rate));
    this.arenas = createViews(kernel);
    locks.add('kstack object', {
      get acquisitions() {
        return kernel.counters.objectLocks;
      },
    });
    for (const { figures } of this.arenas) {
      locks.add('vmem', {
        get acquisitions() {
          return figures.allocs + figures.frees + figures.fails;
        },
      });
    }
  }

  alloc(_cls: number, size: Bytes, constraint: number, cpu: number): Address {
    const { kernel } = this;
    const pages = Math.ceil(size * PER_PAGE);
    if (pages > MOST_STACK_PAGES || constraint !== UNCONSTRAINED) return NO_ADDRESS;
    kernel.current.cpu = cpu;
    this.background.replace();
    let stack = kernel.create(pages);
    if (stack === NO_STACK) {
      this.relieve();
      stack = kernel.create(pages);
    }
    if (stack === NO_STACK) return NO_ADDRESS;
    const address = kernel.stacks.base[stack]!;
    this.remember(address * PER_PAGE - this.firstPage, stack);
    return address;
  }

  free(_cls: number, address: Address, _size: Bytes, _constraint: number, cpu: number): void {
    const { kernel } = this;
    const stack = this.stackOf(address);
    kernel.current.cpu = cpu;
    if (this.isIn(stack)) kernel.exit(stack);
    else kernel.abandon(stack);
  }

  /** Swapping out and in; a stack that is already where it is wanted stays there. */
  act(op: number, _cls: number, address: Address, _size: Bytes, _amount: Bytes, cpu: number): void {
    const { kernel } = this;
    const stack = this.stackOf(address);
    kernel.current.cpu = cpu;
    if (op === RequestOp.swapIn) this.isIn(stack);
    if (op !== RequestOp.swapOut || kernel.stacks.isSwapped[stack] === 1) return;
    kernel.swapOut(stack);
    this.waiting += kernel.stacks.pages[stack]!;
    if (this.waiting >= this.launderAfter) this.launder();
  }

  guardBytes(): Bytes {
    return -this.kernel.form.guardPages * PAGE_BYTES;
  }

  /** The guard page is part of it. */
  footprint(_cls: number, size: Bytes): Bytes {
    const { stackPages, guardPages } = this.kernel.form;
    const pages = Math.ceil(size * PER_PAGE);
    return ((pages <= 1 ? stackPages : pages) + guardPages) * PAGE_BYTES;
  }

  reap(): void {
    this.kernel.current.cpu = 0;
    this.relieve();
  }

  check(): void {
    for (const arena of this.arenas) arena.check();
    checkStacks(this.kernel);
  }

  stackFigures(): StackFigures {
    return stackFigures(this.kernel);
  }

  /** Swaps the stack in unless it is; answers whether there was memory for it. */
  private isIn(stack: number): boolean {
    const { kernel } = this;
    if (kernel.stacks.isSwapped[stack] === 0 || kernel.swapIn(stack)) return true;
    this.relieve();
    return kernel.swapIn(stack);
  }

  private relieve(): void {
    this.kernel.reap(true);
    this.launder();
  }

  /** The page daemon writes all that waits, and frees what is clean. */
  private launder(): void {
    const { daemon } = this.kernel;
    this.waiting = 0;
    let written = daemon.launderCluster();
    while (written > 0) written = daemon.launderCluster();
    daemon.reclaim(Number.POSITIVE_INFINITY);
  }

  private stackOf(address: Address): number {
    return this.stackAt[address * PER_PAGE - this.firstPage]!;
  }

  private remember(page: number, stack: number): void {
    while (page >= this.stackAt.length) {
      const longer = new Int32Array(2 * this.stackAt.length);
      longer.set(this.stackAt);
      this.stackAt = longer;
    }
    this.stackAt[page] = stack;
  }
}

/** kernel_map and the arenas that the layout takes address space from, the first of these with the metadata of objects. */
function createViews(kernel: KernelStacks): ArenaView[] {
  const { kva, layout, form } = kernel;
  const { kernelArena, domainArena, stackArena } = kva;
  const bySource: readonly (readonly [KvaArena, string])[] = [
    [kernelArena, kva.map.name],
    [domainArena, kernelArena.name],
    [stackArena, domainArena.name],
  ];
  const used = layout.arenaFor(form.stackPages);
  const shown = used === kernelArena ? bySource.slice(0, 1) : bySource;
  const views = shown.map(([arena, source]) => {
    const caches = arena === used ? [new StackCacheView(kernel, arena.name)] : [];
    return new KvaView(arena, source, caches, () => (arena === kernelArena ? objectBytes(kernel) : 0));
  });
  return [new KernelMapView(kva.map), ...views];
}

function wholeSuperpages(parameters: Parameters, field: string, least: Bytes, most: Bytes): Bytes {
  const bytes = Number(parameters[field]);
  if (Number.isSafeInteger(bytes) && bytes >= least && bytes <= most && bytes % SUPERPAGE_BYTES === 0)
    return bytes;
  throw new InputError(`${parameters[field]} bytes cannot be managed`, {
    field,
    allowed: `a multiple of ${SUPERPAGE_BYTES} from ${least} to ${most}`,
  });
}
