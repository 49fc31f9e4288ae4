import { freebsdVmemOracle } from '../../src/harness/golden/freebsd-vmem.js';
import { FREEBSD_VMEM_MUTANTS } from '../support/freebsd-vmem-mutants.js';
import { mutantsAreNoticed } from '../support/noticed-mutants.js';

mutantsAreNoticed('a model of FreeBSD vmem', freebsdVmemOracle, FREEBSD_VMEM_MUTANTS);
