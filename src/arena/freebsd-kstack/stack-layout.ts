import type { Address } from '../../core/address.js';
import { KERNEL_MIN, KERNEL_PAGES, PAGE_BYTES } from './abi.js';
import type { KernelKva } from './kernel-kva.js';
import type { KvaSupply } from './kva-arena.js';
import { NO_OBJECT } from './page-frames.js';
import type { StackTable } from './stack-table.js';
import { UnitNumbers } from './unit-numbers.js';
import type { VmObjects } from './vm-objects.js';

const PER_PAGE = 1 / PAGE_BYTES;

/** What a layout works with. */
export interface LayoutParts {
  readonly kva: KernelKva;
  readonly objects: VmObjects;
  readonly stacks: StackTable;
  /** Pages of a default-size stack, and of the guard below each. */
  readonly stackPages: number;
  readonly guardPages: number;
}

/** Which object a stack's pages are in and at which index, and where its address space comes from. */
export interface StackLayout {
  /** The object that all stacks of default size share, or NO_OBJECT. */
  readonly sharedObject: number;
  /** That of other sizes, which may be the same. */
  readonly oddObject: number;
  /** The arena for stacks of `pages` pages. */
  arenaFor(pages: number): KvaSupply;
  /** Decides object and index of a new stack, whose base is known. */
  place(stack: number): void;
  /** Called before address space of a stack, whose pages are gone, is given back; returns how often the object is locked. */
  displace(stack: number): number;
}

/** Index of an address, from the start of kernel address space. */
function linearIndex(address: Address): number {
  return (address - KERNEL_MIN) * PER_PAGE;
}

/** An object for each stack, of its size: what the kernel did until April 2020. */
export class PerStackLayout implements StackLayout {
  readonly sharedObject = NO_OBJECT;
  readonly oddObject = NO_OBJECT;
  private readonly parts: LayoutParts;

  constructor(parts: LayoutParts) {
    this.parts = parts;
  }

  arenaFor(): KvaSupply {
    return this.parts.kva.kernelArena;
  }

  place(stack: number): void {
    const { objects, stacks } = this.parts;
    stacks.object[stack] = objects.create(stacks.pages[stack]!, true);
    stacks.pindex[stack] = 0;
  }

  displace(stack: number): number {
    this.parts.objects.destroy(this.parts.stacks.object[stack]!);
    return 1;
  }
}

/**
 * One object for all stacks, indexed by address: kstack_object as committed in April 2020. The guard pages leave holes in
 * its indices. Mirrors vm_kstack_pindex in effect, vm_glue.c [freebsd@f13fa9df05].
 */
export class SingleLayout implements StackLayout {
  readonly sharedObject: number;
  readonly oddObject: number;
  private readonly parts: LayoutParts;

  constructor(parts: LayoutParts) {
    this.parts = parts;
    this.sharedObject = parts.objects.create(KERNEL_PAGES, true);
    this.oddObject = this.sharedObject;
  }

  arenaFor(): KvaSupply {
    return this.parts.kva.kernelArena;
  }

  place(stack: number): void {
    const { stacks } = this.parts;
    stacks.object[stack] = this.sharedObject;
    stacks.pindex[stack] = linearIndex(stacks.base[stack]!);
  }

  displace(): number {
    return 0;
  }
}

/**
 * Stacks of default size side by side, their indices computed from addresses of an arena of their own: as committed in
 * 2024. Other sizes are in a second object, indexed by address. Without reservations: as objects of type OBJT_PHYS.
 * Mirrors vm_kstack_pindex and vm_thread_alloc_kstack_kva, vm_glue.c [freebsd@7a79d06697].
 */
export class DenseKvaLayout implements StackLayout {
  readonly sharedObject: number;
  readonly oddObject: number;
  private readonly parts: LayoutParts;

  constructor(parts: LayoutParts, reserves: boolean) {
    this.parts = parts;
    this.sharedObject = parts.objects.create(KERNEL_PAGES, reserves);
    this.oddObject = parts.objects.create(KERNEL_PAGES, reserves);
  }

  arenaFor(pages: number): KvaSupply {
    const { kva, stackPages } = this.parts;
    return pages === stackPages ? kva.stackArena : kva.domainArena;
  }

  place(stack: number): void {
    const { stacks, stackPages, guardPages } = this.parts;
    const linear = linearIndex(stacks.base[stack]!);
    const isDefault = stacks.pages[stack] === stackPages;
    stacks.object[stack] = isDefault ? this.sharedObject : this.oddObject;
    stacks.pindex[stack] = isDefault
      ? linear - (Math.floor(linear / (stackPages + guardPages)) + 1) * guardPages
      : linear;
  }

  displace(): number {
    return 0;
  }
}

/**
 * Stacks of default size side by side, each at the lowest index that is free: what a review of 2020 proposed. Other sizes
 * are in a second object, indexed by address. Without reservations: as objects of type OBJT_PHYS would be.
 */
export class DenseUnitLayout implements StackLayout {
  readonly sharedObject: number;
  readonly oddObject: number;
  private readonly parts: LayoutParts;
  private readonly units = new UnitNumbers();

  constructor(parts: LayoutParts, reserves: boolean) {
    this.parts = parts;
    this.sharedObject = parts.objects.create(KERNEL_PAGES, reserves);
    this.oddObject = parts.objects.create(KERNEL_PAGES, reserves);
  }

  arenaFor(): KvaSupply {
    return this.parts.kva.kernelArena;
  }

  place(stack: number): void {
    const { stacks, stackPages } = this.parts;
    const isDefault = stacks.pages[stack] === stackPages;
    stacks.object[stack] = isDefault ? this.sharedObject : this.oddObject;
    stacks.pindex[stack] = isDefault ? this.units.take() * stackPages : linearIndex(stacks.base[stack]!);
  }

  displace(stack: number): number {
    const { stacks, stackPages } = this.parts;
    if (stacks.pages[stack] === stackPages) this.units.give(stacks.pindex[stack]! / stackPages);
    return 0;
  }
}

/** Names of the layouts that there are vectors of. */
export const LAYOUT_NAMES = ['per-stack', 'single', 'dense-kva', 'dense-unr', 'dense-kva-noreserv'] as const;
export type LayoutName = (typeof LAYOUT_NAMES)[number] | 'dense-unr-noreserv';

export function createLayout(name: LayoutName, parts: LayoutParts): StackLayout {
  switch (name) {
    case 'per-stack':
      return new PerStackLayout(parts);
    case 'single':
      return new SingleLayout(parts);
    case 'dense-unr':
    case 'dense-unr-noreserv':
      return new DenseUnitLayout(parts, name === 'dense-unr');
    default:
      return new DenseKvaLayout(parts, name === 'dense-kva');
  }
}
