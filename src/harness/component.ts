import { basename, extname } from 'node:path';
import { InputError, type InputPlace } from '../core/errors.js';
import type { Phase } from '../workload/combination.js';
import {
  type ComponentParameters,
  isPath,
  type ParameterContext,
  type RawParameters,
  readParameters,
  typedFromText,
} from './parameters.js';
import { type Definition, findDefinition } from './registries.js';

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
  /** Parts of a combination of workloads. */
  readonly parts?: readonly ComponentPart[];
  /** The workload file that it was read from: its own name, and the digest of its bytes. */
  readonly file?: { readonly name: string; readonly sha256: string };
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

/** Fills in a choice. @throws InputError for an unknown name or bad parameters. */
export function readComponent(
  kind: 'workload' | 'backend',
  request: ComponentRequest,
  definitions: readonly Definition[],
  context: ParameterContext,
): Component {
  const definition = findDefinition(kind, request.name, definitions, context.place(kind));
  const parameters = readParameters(
    `${kind} '${definition.name}'`,
    definition.parameters,
    request.parameters,
    context,
  );
  return {
    name: definition.name,
    label: request.label ?? defaultLabel(definition, request.parameters),
    parameters,
  };
}

/**
 * Reads `name:key=value,key=value` as the options -b and -w take it.
 * @throws InputError for a malformed list, an unknown name or bad parameters.
 */
export function parseComponent(
  kind: 'workload' | 'backend',
  text: string,
  definitions: readonly Definition[],
  folder: string,
): Component {
  const field = kind === 'backend' ? '-b' : '-w';
  const { name, list } = splitComponent(text);
  const definition = findDefinition(kind, name, definitions, { field });
  const pairs = list === undefined ? {} : parsePairs(list, { field });
  const place = (parameter: string): InputPlace => ({
    field: parameter === '' ? field : `${field} ${parameter}`,
  });
  const parameters = typedFromText(definition.parameters, pairs);
  return readComponent(kind, { name, parameters }, definitions, { folder, place });
}

/** The name and, if there is one, the list of parameters of `name:key=value,key=value`. */
export function splitComponent(text: string): { readonly name: string; readonly list?: string } {
  const colon = text.indexOf(':');
  return colon < 0 ? { name: text } : { name: text.slice(0, colon), list: text.slice(colon + 1) };
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

/** A file's base name where the workload reads one, else the registry's name; then the parameters that were given. */
function defaultLabel(definition: Definition, raw: RawParameters): string {
  const { properties } = definition.parameters;
  const path = Object.keys(raw).find((name) => isPath(properties[name]));
  const base = path === undefined ? definition.name : basename(String(raw[path]), extname(String(raw[path])));
  const given = Object.entries(raw).filter(([name]) => name !== path);
  return given.length === 0 ? base : `${base}:${given.map(([name, value]) => `${name}=${value}`).join(',')}`;
}
