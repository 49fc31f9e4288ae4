import type { Column } from '../probe/contract.js';
import type { ResultTable } from './tables.js';

/** What is known of a written table. */
export interface WrittenTable {
  readonly table: ResultTable;
  readonly bytes: number;
  /** sha256 in hex. */
  readonly digest: string;
}

/** The Frictionless data package that describes the tables: https://specs.frictionlessdata.io/tabular-data-package/ */
export function dataPackage(name: string, title: string, written: readonly WrittenTable[]): object {
  return {
    profile: 'tabular-data-package',
    name: name.toLowerCase(),
    title,
    resources: written.map(({ table, bytes, digest }) => ({
      profile: 'tabular-data-resource',
      name: table.name,
      title: table.title,
      path: `${table.name}.csv`,
      format: 'csv',
      mediatype: 'text/csv',
      encoding: 'utf-8',
      bytes,
      hash: `sha256:${digest}`,
      dialect: { delimiter: ',', lineTerminator: '\n', quoteChar: '"', doubleQuote: true, header: true },
      schema: { fields: table.columns.map(tableField), missingValues: [''], primaryKey: table.key },
    })),
  };
}

/** Table Schema type of a column. */
export function fieldType(column: Column): 'string' | 'integer' | 'number' {
  if (column.unit === 'text') return 'string';
  return column.unit === '1' || column.name.endsWith('_mean') ? 'number' : 'integer';
}

function tableField(column: Column): object {
  const { name, unit, kind, better, description } = column;
  return { name, type: fieldType(column), ...(unit === 'text' ? {} : { unit }), kind, better, description };
}
