import { FreeSpectrum } from '../arena/free-spectrum.js';
import { type ArenaFigures, type ArenaView, TagType } from '../arena/view.js';
import type { Backend } from '../backend/contract.js';
import type { Address } from '../core/address.js';
import type { Bytes } from '../core/units.js';
import { ratio } from './column.js';

/** Arenas that import from no other: they hold the address space that the backend was given. */
export function rootArenas(backend: Backend): readonly ArenaView[] {
  return backend.arenas.filter((arena) => arena.source === null);
}

/** Arenas that import from another. */
export function importingArenas(backend: Backend): readonly ArenaView[] {
  return backend.arenas.filter((arena) => arena.source !== null);
}

/** The root arenas that requests of a class get address space from; all of them if the backend does not tell. */
export function rootsOf(backend: Backend, cls: number): readonly ArenaView[] {
  return backend.rootsOf?.(cls) ?? rootArenas(backend);
}

/** How the free space of `arena` is cut; by a walk where the arena does not follow it by itself. */
export function freeSpectrumOf(arena: ArenaView): FreeSpectrum {
  return arena.freeSpectrum?.() ?? new FreeSpectrum(1, (visit) => walkFree(arena, visit));
}

/** Calls `visit` with the size of each free segment of `arena`. Linear in its segments: for sample points only. */
export function walkFree(arena: ArenaView, visit: (size: Bytes) => void): void {
  if (arena.walkFree !== undefined) arena.walkFree(visit);
  else {
    arena.walk((type, _start, size) => {
      if (type === TagType.free) visit(size);
    });
  }
}

/** Names of the figures that are numbers. */
export type FigureName = keyof ArenaFigures;

/** Sum of one figure over arenas. */
export function sumFigure(arenas: readonly ArenaView[], figure: FigureName): number {
  let sum = 0;
  for (const arena of arenas) sum += arena.figures[figure];
  return sum;
}

/** The stretch of address space that the allocated segments of arenas span. */
export interface Extent {
  /** Per span, from the start of its first allocated segment to the end of its last; summed over the spans. */
  readonly bytes: Bytes;
  /** Bytes of allocated segments. */
  readonly allocatedBytes: Bytes;
}

/** Extents of `arenas` together. Walks the tags of those that do not tell their extent: for sample points only. */
export function extentOf(arenas: readonly ArenaView[]): Extent {
  const meter = new ExtentMeter();
  for (const arena of arenas) {
    if (arena.extentBytes !== undefined) {
      meter.bytes += arena.extentBytes();
      meter.allocatedBytes += arena.figures.inUseBytes;
      continue;
    }
    arena.walk((type, start, size) => meter.visit(type, start, size));
    meter.closeSpan();
  }
  return { bytes: meter.bytes, allocatedBytes: meter.allocatedBytes };
}

class ExtentMeter {
  bytes = 0;
  allocatedBytes = 0;
  private first: Address = 0;
  private end: Address = 0;

  visit(type: TagType, start: Address, size: Bytes): void {
    if (type === TagType.span) this.closeSpan();
    if (type !== TagType.alloc) return;
    if (this.end === 0) this.first = start;
    this.end = start + size;
    this.allocatedBytes += size;
  }

  closeSpan(): void {
    if (this.end > 0) this.bytes += this.end - this.first;
    this.end = 0;
  }
}

/** 1 − Σ largest free segment / Σ free bytes over `arenas`; NaN when nothing is free. */
export function externalFragmentation(arenas: readonly ArenaView[]): number {
  let largest = 0;
  let free = 0;
  for (const arena of arenas) {
    largest += arena.largestFree();
    free += arena.freeBytes();
  }
  return ratio(free - largest, free);
}
