import type { Bytes } from '../../core/units.js';
import type { StackFigures } from '../view.js';
import { OBJECT_BYTES, PAGE_BYTES, RESERVATION_PAGES, TRIE_NODE_BYTES } from './abi.js';
import type { KernelStacks } from './kernel-stacks.js';
import { NO_FRAME, NO_OBJECT } from './page-frames.js';
import { StackState } from './stack-table.js';

/** How many stacks there are. */
export interface StackPopulation {
  readonly live: number;
  /** Live stacks that have been swapped out. */
  readonly swapped: number;
  readonly cached: number;
  readonly constructed: number;
}

/** How the live stacks lie in physical memory. */
export interface StackContiguity {
  /** Live stacks with all their pages in memory. */
  readonly resident: number;
  /** Of those, with frames that ascend by one in order of index, and with frames that do in any order. */
  readonly ascending: number;
  readonly contiguousInAnyOrder: number;
  /** Sum over the resident stacks of maximal runs of frames that ascend by one. */
  readonly runs: number;
  /** Maximal runs in the sorted list of the frames of all live stacks, and the 2 MiB blocks that these touch. */
  readonly ownerRuns: number;
  /** Pages of all live stacks, and the longest of those runs. */
  readonly ownerPages: number;
  readonly longestRun: number;
  readonly superpageBlocks: number;
}

/** How the indices of the shared object of default-size stacks are used. */
export interface IndexUse {
  readonly residentPages: number;
  /** Lowest and highest index of a resident page; -1 without any. */
  readonly lowest: number;
  readonly highest: number;
  /** Indices between them without a resident page. */
  readonly holes: number;
  /** Maximal runs of consecutive indices. */
  readonly runs: number;
  /** Aligned windows of 512 indices with a resident page. */
  readonly windows: number;
}

/** How far reservations are filled. */
export interface ReservationUse {
  readonly active: number;
  readonly full: number;
  readonly partial: number;
  readonly pagesInUse: number;
  /** Pages of active reservations that are not populated. */
  readonly pagesIdle: number;
}

export function stackPopulation({ stacks }: KernelStacks): StackPopulation {
  let live = 0;
  let cached = 0;
  let swapped = 0;
  for (let stack = 0; stack < stacks.rows; stack++) {
    if (stacks.state[stack] === StackState.live) {
      live++;
      swapped += stacks.isSwapped[stack]!;
    } else if (stacks.state[stack] === StackState.cached) cached++;
  }
  return { live, swapped, cached, constructed: live + cached };
}

/** Appends the frames of a stack's resident pages, by index, to `into`. */
export function collectFrames(kernel: KernelStacks, stack: number, into: number[]): void {
  const { stacks, memory } = kernel;
  const { objects } = memory;
  const first = stacks.pindex[stack]!;
  for (let index = 0; index < stacks.pages[stack]!; index++) {
    const frame = objects.find(stacks.object[stack]!, first + index);
    if (frame !== NO_FRAME) into.push(frame);
  }
}

export function stackContiguity(kernel: KernelStacks): StackContiguity {
  const { stacks } = kernel;
  const all: number[] = [];
  const sums = { resident: 0, ascending: 0, contiguousInAnyOrder: 0, runs: 0 };
  for (let stack = 0; stack < stacks.rows; stack++) {
    if (stacks.state[stack] !== StackState.live) continue;
    const own: number[] = [];
    collectFrames(kernel, stack, own);
    for (const frame of own) all.push(frame);
    if (own.length < stacks.pages[stack]!) continue;
    const runs = countRuns(own);
    sums.resident++;
    sums.runs += runs;
    if (runs === 1) sums.ascending++;
    if (countRuns(own.sort(ascending)) === 1) sums.contiguousInAnyOrder++;
  }
  all.sort(ascending);
  const ownerRuns = countRuns(all);
  const longest = longestRun(all);
  return {
    ...sums,
    ownerRuns,
    ownerPages: all.length,
    longestRun: longest,
    superpageBlocks: countWindows(all),
  };
}

export function indexUse(kernel: KernelStacks): IndexUse {
  const { memory, layout } = kernel;
  const indices: number[] = [];
  if (layout.sharedObject !== NO_OBJECT) {
    const { frames, objects } = memory;
    let frame = objects.first[layout.sharedObject]!;
    for (; frame !== NO_FRAME; frame = frames.objectNext[frame]!) indices.push(frames.pindex[frame]!);
  }
  const residentPages = indices.length;
  const lowest = indices[0] ?? -1;
  const highest = indices[residentPages - 1] ?? -1;
  const holes = residentPages === 0 ? 0 : highest - lowest + 1 - residentPages;
  return { residentPages, lowest, highest, holes, runs: countRuns(indices), windows: countWindows(indices) };
}

export function reservationUse({ memory }: KernelStacks): ReservationUse {
  const { object, population } = memory.reservations;
  let active = 0;
  let full = 0;
  let pagesInUse = 0;
  for (let reservation = 0; reservation < object.length; reservation++) {
    if (object[reservation] === NO_OBJECT) continue;
    active++;
    pagesInUse += population[reservation]!;
    if (population[reservation] === RESERVATION_PAGES) full++;
  }
  return {
    active,
    full,
    partial: active - full,
    pagesInUse,
    pagesIdle: active * RESERVATION_PAGES - pagesInUse,
  };
}

/** All of the above in one, for probes. O(pages of stacks). */
export function stackFigures(kernel: KernelStacks): StackFigures {
  const { memory, counters, daemon, form } = kernel;
  const { objects } = memory;
  const { swap } = daemon;
  const contiguity = stackContiguity(kernel);
  const reservations = reservationUse(kernel);
  const index = indexUse(kernel);
  return {
    objects: objects.count,
    objectBytes: objectBytes(kernel),
    trieNodes: objects.tries.nodes,
    indexSpan: index.residentPages === 0 ? 0 : index.highest - index.lowest + 1,
    indexHoles: index.holes,
    reservations: reservations.active,
    fullReservations: reservations.full,
    partialReservations: reservations.partial,
    reservedPages: reservations.pagesInUse,
    residentStacks: contiguity.resident,
    contiguousStacks: contiguity.ascending,
    residentPages: contiguity.ownerPages,
    pageRuns: contiguity.ownerRuns,
    longestRun: contiguity.longestRun,
    swapWrites: daemon.writes,
    swapPagesWritten: daemon.pagesWritten,
    swapReads: counters.swapReads,
    swapBlocks: swap.blocksInUse,
    swapMetadataBlocks: swap.metadata.blocks,
    swapTrieNodes: swap.metadata.nodes,
    swapMetadataBytes: swap.metadata.bytes,
    objectLocks: counters.objectLocks,
    creations: counters.creates,
    cacheHits: counters.cacheHits,
    stackBytes:
      constructedPages(kernel) * PAGE_BYTES +
      stackPopulation(kernel).constructed * form.guardPages * PAGE_BYTES,
  };
}

/** Bytes of the objects that hold stacks and of the nodes of their page tries. */
export function objectBytes({ memory }: KernelStacks): Bytes {
  const { objects } = memory;
  return objects.count * OBJECT_BYTES + objects.tries.nodes * TRIE_NODE_BYTES;
}

function constructedPages({ stacks }: KernelStacks): number {
  let pages = 0;
  for (let stack = 0; stack < stacks.rows; stack++) {
    if (stacks.state[stack] !== StackState.none) pages += stacks.pages[stack]!;
  }
  return pages;
}

function ascending(a: number, b: number): number {
  return a - b;
}

/** Maximal runs in which each number is one more than the one before. */
function countRuns(numbers: readonly number[]): number {
  return numbers.filter((number, at) => at === 0 || number !== numbers[at - 1]! + 1).length;
}

/** Length of the longest of these runs. */
function longestRun(numbers: readonly number[]): number {
  let longest = 0;
  let length = 0;
  numbers.forEach((number, at) => {
    length = at > 0 && number === numbers[at - 1]! + 1 ? length + 1 : 1;
    longest = Math.max(longest, length);
  });
  return longest;
}

/** Distinct aligned windows of 512 in an ascending list. */
function countWindows(numbers: readonly number[]): number {
  const window = (number: number) => Math.floor(number / RESERVATION_PAGES);
  return numbers.filter((number, at) => at === 0 || window(number) !== window(numbers[at - 1]!)).length;
}
