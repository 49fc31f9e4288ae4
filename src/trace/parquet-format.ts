import type { ConvertedType, SchemaElement } from 'hyparquet';
import { COLUMNS, type ColumnArray } from './columns.js';

/** First and last bytes of a Parquet file. */
export const PARQUET_MAGIC = Buffer.from('PAR1');

/** How Parquet calls the integers of a column that are narrower than its own 32 bits, or without a sign. */
const NARROW_INTEGERS = new Map<unknown, ConvertedType>([
  [Uint8Array, 'UINT_8'],
  [Uint16Array, 'UINT_16'],
  [Uint32Array, 'UINT_32'],
]);

/** The Parquet schema of a trace: the columns of its Arrow file, none of which has nulls. */
export const PARQUET_SCHEMA: SchemaElement[] = [
  { name: 'trace', num_children: COLUMNS.length },
  ...COLUMNS.map(({ name, array }) => elementOf(name, array)),
];

function elementOf(name: string, array: new (length: number) => ColumnArray): SchemaElement {
  const narrow = NARROW_INTEGERS.get(array);
  return {
    name,
    type: array === Float64Array ? 'DOUBLE' : 'INT32',
    repetition_type: 'REQUIRED',
    ...(narrow === undefined ? {} : { converted_type: narrow }),
  };
}
