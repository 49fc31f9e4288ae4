import { Type } from '@sinclair/typebox';
import { Tlsf } from '../arena/tlsf/tlsf.js';
import { InputError } from '../core/errors.js';
import type { BackendDefinition } from './contract.js';
import { abiParameter, createTwoArenas, TWO_ARENA_PARAMETERS } from './two-arenas.js';

/** First levels that the structure holds for addresses of 64 bits, each with a bitmap word. */
const FIRST_LEVELS = 54;

/**
 * Bytes of a pointer and of a block's tag: start, size with the state in its low bit, two neighbours, two list links and
 * the hash link.
 */
const ABI_BYTES = { lp64: { pointer: 8, tagBytes: 56 }, ilp32: { pointer: 4, tagBytes: 28 } } as const;

/** Two-level segregated fit: what constant time costs in fragmentation. */
export const tlsf: BackendDefinition = {
  name: 'tlsf',
  summary: 'comparator: two-level segregated fit, constant time, immediate merging',
  heldBy: [],
  parameters: Type.Object(
    {
      ...TWO_ARENA_PARAMETERS,
      second_level: Type.Number({ default: 32, description: 'free lists per power of two: 16 or 32' }),
      abi: abiParameter('sizes of pointers and tags for the metadata: lp64 (8, 56) or ilp32 (4, 28)'),
    },
    { additionalProperties: false },
  ),
  create(values, environment) {
    const lists = Number(values.second_level);
    if (lists !== 16 && lists !== 32) {
      throw new InputError(`${values.second_level} lists are not modelled`, {
        field: 'second_level',
        allowed: '16 or 32',
      });
    }
    const { pointer, tagBytes } = ABI_BYTES[values.abi as keyof typeof ABI_BYTES];
    const arenaBytes = FIRST_LEVELS * (lists * pointer + 4) + 8;
    const shape = { secondLevelLog2: lists === 16 ? 4 : 5, tagBytes, arenaBytes };
    return createTwoArenas(values, environment, (range) => new Tlsf({ ...range, ...shape }));
  },
};
