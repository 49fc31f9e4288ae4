import { InputError } from '../core/errors.js';
import { type Bytes, MIB } from '../core/units.js';
import { amd64Bases, amd64Layout } from '../layout/illumos-amd64.js';
import { i86Bases, i86Layout } from '../layout/illumos-i86.js';
import { hexAddress, isSound, type Layout } from '../layout/layout.js';

/** A machine as the segkp backends see it; all in bytes. */
export interface SegkpMachine {
  readonly arch: 'i86' | 'amd64';
  readonly physmem: Bytes;
  readonly pageBytes: Bytes;
  /** Of a segkp that is a segment of its own; 0 where it imports from the heap. */
  readonly segkpSize: Bytes;
}

/** Where heap and segkp lie. */
export interface SegkpRanges {
  readonly heapBase: string;
  readonly heapSize: Bytes;
  /** First address of segkp's own span, or `heap`. */
  readonly segkp: string;
  /** The kernel's whole heap segment, module text included. */
  readonly heapSpan: Bytes;
}

/** Less is no kernel heap. */
const LEAST_HEAP = 16 * MIB;

/**
 * Lays out a machine's heap and segkp. The first page of the heap is not in its arena: the kernel reserves it at boot
 * (kernelheap_init of 2005; spec segkp §1). On amd64 no kernel ever had segkp import from the heap; there the segments behind
 * segkp move down by its size, and the heap begins that much lower.
 * @throws InputError naming the parameter for a machine whose segments do not fit.
 */
export function segkpRanges(machine: SegkpMachine): SegkpRanges {
  const { arch, segkpSize, pageBytes } = machine;
  if (segkpSize % pageBytes !== 0) {
    const allowed = `a multiple of the page, ${pageBytes}`;
    throw new InputError(`${segkpSize} bytes are no whole pages`, { field: 'segkp_size', allowed });
  }
  const ranges = arch === 'i86' ? i86Ranges(machine) : amd64Ranges(machine);
  if (ranges.heapSize >= LEAST_HEAP) return ranges;
  throw new InputError(`a heap of ${ranges.heapSize} bytes`, {
    field: fieldOf(machine),
    allowed: `what leaves the heap ${LEAST_HEAP} bytes`,
  });
}

function i86Ranges(machine: SegkpMachine): SegkpRanges {
  const { pageBytes, segkpSize } = machine;
  const isStatic = segkpSize > 0;
  const i86 = {
    physmem: BigInt(machine.physmem),
    segkp: isStatic ? ('static' as const) : ('heap' as const),
    ...(isStatic ? { segkpSize: BigInt(segkpSize) } : {}),
  };
  requireSound(i86Layout(i86), machine);
  const { kernelheap, heapArena, heapSpan, segkpBase } = i86Bases(i86);
  return {
    heapBase: hexAddress(kernelheap + BigInt(pageBytes)),
    heapSize: Number(heapArena) - pageBytes,
    segkp: segkpBase === undefined ? 'heap' : hexAddress(segkpBase),
    heapSpan: Number(heapSpan),
  };
}

function amd64Ranges(machine: SegkpMachine): SegkpRanges {
  const { pageBytes, segkpSize } = machine;
  const isStatic = segkpSize > 0;
  const amd64 = {
    physmem: BigInt(machine.physmem),
    ...(isStatic ? { segkpSize: BigInt(segkpSize) } : {}),
  };
  requireSound(amd64Layout(amd64, 'before-12608'), machine);
  const bases = amd64Bases(amd64, 'before-12608');
  if (isStatic && Number(bases.segkpSize) !== segkpSize) {
    throw new InputError(`the kernel would not take ${segkpSize} bytes but ${bases.segkpSize}`, {
      field: 'segkp_size',
      allowed: 'on amd64 200MiB to 8GiB in steps of 2MiB, and up to physmem',
    });
  }
  const base = isStatic ? bases.kernelheap : bases.kernelheap - bases.segkpSize;
  const heapSpan = Number(bases.ekernelheap - base);
  return {
    heapBase: hexAddress(base + BigInt(pageBytes)),
    heapSize: heapSpan - pageBytes,
    segkp: isStatic ? hexAddress(bases.segkpBase) : 'heap',
    heapSpan,
  };
}

function requireSound(layout: Layout, machine: SegkpMachine): void {
  if (isSound(layout)) return;
  const problem = layout.findings.find(({ kind }) => kind !== 'note')!;
  throw new InputError(problem.text, {
    // What panics is the place of the tables for so much RAM; no size of segkp helps.
    field: problem.kind === 'panic' ? 'physmem' : fieldOf(machine),
    allowed: 'a machine whose segments fit, see `kvabench layout`',
  });
}

function fieldOf({ segkpSize }: SegkpMachine): string {
  return segkpSize > 0 ? 'segkp_size' : 'physmem';
}
