import { netbsdUvmMapOracle } from '../../src/harness/golden/netbsd-uvm-map.js';
import { mutantsAreNoticed } from '../support/noticed-mutants.js';
import { STACK_MUTANTS } from '../support/stack-mutants.js';
import { UVM_MUTANTS } from '../support/uvm-mutants.js';

mutantsAreNoticed('a model of kernel maps, or of allocators above them,', netbsdUvmMapOracle, [
  ...UVM_MUTANTS,
  ...STACK_MUTANTS,
]);
