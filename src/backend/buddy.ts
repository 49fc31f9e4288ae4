import { Type } from '@sinclair/typebox';
import { Buddy } from '../arena/buddy/buddy.js';
import type { BackendDefinition } from './contract.js';
import { abiParameter, createTwoArenas, TWO_ARENA_PARAMETERS } from './two-arenas.js';

/**
 * Bytes of a block's tag (start, three tree links, hash link, and a word for order, balance and state) and of the arena
 * (range, root, hash table's address and mask, lock).
 */
const ABI_BYTES = {
  lp64: { tagBytes: 48, arenaBytes: 48 },
  ilp32: { tagBytes: 24, arenaBytes: 24 },
} as const;

/** Binary buddies: fast splitting and merging, paid with internal fragmentation. */
export const buddy: BackendDefinition = {
  name: 'buddy',
  summary: 'comparator: binary buddies, lowest block of the smallest order that fits',
  heldBy: [],
  parameters: Type.Object(
    {
      ...TWO_ARENA_PARAMETERS,
      abi: abiParameter('sizes of a tag and of the arena for the metadata: lp64 (48, 48) or ilp32 (24, 24)'),
    },
    { additionalProperties: false },
  ),
  create: (values, environment) =>
    createTwoArenas(values, environment, (range) => {
      return new Buddy({ ...range, ...ABI_BYTES[values.abi as keyof typeof ABI_BYTES] });
    }),
};
