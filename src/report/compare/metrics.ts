import { InputError } from '../../core/errors.js';
import { unknownName } from '../../core/suggest.js';
import type { Column } from '../../probe/contract.js';
import type { StoredField } from '../stored-table.js';
import type { Side } from './side.js';

/** A figure that can be compared. */
export interface Metric {
  readonly name: string;
  readonly unit: string;
  readonly better: Column['better'];
  /** How it was measured; undefined for an exact column of summary.csv. */
  readonly timing?: TimingChoice;
}

/** Which of the times in timing.csv a metric takes. */
export interface TimingChoice {
  /** A column of that table. */
  readonly clock: 'cpu_ns' | 'wall_ns';
  /** Value of its column `metrics`. */
  readonly recording: 'off' | 'on';
}

/** Short names; each stands for one column. */
export const METRIC_ALIASES: Readonly<Record<string, string>> = {
  failed: 'failures',
  peak_live: 'peak_live_bytes',
  va_per_live: 'va_per_peak_live',
  external_frag: 'external_fragmentation_peak',
  internal_frag: 'internal_fragmentation_mean',
  holes: 'hole_ratio_mean',
  peak_tags: 'tags_peak',
  metadata: 'metadata_bytes_peak',
  search: 'searches',
  locks: 'lock_acquisitions',
  mag_hit: 'magazine_hit_rate',
  time: 'cpu_ns_per_event',
};

/** What is compared where nothing is chosen: what `kvabench run` prints, and time where both sides have it. */
const SHOWN = [
  'failures',
  'va_per_peak_live',
  'external_fragmentation_peak',
  'hole_ratio_mean',
  'tags_peak',
  'metadata_bytes_peak',
  'searches',
  'lock_acquisitions',
  'magazine_hit_rate',
  'cpu_ns_per_event',
];

const TIMING_METRICS: readonly Metric[] = (['cpu', 'wall'] as const).flatMap((clock) =>
  (['off', 'on'] as const).map((recording) => ({
    name: `${clock}_ns_per_event${recording === 'on' ? '_recording' : ''}`,
    unit: 'ns/event',
    better: 'less' as const,
    timing: { clock: `${clock}_ns` as const, recording },
  })),
);

/** Columns of summary.csv that say what was run, not what came out. */
const SETTINGS = ['seed', 'cpus', 'samples'];

/** The metrics of a folder: the columns of summary.csv that hold figures, and times where it has them. */
export function metricsOf({ results }: Side): Metric[] {
  const exact = results.table('summary').fields.filter(isFigure).map(exactMetric);
  return results.has('timing') ? [...exact, ...TIMING_METRICS] : exact;
}

/**
 * The metrics to compare; aliases are understood, `all` is every one.
 * @throws InputError for a name that neither or only one of the sides has.
 */
export function chooseMetrics(names: readonly string[] | undefined, old: Side, new_: Side): Metric[] {
  const [olds, news] = [metricsOf(old), metricsOf(new_)];
  const both = olds.filter(({ name }) => news.some((metric) => metric.name === name));
  if (names === undefined) {
    return SHOWN.flatMap((name) => both.filter((metric) => metric.name === name));
  }
  if (names.includes('all')) return both;
  return names.map((name) => metricNamed(name, both, '--metric', old, new_));
}

/** The metric of a name or alias. @throws InputError that names `option` if the sides do not both have it. */
export function metricNamed(
  name: string,
  both: readonly Metric[],
  option: string,
  old: Side,
  new_: Side,
): Metric {
  const full = METRIC_ALIASES[name] ?? name;
  const found = both.find((metric) => metric.name === full);
  if (found !== undefined) return found;
  refuseOneSided(full, option, old, new_);
  const aliases = Object.keys(METRIC_ALIASES);
  const known = [...aliases, ...both.map((metric) => metric.name)];
  throw unknownName('metric', name, known, { field: option }, [
    ...aliases,
    `${both.length} columns of the results`,
  ]);
}

/** @throws InputError for a metric that a side lacks, though it is known. */
function refuseOneSided(name: string, option: string, old: Side, new_: Side): void {
  const isKnown = [...TIMING_METRICS, ...metricsOf(old), ...metricsOf(new_)].some(
    (metric) => metric.name === name,
  );
  if (!isKnown) return;
  const lacking = [old, new_].find((side) => !metricsOf(side).some((metric) => metric.name === name))!;
  const isTime = TIMING_METRICS.some((metric) => metric.name === name);
  throw new InputError(`the results have no ${name}`, {
    file: lacking.results.path,
    field: option,
    allowed: isTime ? 'results of kvabench run --timing' : 'a metric that both sides have',
  });
}

function isFigure({ name, type }: StoredField): boolean {
  return type !== 'string' && !name.includes('.') && !SETTINGS.includes(name);
}

function exactMetric({ name, unit, better }: StoredField): Metric {
  return { name, unit: unit ?? '1', better };
}
