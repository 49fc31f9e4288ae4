import { type EventHandler, Priority, type Simulation } from '../core/simulation.js';
import type { Nanoseconds } from '../core/units.js';
import { sampleArena, sampleCache } from '../probe/arena-columns.js';
import type { Field, RunView, TableProbe } from '../probe/contract.js';
import { sampleProbes, TABLE_PROBES } from '../probe/registry.js';

/** Figures of one arena at one sample point. */
export interface ArenaSample {
  /** Index of the sample. */
  readonly sample: number;
  readonly arena: string;
  /** Name of the arena that it imports from, '' for a root. */
  readonly source: string;
  /** In the order of ARENA_COLUMNS. */
  readonly values: readonly number[];
}

/** Figures of one cache at the end of the run. */
export interface CacheSample {
  /** Name of the arena that supplies its slabs. */
  readonly arena: string;
  readonly cache: string;
  /** `quantum`, `object` or `metadata`, see CacheFigures. */
  readonly kind: string;
  /** In the order of CACHE_COLUMNS. */
  readonly values: readonly number[];
}

/** What was seen at the sample points of a cell. */
export interface Samples {
  /** Simulated time of each sample. */
  readonly timeNs: readonly Nanoseconds[];
  /** A row per sample in the order of PROBE_COLUMNS. */
  readonly rows: readonly (readonly number[])[];
  readonly arenas: readonly ArenaSample[];
  readonly caches: readonly CacheSample[];
  /**
   * Rows of each table probe that concerns the backend, by its name; the number of the sample comes first in those
   * read at every sample.
   */
  readonly tables: Readonly<Record<string, readonly (readonly Field[])[]>>;
}

/**
 * Reads all probes at evenly spaced times: sample i of n at ⌊i·duration/n⌋, after everything else of that time. The
 * last sample is the end of the run, which a workload may reach before its announced duration.
 */
export class Sampler implements EventHandler, Samples {
  readonly timeNs: Nanoseconds[] = [];
  readonly rows: number[][] = [];
  readonly arenas: ArenaSample[] = [];
  readonly caches: CacheSample[] = [];
  readonly tables: Record<string, Field[][]>;
  private readonly tableProbes: readonly TableProbe[];
  private readonly run: RunView;
  private readonly count: number;
  private readonly durationNs: Nanoseconds;
  private handler = -1;

  constructor(run: RunView, count: number, durationNs: Nanoseconds) {
    this.run = run;
    this.tableProbes = TABLE_PROBES.filter((probe) => probe.concerns?.(run.backend) ?? true);
    this.tables = Object.fromEntries(this.tableProbes.map(({ name }) => [name, []]));
    this.count = count;
    this.durationNs = durationNs;
  }

  /** Schedules the first sample. */
  start(simulation: Simulation): void {
    this.handler = simulation.register(this);
    this.scheduleNext(1);
  }

  fire(index: number): void {
    this.take();
    this.scheduleNext(index + 1);
  }

  /** Takes the last sample, when the simulation has ended. */
  finish(): void {
    this.take();
    for (const arena of this.run.backend.arenas) {
      for (const cache of arena.caches) {
        this.caches.push({
          arena: arena.name,
          cache: cache.name,
          kind: cache.kind,
          values: sampleCache(cache),
        });
      }
    }
    for (const probe of this.tableProbes) {
      if (probe.when === 'end') this.tables[probe.name]!.push(...probe.rows(this.run));
    }
  }

  private scheduleNext(index: number): void {
    if (index >= this.count) return;
    const at = Math.floor((this.durationNs / this.count) * index);
    this.run.simulation.schedule(at, Priority.sample, this.handler, index);
  }

  private take(): void {
    const { simulation, backend } = this.run;
    if (this.timeNs.at(-1) === simulation.now) this.dropLast();
    const sample = this.timeNs.length;
    this.timeNs.push(simulation.now);
    this.rows.push(Array.from(sampleProbes(this.run)));
    for (const arena of backend.arenas) {
      const source = arena.source ?? '';
      this.arenas.push({ sample, arena: arena.name, source, values: sampleArena(arena) });
    }
    for (const probe of this.tableProbes) {
      if (probe.when === 'end') continue;
      for (const row of probe.rows(this.run)) this.tables[probe.name]!.push([sample, ...row]);
    }
  }

  /** A time has one sample: the latest, which has seen most. */
  private dropLast(): void {
    this.timeNs.pop();
    this.rows.pop();
    const sample = this.timeNs.length;
    while (this.arenas.at(-1)?.sample === sample) this.arenas.pop();
    for (const { name, when } of this.tableProbes) {
      const rows = this.tables[name]!;
      while (when === 'sample' && rows.at(-1)?.[0] === sample) rows.pop();
    }
  }
}
