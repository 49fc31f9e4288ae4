import { AliasTable, type RandomStream } from '../core/random.js';
import { type Bytes, GIB, highBit, MIB } from '../core/units.js';

/** Mixes of guest memory sizes; see GuestSizes. */
export const GUEST_MIXES = ['east1', 'topo', 'odd'] as const;
export type GuestMix = (typeof GUEST_MIXES)[number];

/** GiB and their shares in hundredths of a per cent. */
interface Mix {
  readonly gib: readonly number[];
  readonly shares: readonly number[];
}

const MIXES: Readonly<Record<'east1' | 'topo', Mix>> = {
  east1: {
    gib: [1, 2, 4, 8, 16, 24, 32, 64, 128],
    shares: [2200, 4370, 1610, 1100, 440, 50, 190, 15, 20],
  },
  topo: {
    gib: [4, 8, 16, 24, 32, 48, 64, 96, 128, 192, 256],
    shares: [1388, 2284, 1167, 77, 1928, 44, 2415, 22, 657, 18, 1],
  },
};

const SMALLEST_ODD = 256 * MIB;

/**
 * Draws memory sizes of guests:
 * - `east1`: flavours of a public cloud region, most of them small: Huawei-East-1, read off its published bar chart
 *   (± 0.5 points).
 * - `topo`: larger flavours: requests counted in a data set for placement of virtual machines by topology.
 * - `odd`: from 256 MiB to a quarter of the host, in MiB. Octaves have the same chance, and sizes within an octave
 *   have: a log-uniform distribution in straight pieces, because a true one would need a logarithm.
 */
export class GuestSizes {
  private readonly table: AliasTable;
  private readonly gib: readonly number[] | null;

  /** @param hostBytes memory of the host; for `odd` at least 2 GiB */
  constructor(mix: GuestMix, hostBytes: Bytes) {
    this.gib = mix === 'odd' ? null : MIXES[mix].gib;
    const octaves = highBit(Math.floor(hostBytes / 4 / SMALLEST_ODD)) - 1;
    this.table = new AliasTable(mix === 'odd' ? new Array<number>(octaves).fill(1) : MIXES[mix].shares);
  }

  /** The smallest size there is. */
  static smallest(mix: GuestMix): Bytes {
    return mix === 'odd' ? SMALLEST_ODD : MIXES[mix].gib[0]! * GIB;
  }

  draw(stream: RandomStream): Bytes {
    const drawn = this.table.draw(stream);
    if (this.gib !== null) return this.gib[drawn]! * GIB;
    const octave = SMALLEST_ODD * 2 ** drawn;
    return octave + stream.below(octave / MIB) * MIB;
  }
}
