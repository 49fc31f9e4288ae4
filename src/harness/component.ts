import { basename, extname } from 'node:path';
import type { BackendFile } from '../backend/contract.js';
import { InputError, type InputPlace } from '../core/errors.js';
import type { Phase } from '../workload/combination.js';
import { type BackendReference, backendFileReference } from './backend-files.js';
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

/**
 * A workload or backend chosen from its registry, or a combination of workloads, with its parameters complete. Can be
 * sent to a worker.
 */
export interface Component {
  /** Name in the registry; `combination` for what has parts. */
  readonly name: string;
  /** What tables and result files call it. */
  readonly label: string;
  readonly parameters: ComponentParameters;
  /** Names of the parameters that were given several values; each component has one combination of them. */
  readonly swept: readonly string[];
  /** Parts of a combination of workloads. */
  readonly parts?: readonly ComponentPart[];
  /** The workload file that it was read from: its own name, and the digest of its bytes. */
  readonly workloadFile?: { readonly name: string; readonly sha256: string };
  /** Of a backend of the user's: a worker loads it again. */
  readonly file?: BackendFile;
}

/** A part of a combination: its name is the component's label. */
export interface ComponentPart {
  readonly component: Component;
  readonly phases: readonly Phase[];
  readonly keep: boolean;
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
  const definition = findDefinition(kind, request.name, definitions, context.place(kind), context.folder);
  const owner = `${kind} '${definition.name}'`;
  const { swept, points } = spreadOut(definition.parameters, request.parameters, context.place.bind(context));
  return points.map((point) => ({
    name: definition.name,
    label: labelOf(definition, request.label, swept, point),
    parameters: readParameters(owner, definition.parameters, point.raw, contextOf(point, context)),
    swept,
    ...(definition.file === undefined ? {} : { file: definition.file }),
  }));
}

function contextOf(point: SweepPoint, context: ComponentContext): ParameterContext {
  const place = (parameter: string): InputPlace => context.place(parameter, point.items[parameter]);
  return { folder: context.folder, place };
}

/**
 * Reads `name:key=value,key=value` as the options -b and -w take it; a backend may be named by its file. Several values
 * have `|` between them and give several components. `field` is the option for messages; empty for a positional.
 * @throws InputError for a malformed list, an unknown name, bad parameters or too many combinations.
 */
export function parseComponents(
  kind: 'workload' | 'backend',
  text: string,
  definitions: readonly Definition[],
  folder: string,
  field = kind === 'backend' ? '-b' : '-w',
): Component[] {
  const { name, pairs } = splitComponent(kind, text);
  const definition = findDefinition(kind, name, definitions, { field }, folder);
  const place = (parameter: string): InputPlace => ({
    field: parameter === '' ? field : `${field} ${parameter}`.trim(),
  });
  const given = pairs === undefined ? {} : parsePairs(pairs, { field });
  const parameters = typedFromText(definition.parameters, given);
  return readComponents(kind, { name, parameters }, definitions, { folder, place });
}

/** The component of a choice where only one has a place. @throws InputError where a parameter has several values. */
export function onlyComponent(components: readonly Component[], place: InputPlace): Component {
  const [only, ...others] = components;
  if (only !== undefined && others.length === 0) return only;
  throw new InputError(`several values of ${only?.swept.join(', ')}`, { ...place, allowed: 'one value' });
}

/** Cuts `name:key=value,key=value` in two; the name of a backend may be a file's. */
export function splitComponent(kind: 'workload' | 'backend', text: string): BackendReference {
  const file = kind === 'backend' ? backendFileReference(text) : undefined;
  if (file !== undefined) return file;
  const colon = text.indexOf(':');
  if (colon < 0) return { name: text, pairs: undefined };
  return { name: text.slice(0, colon), pairs: text.slice(colon + 1) };
}

/** Reads `key=value,key=value`. @throws InputError for a malformed list or a key given twice. */
export function parsePairs(text: string, place: InputPlace): Record<string, string> {
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
