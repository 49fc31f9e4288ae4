import type { BackendDefinition } from './contract.js';

/** Every backend that a suite or `-b` may name. */
export const BACKENDS: readonly BackendDefinition[] = [];
