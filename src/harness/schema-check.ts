import type { TSchema } from '@sinclair/typebox';
import { Ajv, type ErrorObject } from 'ajv';
import { unknownName } from '../core/suggest.js';

/** The first thing wrong with a value. */
export interface SchemaProblem {
  /** Keys from the root of the value to the wrong part. */
  readonly path: readonly (string | number)[];
  /** The key of that part that is unknown, if that is what is wrong. */
  readonly key?: string;
  readonly text: string;
  readonly allowed: string;
}

const ajv = new Ajv({ allErrors: true, strict: false, verbose: true });
for (const format of ['bytes', 'duration', 'path']) ajv.addFormat(format, true);

/** Holds `value` against a JSON schema; undefined when it fits. */
export function schemaProblem(schema: object, value: unknown): SchemaProblem | undefined {
  const validate = ajv.compile(definedOnly(schema));
  if (validate(value)) return undefined;
  return explain(mostTelling(validate.errors ?? []));
}

/** What a schema accepts, in words. */
export function describeSchema(schema: TSchema): string {
  if (schema.format === 'bytes') return `a length such as 64KiB${describeRange(schema)}`;
  if (schema.format === 'duration') return `a duration such as 500ms${describeRange(schema)}`;
  if (Array.isArray(schema.anyOf)) return schema.anyOf.map(describeSchema).join(' or ');
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (Array.isArray(schema.enum)) return schema.enum.map((value) => JSON.stringify(value)).join(', ');
  if (schema.format === 'path') return 'a path';
  if (schema.pattern !== undefined) return `text that matches ${schema.pattern}`;
  if (schema.type === 'array')
    return `a list of at least ${schema.minItems ?? 0}, each ${describeSchema(schema.items)}`;
  if (schema.type === 'object')
    return `a mapping with the keys ${Object.keys(schema.properties ?? {}).join(', ')}`;
  return `${schema.type === 'string' ? 'text' : schema.type}${describeRange(schema)}`;
}

function describeRange(schema: TSchema): string {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum } = schema;
  const bounds = [
    minimum === undefined ? '' : `at least ${minimum}`,
    exclusiveMinimum === undefined ? '' : `above ${exclusiveMinimum}`,
    maximum === undefined ? '' : `at most ${maximum}`,
    exclusiveMaximum === undefined ? '' : `below ${exclusiveMaximum}`,
  ].filter((bound) => bound !== '');
  return bounds.length === 0 ? '' : `, ${bounds.join(', ')}`;
}

/** ajv refuses keywords whose value is undefined. */
function definedOnly(schema: object): object {
  return Object.fromEntries(Object.entries(schema).filter(([, value]) => value !== undefined));
}

/** The deepest error says most; of those at one place, a failed alternative says more than each of its branches. */
function mostTelling(errors: readonly ErrorObject[]): ErrorObject {
  const rank = ({ keyword, schemaPath }: ErrorObject): number => {
    if (keyword === 'anyOf') return 1;
    return ['type', 'const', 'enum'].includes(keyword) && schemaPath.includes('/anyOf/') ? 2 : 0;
  };
  const depth = ({ instancePath }: ErrorObject): number => instancePath.split('/').length;
  return [...errors].sort((a, b) => depth(b) - depth(a) || rank(a) - rank(b))[0]!;
}

function explain(error: ErrorObject): SchemaProblem {
  const path = error.instancePath.split('/').slice(1).map(decodeKey);
  const schema = error.parentSchema as TSchema;
  const allowed = describeSchema(schema);
  if (error.keyword === 'additionalProperties') {
    const key: string = error.params.additionalProperty;
    const keys = Object.keys(schema.properties ?? {});
    return { path, key, text: unknownName('key', key, keys).message, allowed: '' };
  }
  if (error.keyword === 'required') {
    return { path, text: `the key '${error.params.missingProperty}' is missing`, allowed };
  }
  return { path, text: `${JSON.stringify(error.data)} is not acceptable`, allowed };
}

function decodeKey(key: string): string | number {
  if (/^\d+$/.test(key)) return Number(key);
  return key.replaceAll('~1', '/').replaceAll('~0', '~');
}
