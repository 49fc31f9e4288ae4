import type { TObject } from '@sinclair/typebox';
import type { Workload } from './contract.js';

/** A workload in the registry. */
export interface WorkloadDefinition {
  readonly name: string;
  readonly summary: string;
  readonly parameters: TObject;
  create(parameters: Readonly<Record<string, string | number | boolean>>, seed: number): Workload;
}

/** Every workload that a suite or `-w` may name. */
export const WORKLOADS: readonly WorkloadDefinition[] = [];
