import { bhyveReservoirOracle } from './bhyve-reservoir.js';
import { kvaLayoutOracle } from './kva-layout.js';
import { libvirtMemlockOracle } from './libvirt-memlock.js';
import type { RowOracle } from './row-oracle.js';

/** Every oracle whose vectors are rows of figures. */
const ROW_ORACLES: readonly RowOracle[] = [bhyveReservoirOracle, kvaLayoutOracle, libvirtMemlockOracle];

/** The oracle of the vectors at a path; undefined where they are operations of an arena, or none. */
export function findRowOracle(path: string): RowOracle | undefined {
  return ROW_ORACLES.find((oracle) => oracle.claims(path));
}
