import { Field, Float64, Int32, Schema, Uint8, Uint16, Uint32 } from 'apache-arrow';

/** Version of the columns and the metadata that this program reads and writes. */
export const FORMAT_VERSION = 1;

/** Key of the JSON text in the Arrow schema's metadata. */
export const METADATA_KEY = 'kvabench';

/** First and, in an Arrow file, last bytes. */
export const ARROW_MAGIC = Buffer.from('ARROW1');

/** The Arrow schema of a trace; `metadata` are those of the footer. Field order is that of COLUMNS. */
export function traceSchema(metadata: ReadonlyMap<string, string> = new Map()): Schema {
  const fields = [
    new Field('timeNs', new Float64(), false),
    new Field('cpu', new Uint16(), false),
    new Field('op', new Uint8(), false),
    new Field('cls', new Uint8(), false),
    new Field('object', new Uint32(), false),
    new Field('size', new Float64(), false),
    new Field('constraint', new Int32(), false),
    new Field('site', new Int32(), false),
    new Field('address', new Float64(), false),
  ];
  return new Schema(fields, new Map(metadata));
}
