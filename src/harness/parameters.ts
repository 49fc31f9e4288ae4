import { basename } from 'node:path';
import type { TObject, TSchema } from '@sinclair/typebox';
import { InputError, type InputPlace } from '../core/errors.js';
import { unknownName } from '../core/suggest.js';
import { parseBytes, parseDuration } from '../core/units.js';
import { fileOrShippedTrace } from './catalogue.js';
import { describeSchema, schemaProblem } from './schema-check.js';

/** A value of a parameter; a list is written `a+b` where a suite is not at hand. */
export type ParameterValue = string | number | boolean | readonly string[];

/** Parameters checked and complete. */
export type ComponentParameters = Readonly<Record<string, ParameterValue>>;

/** Parameters as a user wrote them, before defaults. */
export type RawParameters = Readonly<Record<string, unknown>>;

/** What is needed to read parameters besides their schema. */
export interface ParameterContext {
  /** Relative values of format `path` are resolved against this folder; a shipped trace has a name too. */
  readonly folder: string;
  /** Where a parameter was written; '' asks for the place of the whole. */
  place(parameter: string): InputPlace;
}

/**
 * Checks parameters against their schema, turns lengths (`format: 'bytes'`) and durations (`format: 'duration'`) into
 * numbers and paths into absolute ones, and fills in defaults.
 * @throws InputError that names the parameter and what is allowed.
 */
export function readParameters(
  owner: string,
  schema: TObject,
  raw: RawParameters,
  context: ParameterContext,
): ComponentParameters {
  const known = Object.keys(schema.properties);
  for (const name of Object.keys(raw)) {
    if (!known.includes(name)) {
      if (known.length === 0) throw new InputError(`${owner} has no parameters`, context.place(name));
      throw unknownName(`parameter of ${owner}`, name, known, context.place(name));
    }
  }
  const values: Record<string, ParameterValue> = {};
  for (const name of known) {
    const property = schema.properties[name]!;
    const value = raw[name] ?? property.default;
    if (value !== undefined) values[name] = readValue(property, value, context, name);
    else if (schema.required?.includes(name)) {
      const place = { ...context.place(''), allowed: describeSchema(property) };
      throw new InputError(`${owner} needs the parameter '${name}'`, place);
    }
  }
  return values;
}

/** Between the values of a parameter that is given several on a command line. */
const VALUE_SEPARATOR = '|';

/**
 * Values of a `key=value` list in the types that the schema wants; text that does not fit stays text, and `a|b` becomes
 * a list of values to sweep over.
 */
export function typedFromText(schema: TObject, texts: Readonly<Record<string, string>>): RawParameters {
  const entries = Object.entries(texts).map(([name, text]): [string, unknown] => {
    const property = schema.properties[name];
    if (property === undefined) return [name, text];
    const values = text.split(VALUE_SEPARATOR).map((value) => typedValue(property, value));
    return [name, values.length === 1 ? values[0] : values];
  });
  return Object.fromEntries(entries);
}

/** Whether a parameter of this schema is a file that the workload reads. */
export function isPath(property: TSchema | undefined): boolean {
  return property?.format === 'path';
}

/** Parameters without what differs from machine to machine: of a path the base name is left. */
export function portableParameters(schema: TObject, parameters: ComponentParameters): ComponentParameters {
  const entries = Object.entries(parameters).map(([name, value]): [string, ParameterValue] => [
    name,
    isPath(schema.properties[name]) ? basename(String(value)) : value,
  ]);
  return Object.fromEntries(entries);
}

function typedValue(property: TSchema, text: string): unknown {
  const kinds = schemaTypes(property);
  if (kinds.includes('boolean') && (text === 'true' || text === 'false')) return text === 'true';
  if (kinds.includes('array')) return text.split('+');
  const numeric = !kinds.includes('string') && (kinds.includes('integer') || kinds.includes('number'));
  if (numeric && text.trim() !== '' && !Number.isNaN(Number(text))) return Number(text);
  return text;
}

/** Type names that a schema admits, through unions. */
export function schemaTypes(property: TSchema): readonly string[] {
  if (Array.isArray(property.anyOf)) return property.anyOf.flatMap((branch: TSchema) => schemaTypes(branch));
  if (property.const !== undefined)
    return [typeof property.const === 'number' ? 'number' : typeof property.const];
  return [property.type];
}

function readValue(
  property: TSchema,
  value: unknown,
  context: ParameterContext,
  name: string,
): ParameterValue {
  const place = { field: name, ...context.place(name) };
  const parse = quantityParser(property);
  const isQuantity = parse !== undefined && (typeof value === 'string' || typeof value === 'number');
  const typed = isQuantity ? parse(value, place) : value;
  if (typeof typed === 'number' && Math.abs(typed) > 2 ** 53) {
    throw new InputError(`${typed} is above 2^53, so not exact`, {
      ...place,
      allowed: 'the number in quotes',
    });
  }
  const problem = schemaProblem(isQuantity ? numericSchema(property) : property, typed);
  if (problem !== undefined) throw new InputError(problem.text, { ...place, allowed: problem.allowed });
  if (isPath(property)) return fileOrShippedTrace(String(typed), context.folder);
  return typed as ParameterValue;
}

/** What reads values of this schema that have a unit. */
function quantityParser(property: TSchema): typeof parseBytes | undefined {
  if (property.format === 'bytes') return parseBytes;
  return property.format === 'duration' ? parseDuration : undefined;
}

/** The schema of a length or duration once it is a number, whatever notation the definition admits. */
function numericSchema(property: TSchema): object {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf } = property;
  return { type: 'integer', minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf };
}
