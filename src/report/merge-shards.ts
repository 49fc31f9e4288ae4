import { Type } from '@sinclair/typebox';
import { InputError } from '../core/errors.js';
import { writeWhole } from '../core/files.js';
import { canonicalJson } from '../harness/digest.js';
import { readMap } from '../harness/map/address-map.js';
import type { MapFile } from '../harness/map/map-file.js';
import type { ParameterColumn } from '../harness/parameter-columns.js';
import type { Shard } from '../harness/plan.js';
import type { RunRecord } from '../harness/provenance.js';
import {
  mapFileOf,
  type ResultFolder,
  RUN_FILE,
  readCellIn,
  readFailureIn,
} from '../harness/result-folder.js';
import { schemaProblem } from '../harness/schema-check.js';
import type { Column } from '../probe/contract.js';
import { Results, type StoredCell, type StoredRun } from './read-results.js';
import type { StoredField } from './stored-table.js';
import { writeTables } from './write-tables.js';

/** A folder of results of one part of a suite. */
interface Part extends Shard {
  readonly results: Results;
}

/** A cell, and the folder that has it. */
interface MergedCell extends StoredCell {
  readonly folder: string;
  /** As run.json has it. */
  readonly record: StoredRun['cells'][number];
}

/** The parts of a suite, checked and in order. */
export interface Merge {
  /** By the number of the shard. */
  readonly parts: readonly Part[];
  readonly count: number;
  /** Numbers of the shards that no folder has. */
  readonly missing: readonly number[];
  /** In the order of the whole suite. */
  readonly cells: readonly MergedCell[];
  readonly parameters: readonly ParameterColumn[];
}

/**
 * Reads the parts of a suite and holds them against each other; nothing is written.
 * @throws InputError for a folder that holds no finished results, parts of different suites, versions or divisions, and
 * cells that several have and that are not equal.
 */
export function readShards(folders: readonly string[]): Merge {
  const parts = folders.map(readPart).sort((a, b) => a.index - b.index);
  const first = parts[0]!;
  for (const part of parts.slice(1)) refuseStranger(first, part);
  const given = new Set(parts.map(({ index }) => index));
  const all = Array.from({ length: first.count }, (_, index) => index + 1);
  return {
    parts,
    count: first.count,
    missing: all.filter((index) => !given.has(index)),
    cells: mergeCells(parts),
    parameters: parametersOf(first),
  };
}

/**
 * Writes merged results: the tables are those of an undivided run.
 * @throws InputError when a file cannot be read or written.
 */
export function writeMerged({ parts, count, missing, cells, parameters }: Merge, folder: ResultFolder): void {
  const { version, commit, started, machine, suite, seeds } = parts[0]!.results.run;
  const { shard: _, ...whole } = suite as ShardedSuite;
  const failed = cells.filter(({ failure }) => failure !== undefined);
  const record: RunRecord = {
    format: 'kvabench run 1',
    status: 'running',
    version,
    commit,
    started,
    machine,
    suite: whole,
    seeds,
    cells: cells.map((cell) => cell.record),
    failures: failed.map(({ id, failure }) => ({ id, message: failure! })),
    shards: { count, missing, parts: parts.map(originOf) },
  };
  writeRecord(folder, record);
  const finished = cells.filter(({ failure }) => failure === undefined);
  for (const cell of finished) folder.storeCell({ ...readCellIn(cell.folder, cell), ...mapOf(cell) });
  for (const { id, folder: from } of failed) folder.storeFailure(id, readFailureIn(from, id));
  const { name, description = '' } = suite;
  writeTables(folder, { suite: { name, description }, parameters, cells: finished });
  writeRecord(folder, { ...record, status: failed.length === 0 ? 'complete' : 'failed' });
}

function writeRecord(folder: ResultFolder, record: RunRecord): void {
  writeWhole(folder.file(RUN_FILE), `${JSON.stringify(record, null, 2)}\n`);
}

function originOf({
  index,
  results,
}: Part): Pick<RunRecord, 'commit' | 'started' | 'machine'> & { index: number } {
  const { commit, started, machine } = results.run;
  return { index, commit, started, machine };
}

type MaybeMerged = StoredRun & Pick<RunRecord, 'shards'>;
type ShardedSuite = StoredRun['suite'] & { readonly shard?: Shard };

const SHARD_SCHEMA = Type.Object({
  shard: Type.Optional(
    Type.Object({ index: Type.Integer({ minimum: 1 }), count: Type.Integer({ minimum: 1 }) }),
  ),
});

/** An undivided run is the only one of one part. */
function readPart(folder: string): Part {
  const results = Results.open(folder);
  if ((results.run as MaybeMerged).shards !== undefined) {
    const allowed = 'the shards that they were merged from';
    throw new InputError('the results are merged already', { file: results.path, allowed });
  }
  const suite = results.run.suite as ShardedSuite;
  const problem = schemaProblem(SHARD_SCHEMA, suite);
  const { index, count } = suite.shard ?? { index: 1, count: 1 };
  if (problem === undefined && index <= count) return { results, index, count };
  throw new InputError('no number of a shard', {
    file: results.path,
    field: 'suite.shard',
    allowed: 'results of kvabench run --shard',
  });
}

/** @throws InputError for a part that is of something else than the first. */
function refuseStranger(first: Part, part: Part): void {
  const facts = ({ results, count }: Part): Record<string, unknown> => ({
    version: results.run.version,
    suite: results.run.suite.name,
    'contents of the suite': results.run.suite.sha256,
    samples: results.run.suite.samples,
    seeds: results.run.seeds,
    shards: count,
    'parameters that vary': parametersOf({ results }).map(({ column }) => column),
  });
  const [wanted, found] = [facts(first), facts(part)];
  const other = Object.keys(wanted).find(
    (fact) => canonicalJson(wanted[fact]) !== canonicalJson(found[fact]),
  );
  if (other === undefined) return;
  throw new InputError(`no part of the same run as ${first.results.path}: other ${other}`, {
    file: part.results.path,
    allowed: `shards of one run: ${other} ${JSON.stringify(wanted[other])}`,
  });
}

/** Cells in the order of the suite: number k of a shard is number k · count + index − 1 of the whole. */
function mergeCells(parts: readonly Part[]): MergedCell[] {
  const places = new Map<number, MergedCell>();
  for (const { results, index, count } of parts) {
    for (const [number, cell] of results.cells.entries()) {
      const place = number * count + index - 1;
      const merged = { ...cell, folder: results.path, record: results.run.cells[number]! };
      const known = places.get(place);
      if (known === undefined) places.set(place, checked(merged));
      else places.set(place, reconciled(known, merged));
    }
  }
  return [...places].sort(([a], [b]) => a - b).map(([, cell]) => cell);
}

/** @throws InputError if the result of the cell is missing, or it or its map is damaged. */
function checked(cell: MergedCell): MergedCell {
  if (cell.failure === undefined) {
    readCellIn(cell.folder, cell);
    mapOf(cell);
  }
  return cell;
}

/** The address-space map of the cell, if the shard was run with --map. @throws InputError for a damaged one. */
function mapOf({ folder, id, configurationDigest }: MergedCell): { map?: MapFile } {
  const path = mapFileOf(folder, id);
  if (path === undefined) return {};
  const { file } = readMap(path);
  return file.configurationDigest === configurationDigest ? { map: file } : {};
}

/** One of two cells of the same place: one with a result, if there is any, and if there is any, with a map. @throws InputError if they are not equal. */
function reconciled(known: MergedCell, other: MergedCell): MergedCell {
  if (known.id !== other.id || known.configurationDigest !== other.configurationDigest) {
    throw unequal(known, other, 'configuration');
  }
  if (other.failure !== undefined) return known;
  if (known.failure !== undefined) return checked(other);
  const [one, two] = [known, other].map((cell) => readCellIn(cell.folder, cell).resultDigest);
  if (one !== two) throw unequal(known, other, 'result');
  return mapOf(known).map === undefined ? checked(other) : known;
}

function unequal(known: MergedCell, other: MergedCell, what: string): InputError {
  const name = known.id === other.id ? `cell ${other.id}` : `cells ${known.id} and ${other.id}`;
  return new InputError(`${name}: another ${what} than in ${known.folder}`, {
    file: other.folder,
    allowed: 'equal results where several shards have a cell',
  });
}

/** The parameters that the suite varies: the columns of every table whose names have a role before a dot. */
function parametersOf({ results }: Pick<Part, 'results'>): ParameterColumn[] {
  return results.table('summary').fields.flatMap((field) => {
    const match = /^(workload|backend)\.(.+)$/.exec(field.name);
    if (match === null) return [];
    return [{ role: match[1] as ParameterColumn['role'], parameter: match[2]!, column: columnOf(field) }];
  });
}

function columnOf({ name, unit, kind, better, description }: StoredField): Column {
  return { name, unit: (unit ?? 'text') as Column['unit'], kind, better, description };
}
