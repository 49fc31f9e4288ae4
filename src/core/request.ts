import type { Address } from './address.js';
import type { Bytes } from './units.js';

/** What a client asks for. The numbers are stored in traces: append, never renumber. */
export const RequestClass = {
  /** A kernel heap object of any size (kmalloc, kmem_alloc, a slab object). */
  kmem: 0,
  /** The stack of a kernel thread, without guard pages: those are the backend's own business. */
  kstack: 1,
  /** A range of kernel address space in pages (vmalloc, ioremap, module text, heap arena). */
  va: 2,
  /** Memory of a guest, in pages or large pages. */
  guest: 3,
  /** Physical pages; recorded by some traces, served only by backends that model them. */
  page: 4,
  /** A range of kernel address space that holds a thread stack: the kernel's own answer to a kstack request. */
  stackArea: 5,
  /** A task: born by fork, dead by exit. Has no bytes; no backend serves it. */
  task: 6,
  /** A heap object from malloc(9), in kernels where that is a client of its own. */
  malloc: 7,
  /** Pages for the objects of a cache: a page of pool(9), a slab. */
  poolPage: 8,
  /** Pages asked for at interrupt level, where nothing may sleep. */
  interrupt: 9,
  /** A range of kernel address space whose pages may be absent, and fault. */
  pageable: 10,
} as const;
export type RequestClass = (typeof RequestClass)[keyof typeof RequestClass];

/** Names in the order of the numbers. */
export const REQUEST_CLASS_NAMES = Object.keys(RequestClass) as readonly (keyof typeof RequestClass)[];

/**
 * The class, by its number, as which a request is served by a backend that does not tell its own class apart; the
 * class itself where there is no broader one.
 */
export const BROADER_CLASS = Uint8Array.from(REQUEST_CLASS_NAMES, (name) => {
  if (name === 'malloc') return RequestClass.kmem;
  const isRange = name === 'poolPage' || name === 'interrupt' || name === 'pageable';
  return isRange ? RequestClass.va : RequestClass[name];
});

/** What a request does. The numbers are stored in traces: append, never renumber. */
export const RequestOp = {
  alloc: 0,
  free: 1,
  /** A kernel stack's pages go to swap; its address range stays. */
  swapOut: 2,
  swapIn: 3,
  /** A device is passed through to the guest that owns this memory (VFIO), or taken from it. */
  attach: 4,
  detach: 5,
  /** The balloon of a guest takes bytes of this memory, or gives them back. */
  inflate: 6,
  deflate: 7,
  /** Memory pressure: caches give back what they hold. It concerns no object. */
  reclaim: 8,
} as const;
export type RequestOp = (typeof RequestOp)[keyof typeof RequestOp];

/** Names in the order of the numbers. */
export const REQUEST_OP_NAMES = Object.keys(RequestOp) as readonly (keyof typeof RequestOp)[];

/** Row number that stands for "no constraint". */
export const UNCONSTRAINED = -1;

/**
 * Placement constraints, a row each: all in bytes, 0 = none. `maxAddress` is exclusive.
 * The terms are those of vmem_xalloc(9): address ≡ phase (mod align), [address, address+size) does not straddle a
 * multiple of nocross, and lies within [minAddress, maxAddress).
 */
export interface ConstraintTable {
  readonly length: number;
  readonly align: Float64Array;
  readonly phase: Float64Array;
  readonly nocross: Float64Array;
  readonly minAddress: Float64Array;
  readonly maxAddress: Float64Array;
}

/** One row of a ConstraintTable as an object, for building tables; absent columns are 0. */
export interface Constraint {
  readonly align?: Bytes;
  readonly phase?: Bytes;
  readonly nocross?: Bytes;
  readonly minAddress?: Address;
  readonly maxAddress?: Address;
}

/** Columns from rows. */
export function constraintTable(rows: readonly Constraint[]): ConstraintTable {
  return {
    length: rows.length,
    align: Float64Array.from(rows, (row) => row.align ?? 0),
    phase: Float64Array.from(rows, (row) => row.phase ?? 0),
    nocross: Float64Array.from(rows, (row) => row.nocross ?? 0),
    minAddress: Float64Array.from(rows, (row) => row.minAddress ?? 0),
    maxAddress: Float64Array.from(rows, (row) => row.maxAddress ?? 0),
  };
}

/**
 * Where a workload puts its requests. `object` is a slot number below the workload's `objectLimit`: it names a
 * live allocation and may be used again after its free, so that a run of any length needs memory for the peak
 * population only. `cpu` is the simulated processor that asks.
 */
export interface RequestPort {
  /** Returns whether the request was granted; the object of a failed request is not live. */
  alloc(object: number, cls: number, size: Bytes, constraint: number, cpu: number): boolean;
  /** Frees a live object; the free of an object whose allocation failed is counted and skipped. */
  free(object: number, cpu: number): void;
  /**
   * Does something to a live object other than freeing it: `op` is one of RequestOp from swapOut to deflate, `amount`
   * the bytes concerned, at most the object's size. What happens to an object whose allocation failed is counted and
   * skipped; so is what the backend has no model of.
   */
  act(object: number, op: number, amount: Bytes, cpu: number): void;
  /** Memory pressure: every cache of the backend gives back what it can. */
  reclaim(cpu: number): void;
  /**
   * Where the next allocation comes from: a row of the workload's `sites`, or -1. Only ports that record call sites have
   * it, and only workloads that know call sites tell them.
   */
  comesFrom?(site: number): void;
}
