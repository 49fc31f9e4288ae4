import { TABLE_FILES } from '../../src/report/write-tables.js';

/** Tables of some backends or workloads only, which results of toys are without. */
const OPTIONAL = ['superpages', 'swap', 'segkp', 'guests', 'memlock', 'memlock-timeline'];

/** The tables that every folder of results has, and their description. */
export const COMMON_FILES = TABLE_FILES.filter((name) => !OPTIONAL.includes(name.replace(/\.csv$/, '')));
