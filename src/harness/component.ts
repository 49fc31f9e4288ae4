import { basename, extname } from 'node:path';
import { InputError, type InputPlace } from '../core/errors.js';
import {
  type ComponentParameters,
  isPath,
  type ParameterContext,
  type RawParameters,
  readParameters,
  typedFromText,
} from './parameters.js';
import { type Definition, findDefinition } from './registries.js';
import { type SweepPoint, spreadOut } from './sweep.js';

/** A workload or backend chosen from its registry, with its parameters complete. Can be sent to a worker. */
export interface Component {
  /** Name in the registry. */
  readonly name: string;
  /** What tables and result files call it. */
  readonly label: string;
  readonly parameters: ComponentParameters;
  /** Names of the parameters that were given several values; each component has one combination of them. */
  readonly swept: readonly string[];
}

/** A choice as a user wrote it. */
export interface ComponentRequest {
  readonly name: string;
  /** Label of the user's own, or undefined for one made of name and parameters. */
  readonly label?: string | undefined;
  readonly parameters: RawParameters;
}

/** Where a choice was written. */
export interface ComponentContext {
  /** Relative paths are resolved against this folder. */
  readonly folder: string;
  /** Place of a parameter, or of an item of its list; '' asks for the place of the whole. */
  place(parameter: string, item?: number): InputPlace;
}

/**
 * Fills in a choice: one component, or one for each combination of the values of parameters that have several.
 * @throws InputError for an unknown name, bad parameters or too many combinations.
 */
export function readComponents(
  kind: 'workload' | 'backend',
  request: ComponentRequest,
  definitions: readonly Definition[],
  context: ComponentContext,
): Component[] {
  const definition = findDefinition(kind, request.name, definitions, context.place(kind));
  const owner = `${kind} '${definition.name}'`;
  const { swept, points } = spreadOut(definition.parameters, request.parameters, context.place.bind(context));
  return points.map((point) => ({
    name: definition.name,
    label: labelOf(definition, request.label, swept, point),
    parameters: readParameters(owner, definition.parameters, point.raw, contextOf(point, context)),
    swept,
  }));
}

function contextOf(point: SweepPoint, context: ComponentContext): ParameterContext {
  const place = (parameter: string): InputPlace => context.place(parameter, point.items[parameter]);
  return { folder: context.folder, place };
}

/**
 * Reads `name:key=value,key=value` as the options -b and -w take it. Several values have `|` between them and give
 * several components.
 * @throws InputError for a malformed list, an unknown name, bad parameters or too many combinations.
 */
export function parseComponents(
  kind: 'workload' | 'backend',
  text: string,
  definitions: readonly Definition[],
  folder: string,
): Component[] {
  const field = kind === 'backend' ? '-b' : '-w';
  const colon = text.indexOf(':');
  const name = colon < 0 ? text : text.slice(0, colon);
  const definition = findDefinition(kind, name, definitions, { field });
  const pairs = colon < 0 ? {} : parsePairs(text.slice(colon + 1), { field });
  const place = (parameter: string): InputPlace => ({
    field: parameter === '' ? field : `${field} ${parameter}`,
  });
  const parameters = typedFromText(definition.parameters, pairs);
  return readComponents(kind, { name, parameters }, definitions, { folder, place });
}

function parsePairs(text: string, place: InputPlace): Record<string, string> {
  const pairs: Record<string, string> = {};
  for (const pair of text.split(',')) {
    const match = /^([^=]+)=(.*)$/.exec(pair);
    if (match === null) {
      throw new InputError(`'${pair}' is no parameter`, { ...place, allowed: 'name:key=value,key=value' });
    }
    const key = match[1]!.trim();
    if (key in pairs) throw new InputError(`parameter '${key}' is given twice`, place);
    pairs[key] = match[2]!.trim();
  }
  return pairs;
}

/** A user's own label tells the combinations of a sweep apart by the values that vary. */
function labelOf(
  definition: Definition,
  own: string | undefined,
  swept: readonly string[],
  { raw }: SweepPoint,
): string {
  if (own === undefined) return defaultLabel(definition, raw);
  return swept.length === 0 ? own : `${own}:${swept.map((name) => `${name}=${raw[name]}`).join(',')}`;
}

/** A file's base name where the workload reads one, else the registry's name; then the parameters that were given. */
function defaultLabel(definition: Definition, raw: RawParameters): string {
  const { properties } = definition.parameters;
  const path = Object.keys(raw).find((name) => isPath(properties[name]));
  const base = path === undefined ? definition.name : basename(String(raw[path]), extname(String(raw[path])));
  const given = Object.entries(raw).filter(([name]) => name !== path);
  return given.length === 0 ? base : `${base}:${given.map(([name, value]) => `${name}=${value}`).join(',')}`;
}
