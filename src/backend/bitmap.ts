import { Type } from '@sinclair/typebox';
import { Bitmap } from '../arena/bitmap/bitmap.js';
import type { BackendDefinition } from './contract.js';
import { abiParameter, createTwoArenas, TWO_ARENA_PARAMETERS } from './two-arenas.js';

/** A chunk is a cache line: 512 quanta. */
const WORDS_PER_CHUNK = 16;

/**
 * Bytes of an inner node (for each of eight children three counts of quanta and a pointer), of a chunk, and of the arena
 * (range, root with its summary, lock).
 */
const ABI_BYTES = {
  lp64: { nodeBytes: 256, chunkBytes: 64, arenaBytes: 56 },
  ilp32: { nodeBytes: 128, chunkBytes: 64, arenaBytes: 28 },
} as const;

/** A bitmap under a tree of summaries: first fit whose metadata do not grow with the number of allocations. */
export const bitmap: BackendDefinition = {
  name: 'bitmap',
  summary: 'comparator: bitmap of quanta under a radix tree of summaries, lowest fit',
  heldBy: [],
  parameters: Type.Object(
    {
      ...TWO_ARENA_PARAMETERS,
      abi: abiParameter(
        'sizes of a node, a chunk and the arena for the metadata: lp64 (256, 64, 56) or ilp32 (128, 64, 28)',
      ),
    },
    { additionalProperties: false },
  ),
  create: (values, environment) =>
    createTwoArenas(values, environment, (range) => {
      const bytes = ABI_BYTES[values.abi as keyof typeof ABI_BYTES];
      return new Bitmap({ ...range, ...bytes, wordsPerChunk: WORDS_PER_CHUNK });
    }),
};
