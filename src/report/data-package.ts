import type { Column } from '../probe/contract.js';

/** What a table is: its name, and what its columns mean. */
export interface TableDescription {
  /** Name of the file without `.csv`. */
  readonly name: string;
  readonly title: string;
  readonly columns: readonly Column[];
  /** Columns that together name a row. */
  readonly key: readonly string[];
}

/** What is known of a written table. */
export interface WrittenTable {
  readonly table: TableDescription;
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
  if (column.kind === 'measured') return column.unit === 'count' ? 'integer' : 'number';
  return column.unit === '1' || column.name.endsWith('_mean') ? 'number' : 'integer';
}

function tableField(column: Column): object {
  const { name, unit, kind, better, description } = column;
  return { name, type: fieldType(column), ...(unit === 'text' ? {} : { unit }), kind, better, description };
}
