import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import os from 'node:os';
import { fileURLToPath } from 'node:url';
import type { Plan } from './plan.js';

/** Root of the package, the same distance above the sources and the compiled files. */
const PACKAGE_ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Path of something that is shipped beside the program, such as `workloads/suites`. */
export function shippedPath(relative: string): string {
  return fileURLToPath(new URL(`../../${relative}`, import.meta.url));
}

/** How a run came about: everything that the exact tables must not contain, and all that decides them. */
export interface RunRecord {
  readonly format: 'kvabench run 1';
  /** `failed`: all cells have ended, but those in `failures` without a result. */
  readonly status: 'running' | 'complete' | 'failed';
  readonly version: string;
  /** Commit of the program's own checkout, '' where it is none; `+` marks changes that are not committed. */
  readonly commit: string;
  /** UTC, ISO 8601. */
  readonly started: string;
  readonly machine: Readonly<Record<string, string | number>>;
  readonly suite: Readonly<Record<string, unknown>>;
  readonly seeds: readonly number[];
  readonly cells: readonly Readonly<Record<string, unknown>>[];
  /** Cells without a result, and why. */
  readonly failures: readonly { readonly id: string; readonly message: string }[];
  /** Of results that `kvabench merge` put together: how each part came about, and which are missing. */
  readonly shards?: MergedShards;
}

/** Where merged results come from; `machine`, `commit` and `started` of the record are those of the first part. */
export interface MergedShards {
  readonly count: number;
  /** Numbers of the shards without a folder, from 1. */
  readonly missing: readonly number[];
  readonly parts: readonly (Pick<RunRecord, 'commit' | 'started' | 'machine'> & { readonly index: number })[];
}

/** The record of a run that starts now. */
export function startRecord(plan: Plan, version: string): RunRecord {
  const { name, description, digest, seeds, samples } = plan.suite;
  return {
    format: 'kvabench run 1',
    status: 'running',
    version,
    commit: programCommit(),
    started: new Date().toISOString(),
    machine: describeMachine(),
    suite: { name, description, sha256: digest, samples, shard: plan.shard },
    seeds,
    cells: plan.cells.map((cell) => ({
      id: cell.id,
      workload: cell.workload.label,
      backend: cell.backend.label,
      configuration: cell.configuration,
      configurationDigest: cell.configurationDigest,
    })),
    failures: [],
  };
}

/** The machine, and how busy it is: the mean length of its run queue over the last minute (0 on Windows). */
export function describeMachine(): Record<string, string | number> {
  const cpus = os.cpus();
  return {
    node: process.versions.node,
    v8: process.versions.v8,
    platform: process.platform,
    arch: process.arch,
    release: os.release(),
    cpu: cpus[0]?.model ?? '',
    cpus: cpus.length,
    memoryBytes: os.totalmem(),
    loadAverage: os.loadavg()[0]!,
  };
}

/** Asks git only about a checkout of the program itself: an installed package may lie in someone else's. */
function programCommit(): string {
  if (!existsSync(`${PACKAGE_ROOT}/.git`)) return '';
  const git = (...args: string[]): string => {
    const answer = spawnSync('git', args, { cwd: PACKAGE_ROOT, encoding: 'utf8' });
    return answer.status === 0 ? answer.stdout.trim() : '';
  };
  const commit = git('rev-parse', 'HEAD');
  return commit !== '' && git('status', '--porcelain') !== '' ? `${commit}+` : commit;
}
