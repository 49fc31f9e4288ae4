import { freebsdKstackOracle } from '../../src/harness/golden/freebsd-kstack.js';
import { KSTACK_MUTANTS } from '../support/kstack-mutants.js';
import { mutantsAreNoticed } from '../support/noticed-mutants.js';

mutantsAreNoticed('a model of kernel stacks', freebsdKstackOracle, KSTACK_MUTANTS);
