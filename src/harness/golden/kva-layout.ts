import { basename } from 'node:path';
import { Type } from '@sinclair/typebox';
import { type Amd64Bases, amd64Bases } from '../../layout/illumos-amd64.js';
import { type I86Bases, i86Bases } from '../../layout/illumos-i86.js';
import { hexAddress, TOP_64 } from '../../layout/layout.js';
import { checkedJson, isVectorFile, type RowCheck, type RowFields, type RowOracle } from './row-oracle.js';

const Bytes = Type.Integer({ minimum: 0, maximum: 2 ** 53 });

const Amd64File = Type.Object({
  rows: Type.Array(
    Type.Object({
      variant: Type.Union([Type.Literal('before'), Type.Literal('after')]),
      physmem: Bytes,
      physmax: Bytes,
      plat_dr: Bytes,
    }),
  ),
});

const I86File = Type.Object({
  rows: Type.Array(
    Type.Object({ physmem: Bytes, layout: Type.Union([Type.Literal('dynamic'), Type.Literal('static')]) }),
  ),
});

/** Kernel address-space layouts of illumos on amd64 and 32-bit x86, row by row. */
export const kvaLayoutOracle: RowOracle = {
  name: 'kva-layout',
  unit: 'rows',
  claims: (path) => isVectorFile(path, 'kva-layout', ['amd64.json', 'i386.json']),
  caseName: (path) => basename(path, '.json'),
  rows: (path) => (basename(path) === 'amd64.json' ? amd64Rows(path) : i86Rows(path)),
};

function* amd64Rows(path: string): Generator<RowCheck> {
  for (const row of checkedJson(Amd64File, path).rows) {
    const machine = {
      physmem: BigInt(row.physmem),
      physmax: BigInt(row.physmax),
      platformDr: BigInt(row.plat_dr),
    };
    const bases = amd64Bases(machine, `${row.variant}-12608`);
    const given = { variant: row.variant, plat_dr: row.plat_dr, physmem: row.physmem, physmax: row.physmax };
    const label = `${row.variant}, physmem ${row.physmem}, plat_dr ${row.plat_dr}`;
    yield { label, wanted: asText(row), got: { ...asText(given), ...amd64Fields(bases, machine.physmem) } };
  }
}

function* i86Rows(path: string): Generator<RowCheck> {
  for (const row of checkedJson(I86File, path).rows) {
    const segkp = row.layout === 'static' ? 'static' : 'heap';
    const bases = i86Bases({ physmem: BigInt(row.physmem), segkp });
    const given = { layout: row.layout, physmem: row.physmem };
    const label = `${row.layout}, physmem ${row.physmem}`;
    yield { label, wanted: asText(row), got: { ...asText(given), ...i86Fields(bases) } };
  }
}

/** Figures under the names of the vectors. */
function amd64Fields(bases: Amd64Bases, physmem: bigint): RowFields {
  const heapSize = bases.ekernelheap - bases.kernelheap;
  const addresses = {
    segkpm_base: bases.segkpmBase,
    kernelbase: bases.kernelbase,
    userlimit: bases.userlimit,
    valloc_base: bases.vallocBase,
    raw_segkpm_base: bases.rawSegkpmBase,
    segkp_base: bases.segkpBase,
    segkvmm_base: bases.segkvmmBase,
    segzio_base: bases.segzioBase,
    toxic_addr: bases.deviceBase,
    segmap_start: bases.segmapBase,
    kernelheap: bases.kernelheap,
    ekernelheap: bases.ekernelheap,
    core_base: bases.coreBase,
  };
  const others = {
    valloc_sz: bases.vallocSize,
    adjustment: bases.adjustment,
    adjusted: bases.isAdjusted,
    clamped: bases.isClamped,
    kpm_size: bases.kpmSize,
    kpm_panic: bases.kpmPanics,
    segkp_size: bases.segkpSize,
    segkvmm_size: bases.segkvmmSize,
    segzio_size: bases.segzioSize,
    toxic_size: bases.deviceSize,
    segmap_size: bases.segmapSize,
    heap_size: heapSize,
    heap_over_physmem: fourDigits(heapSize, physmem),
    heap_negative: heapSize <= 0n,
    va_above_valloc: bases.ekernelheap - bases.vallocBase,
    total_kva: TOP_64 - bases.segkpmBase,
    core_size: bases.coreSize,
  };
  return { ...inHex(addresses), ...asText(others) };
}

/** A ratio to four digits behind the point, halves to the even digit as the vectors have it. */
function fourDigits(dividend: bigint, divisor: bigint): number {
  const sign = dividend < 0n ? -1 : 1;
  const scaled = (dividend < 0n ? -dividend : dividend) * 10_000n;
  const [digits, rest] = [scaled / divisor, (scaled % divisor) * 2n];
  const isUp = rest > divisor || (rest === divisor && digits % 2n === 1n);
  return (sign * Number(digits + (isUp ? 1n : 0n))) / 10_000;
}

function i86Fields(bases: I86Bases): RowFields {
  const addresses = {
    valloc_base: bases.vallocBase,
    kernelbase: bases.kernelbase,
    segmap_start: bases.segmapBase,
    segkp_base: bases.segkpBase,
    kernelheap: bases.kernelheap,
    ekernelheap: bases.ekernelheap,
  };
  const others = {
    valloc_sz: bases.vallocSize,
    redzone: bases.redZone,
    segmap_size: bases.segmapSize,
    segkp_size: bases.segkpSize,
    heap_span: bases.heapSpan,
    heaptext: bases.heaptext,
    heap_arena: bases.heapArena,
    segkp_bitmap_bytes: bases.bitmapBytes,
    kvseg_pages: bases.heapSpan / 4096n,
  };
  return { ...inHex(addresses), ...asText(others) };
}

/** Addresses as the vectors write them; an absent one is `null` there. */
function inHex(addresses: Readonly<Record<string, bigint | undefined>>): RowFields {
  return asText(
    Object.fromEntries(
      Object.entries(addresses).map(([name, value]) => [
        name,
        value === undefined ? null : hexAddress(value),
      ]),
    ),
  );
}

function asText(fields: Readonly<Record<string, unknown>>): RowFields {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, String(value)]));
}
