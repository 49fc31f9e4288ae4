import {
  ascending,
  type Finding,
  findProblems,
  hexAddress,
  highestBit,
  type Layout,
  larger,
  requireMemory,
  roundUpTo,
  type Segment,
  smaller,
  TOP_64,
} from './layout.js';

const MIB = 1n << 20n;
const GIB = 1n << 30n;
const TIB = 1n << 40n;
const PAGE = 4096n;
const LARGE_PAGE = 2n * MIB;
const RED_ZONE = 1n << 39n;
const HOLE_START = 0x0000_8000_0000_0000n;
const HOLE_END = 0xffff_8000_0000_0000n;
const COREHEAP_BASE = 0xffff_ffff_c000_0000n;
const KERNEL_TEXT = 0xffff_ffff_fb80_0000n;
/** RAM up to which the default layout is kept. */
const DEFAULT_LIMIT = TIB / 4n;
const DEVICE_WINDOW = GIB;
const SEGMAP = 64n * MIB;
const SEGKP_DEFAULT = 2n * GIB;
const SEGKP_MIN = 200n * MIB;
const SEGKP_MAX = 8n * GIB;
/** Debug page, GDT, IDT, 16 pages of LDT, TSS, TSS of double faults. */
const TABLE_PAGES = 21n;
/** What 12608 left room for: its TSS came to lie on the LDT, until 12718. */
const TABLE_PAGES_12608 = 5n;
/** Most that a processor with 52 physical address bits can have. */
const MOST_MEMORY = 1n << 52n;
/** The kernel believes no more than this of what the platform says about memory to come. */
const MOST_PLATFORM_DR = 64n * TIB;

/**
 * Rules of the layout: illumos before 12608; the line of code that the ticket of 12608 quotes, taken alone, without the
 * bounds that the code applies next; and the rule of 12608 [illumos@04909c8].
 */
export const AMD64_REVISIONS = ['before-12608', 'quoted', 'after-12608'] as const;
export type Amd64Revision = (typeof AMD64_REVISIONS)[number];

/** A machine and what its owner has tuned. All in bytes. */
export interface Amd64Machine {
  /** RAM that the kernel can use. */
  readonly physmem: bigint;
  /** End of the highest page of RAM; larger than physmem where there are holes. Default: physmem. */
  readonly physmax?: bigint;
  /** What the platform announces of memory to be plugged in: 2^(physical address bits), or 0. Not used after 12609. */
  readonly platformDr?: bigint;
  /** segkpsize. Default 2 GiB. */
  readonly segkpSize?: bigint;
  /** Size of segkvmm where it is tuned. Default: 4 × physmem. */
  readonly segkvmmSize?: bigint;
}

/** Every base and size of a layout, by the kernel's names (i86pc/os/startup.c). */
export interface Amd64Bases {
  readonly vallocSize: bigint;
  /** Bytes to move down by, before rounding; only after 12608. */
  readonly adjustment?: bigint;
  /** segkpm's base before it is bounded, mod 2^64; only where the default does not serve. */
  readonly rawSegkpmBase?: bigint;
  readonly isAdjusted: boolean;
  readonly isClamped: boolean;
  readonly segkpmBase: bigint;
  readonly kpmSize: bigint;
  readonly kernelbase: bigint;
  readonly userlimit: bigint;
  readonly vallocBase: bigint;
  readonly kpmPanics: boolean;
  readonly segkpBase: bigint;
  readonly segkpSize: bigint;
  /** Only after 12608. */
  readonly segkvmmBase?: bigint;
  readonly segkvmmSize?: bigint;
  readonly segzioBase: bigint;
  readonly segzioSize: bigint;
  readonly deviceBase: bigint;
  readonly deviceSize: bigint;
  readonly segmapBase: bigint;
  readonly segmapSize: bigint;
  readonly kernelheap: bigint;
  readonly ekernelheap: bigint;
  readonly coreBase: bigint;
  readonly coreSize: bigint;
}

interface Defaults {
  readonly segkpmBase: bigint;
  readonly vallocBase: bigint;
}

const DEFAULTS: Readonly<Record<'before' | 'after', Defaults>> = {
  before: { segkpmBase: 0xffff_fe00_0000_0000n, vallocBase: 0xffff_ff00_0000_0000n },
  after: { segkpmBase: 0xffff_fd00_0000_0000n, vallocBase: 0xffff_fe00_0000_0000n },
};

/** Where segkpm begins and what follows from it, or undefined where the defaults serve. */
interface Adjustment {
  readonly raw: bigint;
  readonly segkpmBase: bigint;
  /** Room between segkpm's base and the tables of valloc. */
  readonly room: bigint;
  readonly bytes?: bigint;
}

/**
 * Computes the layout's numbers. The tables behind valloc are the page structures (120 bytes a page) and the page hash;
 * the others, well under 1 % of them, are left out.
 * @throws InputError for a machine that cannot be.
 */
export function amd64Bases(machine: Amd64Machine, revision: Amd64Revision): Amd64Bases {
  const { physmem } = machine;
  const physmax = machine.physmax ?? physmem;
  requireMemory('physmem', physmem, PAGE, MOST_MEMORY);
  requireMemory('physmax', physmax, PAGE, MOST_MEMORY);
  if (physmax < physmem) requireMemory('physmem', physmem, PAGE, physmax);
  const isAfter = revision === 'after-12608';
  const platformDr = isAfter ? 0n : smaller(machine.platformDr ?? 0n, MOST_PLATFORM_DR);
  const defaults = isAfter ? DEFAULTS.after : DEFAULTS.before;
  const reserved = larger(physmax, platformDr);
  const adjustment = isAfter ? adjustAfter(physmax) : adjustBefore(reserved, revision === 'quoted');
  const segkpmBase = adjustment?.segkpmBase ?? defaults.segkpmBase;
  const vallocBase = adjustment === undefined ? defaults.vallocBase : segkpmBase + adjustment.room;
  const vallocSize = vallocBytes(physmem);
  const kpmSize = roundUpTo(reserved, LARGE_PAGE);
  const kernelbase = segkpmBase - RED_ZONE;
  const above = allocators(machine, vallocBase + vallocSize, isAfter);
  const tablePages = isAfter ? TABLE_PAGES_12608 : TABLE_PAGES;
  return {
    vallocSize,
    ...(adjustment?.bytes === undefined ? {} : { adjustment: adjustment.bytes }),
    ...(adjustment === undefined ? {} : { rawSegkpmBase: adjustment.raw }),
    isAdjusted: adjustment !== undefined,
    isClamped: adjustment !== undefined && adjustment.raw !== adjustment.segkpmBase,
    segkpmBase,
    kpmSize,
    kernelbase,
    userlimit: kernelbase - LARGE_PAGE,
    vallocBase,
    kpmPanics: segkpmBase + kpmSize > vallocBase,
    ...above,
    ekernelheap: COREHEAP_BASE,
    coreBase: COREHEAP_BASE,
    coreSize: KERNEL_TEXT - tablePages * PAGE - COREHEAP_BASE,
  };
}

function vallocBytes(physmem: bigint): bigint {
  const pages = physmem / PAGE;
  const structures = roundUpTo(120n * pages, PAGE);
  const hash = roundUpTo(8n << highestBit(pages / 4n), PAGE);
  return roundUpTo(structures + hash, LARGE_PAGE);
}

/** The rule of 6914: four times what segkpm must map, from the top down. */
function adjustBefore(reserved: bigint, quotedAlone: boolean): Adjustment | undefined {
  if (reserved <= DEFAULT_LIMIT) return undefined;
  const raw = BigInt.asUintN(64, -roundUpTo(4n * reserved, RED_ZONE));
  const bounded = smaller(larger(raw, HOLE_END + TIB), DEFAULTS.before.segkpmBase);
  return { raw, segkpmBase: quotedAlone ? raw : bounded, room: roundUpTo(reserved, GIB) };
}

/** The rule of 12608: eight times what the default layout has no room for, below the default base. */
function adjustAfter(physmax: bigint): Adjustment | undefined {
  if (physmax <= DEFAULT_LIMIT) return undefined;
  const bytes = 8n * (physmax - DEFAULT_LIMIT);
  const raw = BigInt.asUintN(64, DEFAULTS.after.segkpmBase - roundUpTo(bytes, RED_ZONE));
  return { raw, segkpmBase: larger(raw, HOLE_END + TIB), room: roundUpTo(physmax, GIB), bytes };
}

/** The segments behind the tables of valloc, each where the one before it ends. */
function allocators(machine: Amd64Machine, segkpBase: bigint, isAfter: boolean) {
  const { physmem } = machine;
  const tuned = effectiveSegkp(machine);
  const segkpSize = roundUpTo(smaller(tuned, larger(SEGKP_MIN, physmem)), LARGE_PAGE);
  const segkvmmBase = segkpBase + segkpSize;
  const segkvmmSize = isAfter
    ? roundUpTo(machine.segkvmmSize ?? larger(4n * physmem, 4n * GIB), LARGE_PAGE)
    : 0n;
  const segzioBase = segkvmmBase + segkvmmSize;
  const segzioSize = roundUpTo(larger((physmem * 3n) / 2n, 400n * MIB), LARGE_PAGE);
  const deviceBase = roundUpTo(segzioBase + segzioSize, LARGE_PAGE);
  const segmapBase = roundUpTo(deviceBase + DEVICE_WINDOW, LARGE_PAGE);
  return {
    segkpBase,
    segkpSize,
    ...(isAfter ? { segkvmmBase, segkvmmSize } : {}),
    segzioBase,
    segzioSize,
    deviceBase,
    deviceSize: DEVICE_WINDOW,
    segmapBase,
    segmapSize: SEGMAP,
    kernelheap: roundUpTo(segmapBase + SEGMAP, LARGE_PAGE),
  };
}

/** segkpsize as the kernel uses it: a value out of range is replaced by the default. */
function effectiveSegkp({ segkpSize }: Amd64Machine): bigint {
  const given = segkpSize ?? SEGKP_DEFAULT;
  return given >= SEGKP_MIN && given <= SEGKP_MAX ? given : SEGKP_DEFAULT;
}

/** The kernel's address space on amd64, with everything that is wrong with it. @throws InputError as amd64Bases. */
export function amd64Layout(machine: Amd64Machine, revision: Amd64Revision): Layout {
  const bases = amd64Bases(machine, revision);
  const heap: Segment = {
    name: 'heap',
    base: bases.kernelheap,
    size: bases.ekernelheap - bases.kernelheap,
    rule: 'what is left below the core heap',
    kind: 'allocator',
  };
  const segments = ascending([
    ...lowSegments(bases, revision),
    ...allocatorSegments(bases),
    heap,
    ...topSegments(bases),
  ]);
  const findings = [...notes(machine, bases, revision), ...holeProblems(bases), ...panics(bases)];
  return {
    platform: 'illumos-amd64',
    revision,
    physmem: machine.physmem,
    segments,
    findings: [...findings, ...findProblems(segments, TOP_64)],
    heap,
  };
}

function lowSegments(bases: Amd64Bases, revision: Amd64Revision): Segment[] {
  const { kernelbase, userlimit, segkpmBase, kpmSize, vallocBase, vallocSize } = bases;
  const upperUser = userlimit - HOLE_END;
  return [
    { name: 'user, below the hole', base: 0n, size: HOLE_START, rule: 'up to 2^47', kind: 'user' },
    {
      name: 'user, above the hole',
      base: HOLE_END,
      size: larger(upperUser, 0n),
      rule: 'up to kernelbase − 2 MiB',
      kind: 'user',
    },
    { name: 'red zone', base: kernelbase, size: RED_ZONE, rule: '512 GiB below segkpm', kind: 'red zone' },
    { name: 'segkpm', base: segkpmBase, size: kpmSize, rule: segkpmRule(bases, revision), kind: 'mapping' },
    {
      name: 'valloc tables',
      base: vallocBase,
      size: vallocSize,
      rule: bases.isAdjusted ? 'segkpm + RAM, to 1 GiB; 120 B a page and the page hash' : 'VALLOC_BASE',
      kind: 'fixed',
    },
  ];
}

function segkpmRule(bases: Amd64Bases, revision: Amd64Revision): string {
  if (!bases.isAdjusted) return 'SEGKPM_BASE (RAM ≤ 256 GiB)';
  const raw = hexAddress(bases.rawSegkpmBase!);
  const clamp = bases.isClamped ? `; ${raw} bounded` : '';
  if (revision === 'after-12608') return `SEGKPM_BASE − 8·(RAM − 256 GiB), to 512 GiB${clamp}`;
  return revision === 'quoted' ? '−(4·RAM), to 512 GiB, unbounded' : `−(4·RAM), to 512 GiB${clamp}`;
}

function allocatorSegments(bases: Amd64Bases): Segment[] {
  const { segkvmmBase, segkvmmSize } = bases;
  const segkvmm: Segment[] =
    segkvmmBase === undefined || segkvmmSize === undefined
      ? []
      : [
          {
            name: 'segkvmm',
            base: segkvmmBase,
            size: segkvmmSize,
            rule: '4·RAM, at least 4 GiB; guests',
            kind: 'allocator',
          },
        ];
  return [
    {
      name: 'segkp',
      base: bases.segkpBase,
      size: bases.segkpSize,
      rule: 'segkpsize, at most RAM; thread stacks',
      kind: 'allocator',
    },
    ...segkvmm,
    {
      name: 'segzio',
      base: bases.segzioBase,
      size: bases.segzioSize,
      rule: '1.5·RAM, at least 400 MiB',
      kind: 'allocator',
    },
    { name: 'device window', base: bases.deviceBase, size: bases.deviceSize, rule: '1 GiB', kind: 'mapping' },
    { name: 'segmap', base: bases.segmapBase, size: bases.segmapSize, rule: '64 MiB', kind: 'mapping' },
  ];
}

function topSegments({ coreBase, coreSize }: Amd64Bases): Segment[] {
  const end = coreBase + coreSize;
  return [
    {
      name: 'core heap',
      base: coreBase,
      size: coreSize,
      rule: 'COREHEAP_BASE; module text in its top 64 MiB',
      kind: 'allocator',
    },
    { name: 'GDT IDT LDT TSS', base: end, size: KERNEL_TEXT - end, rule: 'below the text', kind: 'fixed' },
    {
      name: 'text, debugger',
      base: KERNEL_TEXT,
      size: TOP_64 - KERNEL_TEXT,
      rule: 'KERNEL_TEXT',
      kind: 'fixed',
    },
  ];
}

function notes(machine: Amd64Machine, bases: Amd64Bases, revision: Amd64Revision): Finding[] {
  const texts: string[] = [];
  const isAfter = revision === 'after-12608';
  const { rawSegkpmBase: raw } = bases;
  const base = isAfter ? DEFAULTS.after.segkpmBase : DEFAULTS.before.segkpmBase;
  if (bases.isClamped && raw !== undefined) {
    texts.push(
      `the adjustment asks for segkpm at ${hexAddress(raw)}; it is bounded to ${hexAddress(bases.segkpmBase)}`,
    );
  }
  if (!bases.isClamped && raw !== undefined && raw > base) {
    texts.push(`the formula puts segkpm above its default base ${hexAddress(base)}`);
  }
  if (isAfter && (machine.platformDr ?? 0n) > 0n) texts.push('memory DR is ignored since 12609');
  if (machine.segkpSize !== undefined && effectiveSegkp(machine) !== machine.segkpSize) {
    texts.push(`segkpsize ${machine.segkpSize} is not within 200 MiB to 8 GiB: the kernel takes 2 GiB`);
  }
  if (isAfter)
    texts.push('5 pages are left for 21 pages of descriptor tables: the TSS lies on the LDT (until 12718)');
  return texts.map((text) => ({ kind: 'note', text }));
}

function holeProblems({ segkpmBase, kernelbase }: Amd64Bases): Finding[] {
  if (kernelbase >= HOLE_END) return [];
  const text = `segkpm at ${hexAddress(segkpmBase)} leaves its red zone in or below the non-canonical hole`;
  return [{ kind: 'does not fit', text }];
}

function panics({ segkpmBase, kpmSize, vallocBase }: Amd64Bases): Finding[] {
  const found: Finding[] = [];
  if (segkpmBase + kpmSize > vallocBase) {
    found.push({
      kind: 'panic',
      text: 'the kernel panics at boot: segkpm does not end below the tables of valloc',
    });
  }
  if (vallocBase >= TOP_64)
    found.push({ kind: 'panic', text: 'the kernel panics at boot: valloc_base wraps' });
  return found;
}
