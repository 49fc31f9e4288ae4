import { Type } from '@sinclair/typebox';
import type { Bytes } from '../core/units.js';
import type { Parameters } from './contract.js';
import { abiParameter, TWO_ARENA_PARAMETERS } from './two-arenas.js';

/**
 * Bytes of a map entry and of a map: NetBSD 5.2's vm_map_entry and vm_map, measured with the compiler on amd64 and
 * i386; and of the three links and the balance that a second tree over the gaps adds to an entry. They only weigh the
 * metadata; no decision depends on them.
 */
const ABI_BYTES = {
  lp64: { entryBytes: 136, mapBytes: 288, gapNodeBytes: 32 },
  ilp32: { entryBytes: 84, mapBytes: 160, gapNodeBytes: 16 },
} as const;

/** Parameters of a backend made of maps of entries. */
export const MAP_PARAMETERS = Type.Object(
  {
    merge: Type.Boolean({
      default: true,
      description: 'whether allocated ranges that touch share one entry, as in the BSD kernel maps',
    }),
    ...TWO_ARENA_PARAMETERS,
    abi: abiParameter(
      'sizes of map and entry for the metadata: NetBSD 5.2 on amd64 (288, 136) or i386 (160, 84)',
    ),
  },
  { additionalProperties: false },
);

/** What the parameters say of an entry map besides its range. */
export interface MapShape {
  readonly merge: boolean;
  readonly entryBytes: Bytes;
  readonly mapBytes: Bytes;
}

/** `hasGapTree` says whether each entry carries a node of a second tree, over the gaps. */
export function mapShape(values: Parameters, hasGapTree: boolean): MapShape {
  const { entryBytes, mapBytes, gapNodeBytes } = ABI_BYTES[values.abi as keyof typeof ABI_BYTES];
  return {
    merge: values.merge === true,
    entryBytes: hasGapTree ? entryBytes + gapNodeBytes : entryBytes,
    mapBytes,
  };
}
