import { InputError } from '../core/errors.js';
import {
  ascending,
  type Finding,
  findProblems,
  hexAddress,
  type Layout,
  requireMemory,
  roundUpTo,
  type Segment,
  smaller,
} from './layout.js';

const MIB = 1n << 20n;
const GIB = 1n << 30n;
const PAGE = 4096n;
const TOP_32 = 1n << 32n;
const KERNEL_TEXT = 0xfe80_0000n;
const KERNELBASE = 0xd400_0000n;
/** The largest kernelbase that is taken from eeprom. */
const KERNELBASE_MAX = 0xe000_0000n;
/** The ABI promises programs the addresses below. */
const ABI_KERNELBASE = 0xc000_0000n;
const RED_ZONE = 8192n;
/** segmap with the red zone before it. */
const SEGMAP = 16n * MIB;
/** Cut off from the heap for the text of modules. */
const HEAPTEXT = 64n * MIB;
const SEGKP_DEFAULT = 200n * MIB;
const PAGE_STRUCTURE = 80n;
/** What the page tables of PAE reach, and what those without do. */
const MOST_MEMORY = { pae: 64n * GIB, plain: 4n * GIB };
const LARGE_PAGE = { pae: 2n * MIB, plain: 4n * MIB };

/** Whether thread stacks have a segment of their own, or come from the heap (segkp_fromheap). */
export const I86_SEGKP = ['heap', 'static'] as const;
export type I86Segkp = (typeof I86_SEGKP)[number];

/** A machine and what its owner has tuned. All in bytes. */
export interface I86Machine {
  readonly physmem: bigint;
  readonly segkp: I86Segkp;
  /** Size of a static segkp. Default 200 MiB. */
  readonly segkpSize?: bigint;
  /** kernelbase from eeprom. Default: from the size of the boot tables. */
  readonly kernelbase?: bigint;
  /** Default: true. */
  readonly pae?: boolean;
}

/** Every base and size of a layout (i86pc/os/startup.c of 2005). */
export interface I86Bases {
  readonly vallocSize: bigint;
  readonly vallocBase: bigint;
  readonly kernelbase: bigint;
  readonly redZone: bigint;
  readonly segmapBase: bigint;
  readonly segmapSize: bigint;
  /** Only of a static segkp. */
  readonly segkpBase?: bigint;
  readonly segkpSize: bigint;
  readonly kernelheap: bigint;
  readonly ekernelheap: bigint;
  readonly heapSpan: bigint;
  readonly heaptext: bigint;
  /** What the heap arena is created with; below zero where it does not fit. */
  readonly heapArena: bigint;
  /** One bit per page of the heap tells stacks from the rest where both come from it. */
  readonly bitmapBytes: bigint;
}

/**
 * Computes the layout's numbers. Of the boot tables only the page structures are counted, as in the table in the
 * kernel's own comment; the pages of the HAT below them are left out.
 * @throws InputError for a machine that cannot be.
 */
export function i86Bases(machine: I86Machine): I86Bases {
  const mode = machine.pae === false ? 'plain' : 'pae';
  requireMemory('physmem', machine.physmem, PAGE, MOST_MEMORY[mode]);
  const vallocSize = roundUpTo((machine.physmem / PAGE) * PAGE_STRUCTURE, LARGE_PAGE[mode]);
  const vallocBase = KERNEL_TEXT - vallocSize;
  const kernelbase = kernelbaseOf(machine, vallocSize, LARGE_PAGE[mode]);
  const isStatic = machine.segkp === 'static';
  const segkpSize = isStatic ? (machine.segkpSize ?? SEGKP_DEFAULT) : 0n;
  if (isStatic) requireMemory('segkp-size', segkpSize, PAGE, GIB);
  const segkpBase = kernelbase + SEGMAP;
  const kernelheap = segkpBase + segkpSize;
  const heapSpan = vallocBase - kernelheap;
  return {
    vallocSize,
    vallocBase,
    kernelbase,
    redZone: RED_ZONE,
    segmapBase: kernelbase + RED_ZONE,
    segmapSize: SEGMAP - RED_ZONE,
    ...(isStatic ? { segkpBase } : {}),
    segkpSize,
    kernelheap,
    ekernelheap: vallocBase,
    heapSpan,
    heaptext: HEAPTEXT,
    heapArena: heapSpan - HEAPTEXT,
    bitmapBytes: heapSpan > 0n ? roundUpTo(heapSpan / PAGE, 32n) / 8n : 0n,
  };
}

/** @throws InputError for a kernelbase that is no address of the upper half. */
function kernelbaseOf(machine: I86Machine, vallocSize: bigint, largePage: bigint): bigint {
  const { kernelbase } = machine;
  if (kernelbase === undefined) return KERNELBASE - roundUpTo(2n * vallocSize, 4n * MIB);
  if (kernelbase < largePage || kernelbase >= TOP_32) {
    throw new InputError(`${hexAddress(kernelbase)} is no kernelbase`, {
      field: 'kernelbase',
      allowed: `an address from ${hexAddress(largePage)} to 0xffffffff`,
    });
  }
  return smaller(kernelbase - (kernelbase % largePage), KERNELBASE_MAX);
}

/** The kernel's address space on 32-bit x86, with everything that is wrong with it. @throws InputError as i86Bases. */
export function i86Layout(machine: I86Machine): Layout {
  const bases = i86Bases(machine);
  const heap: Segment = {
    name: 'heap',
    base: bases.kernelheap,
    size: bases.heapArena,
    rule: machine.segkp === 'heap' ? 'the heap arena; thread stacks too' : 'the heap arena',
    kind: 'allocator',
  };
  const segments = ascending([...lowSegments(bases), heap, ...highSegments(bases)]);
  return {
    platform: 'illumos-i86',
    revision: `2005, segkp ${machine.segkp === 'heap' ? 'from the heap' : 'static'}`,
    physmem: machine.physmem,
    segments,
    findings: [...notes(bases), ...findProblems(segments, TOP_32)],
    heap,
  };
}

function lowSegments(bases: I86Bases): Segment[] {
  const { kernelbase, segkpBase, segkpSize } = bases;
  const segkp: Segment[] =
    segkpBase === undefined
      ? []
      : [
          {
            name: 'segkp',
            base: segkpBase,
            size: segkpSize,
            rule: 'below the heap; thread stacks',
            kind: 'allocator',
          },
        ];
  return [
    { name: 'user', base: 0n, size: kernelbase, rule: 'up to kernelbase', kind: 'user' },
    { name: 'red zone', base: kernelbase, size: RED_ZONE, rule: '8 KiB at kernelbase', kind: 'red zone' },
    {
      name: 'segmap',
      base: bases.segmapBase,
      size: bases.segmapSize,
      rule: '16 MiB with the red zone',
      kind: 'mapping',
    },
    ...segkp,
  ];
}

function highSegments({ ekernelheap, heaptext, vallocBase, vallocSize }: I86Bases): Segment[] {
  return [
    {
      name: 'heaptext',
      base: ekernelheap - heaptext,
      size: heaptext,
      rule: 'top 64 MiB of the heap',
      kind: 'allocator',
    },
    {
      name: 'valloc tables',
      base: vallocBase,
      size: vallocSize,
      rule: '80 B a page, below the text',
      kind: 'fixed',
    },
    {
      name: 'text, data, debugger',
      base: KERNEL_TEXT,
      size: TOP_32 - KERNEL_TEXT,
      rule: 'KERNEL_TEXT',
      kind: 'fixed',
    },
  ];
}

function notes({ kernelbase }: I86Bases): Finding[] {
  if (kernelbase >= ABI_KERNELBASE) return [];
  const text = `kernelbase ${hexAddress(kernelbase)} is below 0xc0000000, which the ABI promises to programs`;
  return [{ kind: 'note', text }];
}
