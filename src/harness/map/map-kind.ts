import { REQUEST_CLASS_NAMES } from '../../core/request.js';

/**
 * What a tile counts bytes of: first the live objects of each request class, then guard pages of live stacks, then what
 * the arenas say: `held` is allocated in the innermost arena (objects, guards, and what caches hold or rounding
 * wastes), `free` is free in it. Bytes of no span are in neither.
 */
export const MAP_KINDS: readonly string[] = [...REQUEST_CLASS_NAMES, 'guard', 'held', 'free'];

/** Kinds that only arenas know have numbers behind the request classes. */
export const MapKind = {
  guard: REQUEST_CLASS_NAMES.length,
  held: REQUEST_CLASS_NAMES.length + 1,
  free: REQUEST_CLASS_NAMES.length + 2,
} as const;

/** A tile's row and kind as one number: row × 16 + kind. */
export const KIND_BITS = 4;
