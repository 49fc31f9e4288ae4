import { linuxVmapOracle } from '../../src/harness/golden/linux-vmap.js';
import { mutantsAreNoticed } from '../support/noticed-mutants.js';
import { VMAP_MUTANTS } from '../support/vmap-mutants.js';

mutantsAreNoticed('a vmap', linuxVmapOracle, VMAP_MUTANTS);
