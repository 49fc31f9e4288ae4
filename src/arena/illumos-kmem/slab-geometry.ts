import { type Bytes, roundUp } from '../../core/units.js';
import type { SlabGeometry } from './cache.js';

/** Bytes of the slab structure that an unhashed slab carries at its end (64-bit kernel). */
export const SLAB_STRUCTURE_BYTES = 72;

/** An unhashed cache has at least this many chunks in its one-quantum slab. */
const SMALL_CHUNKS = 8;

/** A slab of `slabBytes` that carries nothing but chunks, as quantum caches have: never coloured. */
export function quantumCacheGeometry(bufferBytes: Bytes, quantum: Bytes, slabBytes: Bytes): SlabGeometry {
  const chunkBytes = quantum >= 8 ? roundUp(bufferBytes, 8) : bufferBytes;
  const chunks = Math.floor(slabBytes / chunkBytes);
  return {
    chunkBytes,
    slabBytes,
    chunks,
    maxColour: colourLimit(slabBytes, chunkBytes, quantum),
    align: quantum,
    hashed: true,
  };
}

/**
 * Slabs of an ordinary cache over an arena of `quantum`. Small chunks: one quantum with the slab structure at its
 * end. Others: the slab of one to eight chunks, rounded up to the quantum, that wastes least per chunk. Caches that may
 * not hash (KMC_NOHASH) treat all their chunks as small.
 * Mirrors kmem_cache_create, kmem.c [illumos@94ab2e1].
 */
export function slabGeometry(
  bufferBytes: Bytes,
  align: Bytes,
  quantum: Bytes,
  { mayHash = true } = {},
): SlabGeometry {
  const chunkBytes = roundUp(bufferBytes, align);
  if (!mayHash || chunkBytes < quantum / SMALL_CHUNKS) {
    const usable = quantum - SLAB_STRUCTURE_BYTES;
    const maxColour = Math.min(usable % chunkBytes, quantum - 1);
    const chunks = Math.floor(usable / chunkBytes);
    return { chunkBytes, slabBytes: quantum, chunks, maxColour, align, hashed: false };
  }
  const slabBytes = leastWaste(chunkBytes, quantum);
  const chunks = Math.floor(slabBytes / chunkBytes);
  const maxColour = colourLimit(slabBytes, chunkBytes, quantum);
  return { chunkBytes, slabBytes, chunks, maxColour, align, hashed: true };
}

function leastWaste(chunkBytes: Bytes, quantum: Bytes): Bytes {
  let best = 0;
  let bestWaste = Number.POSITIVE_INFINITY;
  for (let chunks = 1; chunks <= SMALL_CHUNKS; chunks++) {
    const slabBytes = roundUp(chunkBytes * chunks, quantum);
    chunks = Math.floor(slabBytes / chunkBytes);
    const waste = Math.floor((slabBytes % chunkBytes) / chunks);
    if (waste >= bestWaste) continue;
    best = slabBytes;
    bestWaste = waste;
  }
  return best;
}

function colourLimit(slabBytes: Bytes, chunkBytes: Bytes, quantum: Bytes): Bytes {
  return Math.min(slabBytes % chunkBytes, quantum - 1);
}
