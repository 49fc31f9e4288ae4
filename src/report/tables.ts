import type { CellResult } from '../harness/cell.js';
import { type ParameterColumn, parameterField } from '../harness/parameter-columns.js';
import { SUMMARY_COLUMNS } from '../harness/summary.js';
import { ARENA_COLUMNS, CACHE_COLUMNS } from '../probe/arena-columns.js';
import { countColumn, textColumn } from '../probe/column.js';
import type { Column, Field, TableProbe } from '../probe/contract.js';
import { PROBE_COLUMNS, TABLE_PROBES } from '../probe/registry.js';
import type { TableDescription } from './data-package.js';

/** One table of exact results, with its rows for a cell. */
export interface ResultTable extends TableDescription {
  /** As in the contract `TableProbe`. */
  readonly isOptional?: true;
  rows(result: CellResult): Field[][];
}

const CELL_COLUMNS: readonly Column[] = [
  textColumn('workload', 'Label of the workload.'),
  textColumn('backend', 'Label of the backend.'),
  countColumn('seed', 'none', 'Seed of the random streams of the workload.'),
];
const CELL_KEY = CELL_COLUMNS.map(({ name }) => name);

const SAMPLE_COLUMNS: readonly Column[] = [
  countColumn('sample', 'none', 'Number of the sample point, from 0; the last is the end of the run.'),
  timeColumn('time_ns', 'Simulated time of the sample, after everything else of that time.'),
];

const summary: ResultTable = {
  name: 'summary',
  title: 'One row per workload, backend and seed',
  columns: [
    ...CELL_COLUMNS,
    countColumn('cpus', 'none', 'Simulated processors.'),
    countColumn('samples', 'none', 'Sample points.'),
    timeColumn('duration_ns', 'Simulated time at the end of the run.'),
    ...SUMMARY_COLUMNS,
    textColumn(
      'placement_digest',
      'Digest of every address that the backend answered, in order; 16 hex digits.',
    ),
    textColumn('result_digest', 'sha256 over every exact figure of the run and placement_digest, in hex.'),
  ],
  key: CELL_KEY,
  rows: (result) => [
    [
      ...cellFields(result),
      result.cpus,
      result.samples.timeNs.length,
      result.durationNs,
      ...result.summary,
      result.placementDigest,
      result.resultDigest,
    ],
  ],
};

const samples: ResultTable = {
  name: 'samples',
  title: 'The figures of every probe at each sample point',
  columns: [...CELL_COLUMNS, ...SAMPLE_COLUMNS, ...PROBE_COLUMNS],
  key: [...CELL_KEY, 'sample'],
  rows: (result) =>
    result.samples.rows.map((row, index) => [
      ...cellFields(result),
      index,
      result.samples.timeNs[index]!,
      ...row,
    ]),
};

const tags: ResultTable = {
  name: 'tags',
  title: 'Boundary tags by type and the other figures of each arena at each sample point',
  columns: [
    ...CELL_COLUMNS,
    ...SAMPLE_COLUMNS,
    textColumn('arena', 'Name of the arena.'),
    textColumn('source', 'Name of the arena that it imports from; empty for a root.'),
    ...ARENA_COLUMNS,
  ],
  key: [...CELL_KEY, 'sample', 'arena'],
  rows: (result) =>
    result.samples.arenas.map(({ sample, arena, source, values }) => [
      ...cellFields(result),
      sample,
      result.samples.timeNs[sample]!,
      arena,
      source,
      ...values,
    ]),
};

const caches: ResultTable = {
  name: 'caches',
  title: 'Each cache at the end of the run',
  columns: [
    ...CELL_COLUMNS,
    textColumn('arena', 'Name of the arena that supplies the slabs.'),
    textColumn('cache', 'Name of the cache.'),
    textColumn(
      'kind',
      'quantum: in front of the arena for its own small requests; object: a client of the arena; metadata: holds structures of the allocators themselves.',
    ),
    ...CACHE_COLUMNS,
  ],
  key: [...CELL_KEY, 'arena', 'cache'],
  rows: (result) =>
    result.samples.caches.map(({ arena, cache, kind, values }) => [
      ...cellFields(result),
      arena,
      cache,
      kind,
      ...values,
    ]),
};

/** Every table of a folder of results. */
export const RESULT_TABLES: readonly ResultTable[] = [
  summary,
  samples,
  tags,
  caches,
  ...TABLE_PROBES.map(probedTable),
];

/** A table with the parameters that a plan varies, after the columns that name the cell. */
export function withParameters(table: ResultTable, parameters: readonly ParameterColumn[]): ResultTable {
  const at = CELL_COLUMNS.length;
  const insert = <T>(row: readonly T[], added: readonly T[]): T[] => [
    ...row.slice(0, at),
    ...added,
    ...row.slice(at),
  ];
  return {
    ...table,
    columns: insert(
      table.columns,
      parameters.map(({ column }) => column),
    ),
    rows: (result) => {
      const fields = parameters.map((parameter) => parameterField(parameter, result.configuration));
      return table.rows(result).map((row) => insert(row, fields));
    },
  };
}

/** The table of a probe that has one of its own. */
function probedTable({ name, title, when, columns, key, isOptional }: TableProbe): ResultTable {
  const optional = isOptional === undefined ? {} : { isOptional };
  if (when === 'end') {
    return {
      name,
      title,
      ...optional,
      columns: [...CELL_COLUMNS, ...columns],
      key: [...CELL_KEY, ...key],
      rows: (result) => (result.samples.tables[name] ?? []).map((row) => [...cellFields(result), ...row]),
    };
  }
  return {
    name,
    title,
    ...optional,
    columns: [...CELL_COLUMNS, ...SAMPLE_COLUMNS, ...columns],
    key: [...CELL_KEY, 'sample', ...key],
    rows: (result) =>
      (result.samples.tables[name] ?? []).map(([sample, ...row]) => [
        ...cellFields(result),
        sample!,
        result.samples.timeNs[sample as number]!,
        ...row,
      ]),
  };
}

function cellFields(result: CellResult): Field[] {
  return [result.workload, result.backend, result.seed];
}

function timeColumn(name: string, description: string): Column {
  return { name, unit: 'ns', kind: 'exact', better: 'none', description };
}
