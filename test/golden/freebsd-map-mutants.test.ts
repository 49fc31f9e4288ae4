import { freebsdMapOracle } from '../../src/harness/golden/freebsd-map.js';
import { FREEBSD_MAP_MUTANTS } from '../support/freebsd-map-mutants.js';
import { mutantsAreNoticed } from '../support/noticed-mutants.js';

mutantsAreNoticed("a model of FreeBSD's map", freebsdMapOracle, FREEBSD_MAP_MUTANTS);
