import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { shippedPath } from './provenance.js';

/** A file that is shipped with the program and may be called by its name. */
export interface ShippedFile {
  readonly name: string;
  readonly path: string;
}

/** Suites in workloads/suites, by name. */
export function shippedSuites(): ShippedFile[] {
  return filesIn('workloads/suites', '.yaml');
}

/** Workload files in workloads, by name. */
export function shippedWorkloads(): ShippedFile[] {
  return filesIn('workloads', '.yaml');
}

/** Traces in workloads/traces, by name. */
export function shippedTraces(): ShippedFile[] {
  return filesIn('workloads/traces', '.arrow');
}

/** Path of the shipped trace of this name, if there is one. */
export function shippedTrace(name: string): string | undefined {
  return shippedTraces().find((trace) => trace.name === name)?.path;
}

/** Path of what a parameter names: a file, from `folder` on, or where there is none the shipped trace of this name. */
export function fileOrShippedTrace(text: string, folder: string): string {
  const path = resolve(folder, text);
  return existsSync(path) ? path : (shippedTrace(text) ?? path);
}

function filesIn(folder: string, extension: string): ShippedFile[] {
  const path = shippedPath(folder);
  if (!existsSync(path)) return [];
  const files = readdirSync(path).filter((file) => file.endsWith(extension));
  return files.sort().map((file) => ({ name: file.slice(0, -extension.length), path: join(path, file) }));
}
