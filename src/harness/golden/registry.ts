import { freebsdKstackOracle } from './freebsd-kstack.js';
import { freebsdMapOracle } from './freebsd-map.js';
import { freebsdVmemOracle } from './freebsd-vmem.js';
import { illumosVmemOracle } from './illumos-vmem.js';
import { linuxVmapOracle } from './linux-vmap.js';
import { netbsdUvmMapOracle } from './netbsd-uvm-map.js';
import { netbsdVmemOracle } from './netbsd-vmem.js';
import type { Oracle } from './oracle.js';

/** Every oracle that there is a model for. */
export const ORACLES: readonly Oracle[] = [
  illumosVmemOracle,
  linuxVmapOracle,
  netbsdUvmMapOracle,
  netbsdVmemOracle,
  freebsdVmemOracle,
  freebsdMapOracle,
  freebsdKstackOracle,
];

export function findOracle(name: string): Oracle | undefined {
  return ORACLES.find((oracle) => oracle.name === name);
}
