import { netbsdVmemOracle } from '../../src/harness/golden/netbsd-vmem.js';
import { NETBSD_VMEM_MUTANTS } from '../support/netbsd-vmem-mutants.js';
import { mutantsAreNoticed } from '../support/noticed-mutants.js';

mutantsAreNoticed('a model of NetBSD vmem', netbsdVmemOracle, NETBSD_VMEM_MUTANTS);
