import { bestFitMap } from './best-fit-map.js';
import { bhyveReservoir } from './bhyve-reservoir.js';
import { bitmap } from './bitmap.js';
import { buddy } from './buddy.js';
import type { BackendDefinition } from './contract.js';
import { firstFitMap } from './first-fit-map.js';
import { freebsdKstackDense } from './freebsd-kstack-dense.js';
import { freebsdKstackPerObject } from './freebsd-kstack-per-object.js';
import { freebsdKstackSingle } from './freebsd-kstack-single.js';
import { freebsdVmMap } from './freebsd-vm-map.js';
import { freebsdVmem } from './freebsd-vmem.js';
import { illumosGuestInHeap } from './illumos-guest-in-heap.js';
import { illumosGuestInZio } from './illumos-guest-in-zio.js';
import { illumosSegkpHeap } from './illumos-segkp-heap.js';
import { illumosSegkpStatic } from './illumos-segkp-static.js';
import { illumosSegkvmm } from './illumos-segkvmm.js';
import { illumosVmem } from './illumos-vmem.js';
import { illumosVmemNoqc } from './illumos-vmem-noqc.js';
import { linuxVmap } from './linux-vmap.js';
import { linuxVmapNopool } from './linux-vmap-nopool.js';
import { netbsd2011 } from './netbsd-2011.js';
import { netbsd2012 } from './netbsd-2012.js';
import { netbsdA } from './netbsd-a.js';
import { netbsdB } from './netbsd-b.js';
import { netbsdC } from './netbsd-c.js';
import { netbsdYamamoto } from './netbsd-yamamoto.js';
import { tlsf } from './tlsf.js';

/** Every backend, by name. The conformance suite runs over all of them. */
export const BACKENDS: readonly BackendDefinition[] = [
  bestFitMap,
  bhyveReservoir,
  bitmap,
  buddy,
  firstFitMap,
  freebsdKstackDense,
  freebsdKstackPerObject,
  freebsdKstackSingle,
  freebsdVmMap,
  freebsdVmem,
  illumosGuestInHeap,
  illumosGuestInZio,
  illumosSegkpHeap,
  illumosSegkpStatic,
  illumosSegkvmm,
  illumosVmem,
  illumosVmemNoqc,
  linuxVmap,
  linuxVmapNopool,
  netbsd2011,
  netbsd2012,
  netbsdA,
  netbsdB,
  netbsdC,
  netbsdYamamoto,
  tlsf,
];
