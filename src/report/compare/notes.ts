import { canonicalJson } from '../../harness/digest.js';
import type { ComparedRow } from './compared-row.js';
import type { MetricTable } from './comparison.js';
import { type CellPair, cellName, type Pairing, type Side, type SideCell } from './side.js';
import { FEWEST_PAIRS } from './signed-rank.js';
import { timedMachine, timesOtherCells } from './timing-origin.js';

/** Fewest processes on each side whose medians can differ significantly: of 3 and 3, two divisions in 20 are extreme. */
export const FEWEST_PROCESSES = 4;

/** Cells that a note names. */
const MOST_NAMED = 5;

/** What a reader must know before believing the tables, a sentence each. @throws InputError if a file is broken. */
export function notesOf(pairing: Pairing, tables: readonly MetricTable[]): string[] {
  const isTimed = tables.some(({ metric }) => metric.timing !== undefined);
  return [
    ...cellNotes(pairing),
    ...(pairing.baseline === undefined ? originNotes(pairing, isTimed) : []),
    ...(isTimed ? staleTimingNotes(pairing) : []),
    ...loadNotes(pairing),
    ...sampleNotes(tables),
    ...untimedNotes(pairing, tables),
  ];
}

function cellNotes(pairing: Pairing): string[] {
  const failed = failedCells(pairing).map(({ side, cell }) => `${cellName(cell)} in ${side.results.path}`);
  return [
    ...named('only on the old side', pairing.onlyOld.map(cellName)),
    ...named('only on the new side', pairing.onlyNew.map(cellName)),
    ...named('without a result, for the cell has failed', failed),
  ];
}

/** Cells that have failed on either side. */
export function failedCells({ old, new: new_ }: Pairing): { side: Side; cell: Omit<SideCell, 'row'> }[] {
  return [...new Set([old, new_])].flatMap((side) =>
    side.results.cells.filter(({ failure }) => failure !== undefined).map((cell) => ({ side, cell })),
  );
}

function originNotes({ old, new: new_, pairs }: Pairing, isTimed: boolean): string[] {
  const [before, after] = [old.results.run, new_.results.run];
  const notes: string[] = [];
  if (before.version !== after.version) notes.push(`other version: ${before.version}, then ${after.version}`);
  else if (before.commit !== after.commit) {
    notes.push(`other commit: ${before.commit || 'unknown'}, then ${after.commit || 'unknown'}`);
  }
  for (const part of CONFIGURATION_PARTS) {
    const cells = pairs.filter((pair) => canonicalPart(pair.old, part) !== canonicalPart(pair.new, part));
    notes.push(...named(`of another configuration (${part})`, cells.map(cellName)));
  }
  if (isTimed) notes.push(...machineNotes(old, new_));
  return notes;
}

/** What decides a result, apart from the program, which has a note of its own. */
const CONFIGURATION_PARTS = ['workload', 'backend', 'samples', 'cpus'];

function canonicalPart({ configuration }: SideCell, part: string): string {
  return canonicalJson(configuration[part] ?? null);
}

/** Times of two machines do not compare; exact figures do. */
function machineNotes(old: Side, new_: Side): string[] {
  const [before, after] = [timedMachine(old), timedMachine(new_)];
  const changed = ['cpu', 'cpus', 'memoryBytes', 'platform', 'arch', 'release', 'node', 'v8'].filter(
    (part) => before[part] !== after[part],
  );
  const list = changed.map((part) => `${part} ${before[part]}, then ${after[part]}`).join('; ');
  return changed.length === 0 ? [] : [`times of another machine: ${list}`];
}

function staleTimingNotes({ old, new: new_ }: Pairing): string[] {
  return [...new Set([old, new_])]
    .filter(timesOtherCells)
    .map(({ results }) => `the times in ${results.path} are of other configurations than its exact figures`);
}

/** Figures of a side that was spared part of the load do not compare with those of the other. */
function loadNotes({ pairs, old, new: new_ }: Pairing): string[] {
  const differing = (column: string): CellPair[] => {
    const [before, after] = [old, new_].map(({ results }) => results.table('summary').numbers(column));
    return pairs.filter((pair) => before![pair.old.row] !== after![pair.new.row]);
  };
  return [
    ...named(
      'not under the same load, for one side does not serve some requests',
      differing('unserved').map(cellName),
    ),
    ...named('not under the same load, for one side has refused more', differing('failures').map(cellName)),
  ];
}

function sampleNotes(tables: readonly MetricTable[]): string[] {
  const exact = tables.filter(({ metric }) => metric.timing === undefined).flatMap(({ rows }) => rows);
  const timed = tables.filter(({ metric }) => metric.timing !== undefined).flatMap(({ rows }) => rows);
  const isFew = ({ p, interval }: ComparedRow): boolean => p !== undefined && interval === undefined;
  const notes: string[] = [];
  if (exact.some(isFew)) notes.push(`too few seeds for an interval: it takes ${FEWEST_PAIRS}`);
  if (exact.some(({ seeds, samples, differing }) => differing > 0 && seeds.length > 1 && samples[0] === 1)) {
    notes.push('where every seed has the same figures, they count as one (n = 1)');
  }
  if (timed.some(({ samples }) => Math.min(...samples) < FEWEST_PROCESSES)) {
    notes.push(
      `too few processes to tell times apart: it takes --timing-rounds ${FEWEST_PROCESSES} at least`,
    );
  }
  const oneSided = exact.reduce((sum, row) => sum + row.oneSided, 0);
  if (oneSided > 0) notes.push(`${oneSided} figures are on one side only and in no change`);
  return notes;
}

function untimedNotes({ pairs }: Pairing, tables: readonly MetricTable[]): string[] {
  return tables
    .filter(({ metric, rows }) => metric.timing !== undefined && rows.length < pairs.length)
    .map(({ metric, rows }) => {
      const without = `${pairs.length - rows.length} of ${pairs.length} cells`;
      return `${metric.name}: ${without} have no times on both sides, or some that the clock did not resolve`;
    });
}

/** A note about cells, the first of which it names. */
function named(what: string, cells: readonly string[]): string[] {
  if (cells.length === 0) return [];
  const rest = cells.length > MOST_NAMED ? ` and ${cells.length - MOST_NAMED} more` : '';
  const noun = cells.length === 1 ? 'cell' : 'cells';
  return [`${cells.length} ${noun} ${what}: ${cells.slice(0, MOST_NAMED).join(', ')}${rest}`];
}
