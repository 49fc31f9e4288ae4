import type { TObject } from '@sinclair/typebox';
import type { Workload } from './contract.js';

/** Values of a workload's parameters, validated and with defaults filled in. */
export type Parameters = Readonly<Record<string, string | number | boolean | readonly string[]>>;

/** A workload in the registry. The name is the file's name. */
export interface WorkloadDefinition {
  readonly name: string;
  /** One line for `kvabench list`. */
  readonly summary: string;
  /**
   * JSON Schema of the parameters, each with a description and, unless it is required, a default. `format: 'bytes'`
   * is a length, which may be written `64KiB` and reaches `create` as a number; so does `format: 'duration'`, which may
   * be written `500ms`, in nanoseconds; `format: 'path'` is a file, relative to the file that names it, and reaches
   * `create` resolved.
   */
  readonly parameters: TObject;
  /** @throws InputError if the values contradict each other, or an input file is missing or damaged. */
  create(parameters: Parameters, seed: number): Workload;
}
