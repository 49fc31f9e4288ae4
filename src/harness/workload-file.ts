import { dirname, resolve } from 'node:path';
import { InputError, type InputPlace } from '../core/errors.js';
import { unknownName } from '../core/suggest.js';
import { type Nanoseconds, parseDuration } from '../core/units.js';
import type { Phase } from '../workload/combination.js';
import { fileOrShippedTrace, shippedTrace, shippedTraces, shippedWorkloads } from './catalogue.js';
import {
  type Component,
  type ComponentContext,
  type ComponentPart,
  type ComponentRequest,
  onlyComponent,
  parseComponents,
  parsePairs,
  readComponents,
  splitComponent,
} from './component.js';
import { sha256 } from './digest.js';
import { isPath, type RawParameters, typedFromText } from './parameters.js';
import { type Definition, findDefinition } from './registries.js';
import {
  COMBINATION_SCHEMA,
  type CombinationFile,
  SINGLE_SCHEMA,
  type SingleFile,
} from './workload-schema.js';
import { readInput, requireSchema } from './yaml-file.js';
import { type YamlPath, YamlSource } from './yaml-source.js';

/**
 * Fills in a choice of a workload: by its name in the registry, by the name of a shipped workload file, or by the path
 * of one. Parameters beside a file that has one workload stand instead of the file's. Several values of a parameter
 * give several workloads.
 * @throws InputError for an unknown name, a bad file or bad parameters.
 */
export function readWorkloads(
  request: ComponentRequest,
  definitions: readonly Definition[],
  context: ComponentContext,
): Component[] {
  const path = workloadFile(request.name, definitions, context.folder);
  if (path === undefined) return readComponents('workload', request, definitions, context);
  const file = new WorkloadFile(path, definitions);
  return file.components(request, context);
}

/**
 * Reads `name:key=value,key=value` as -w takes it, where the name may be a file's or a shipped trace's. `field` is the
 * option or positional for messages.
 * @throws InputError for an unknown name, a bad file or bad parameters.
 */
export function parseWorkloads(
  text: string,
  definitions: readonly Definition[],
  folder: string,
  field = '-w',
): Component[] {
  const { name, pairs: list } = splitComponent('workload', text);
  const path = workloadFile(name, definitions, folder);
  if (path === undefined) {
    const known = definitions.some((definition) => definition.name === name);
    const choice = known ? text : replayText(name, list, definitions, field);
    return parseComponents('workload', choice, definitions, folder, field);
  }
  const file = new WorkloadFile(path, definitions);
  const parameters = list === undefined ? {} : file.typed(parsePairs(list, { field }));
  const place = (parameter: string): InputPlace => ({
    field: parameter === '' ? field : `${field} ${parameter}`,
  });
  return file.components({ name, parameters }, { folder, place });
}

/** A shipped trace as the workload that replays it. @throws InputError where there is no trace, or anything, of this name. */
function replayText(
  name: string,
  list: string | undefined,
  definitions: readonly Definition[],
  field: string,
): string {
  if (shippedTrace(name) !== undefined) {
    return `replay:trace=${name}${list === undefined ? '' : `,${list}`}`;
  }
  const known = [...definitions, ...shippedWorkloads(), ...shippedTraces()].map((each) => each.name);
  throw unknownName('workload', name, [...known, 'a path that ends in .yaml'], { field });
}

/** Whether a YAML file describes a workload and not a suite. @throws InputError if it cannot be read or is no YAML. */
export function isWorkloadFile(path: string): boolean {
  const { value } = new YamlSource(readInput('suite', path), path);
  return typeof value === 'object' && value !== null && ('workload' in value || 'parts' in value);
}

/** Path of the file that a workload's name means; undefined for one of the registry or of nothing. */
function workloadFile(name: string, definitions: readonly Definition[], folder: string): string | undefined {
  if (definitions.some((definition) => definition.name === name)) return undefined;
  if (/\.ya?ml$/i.test(name)) return resolve(folder, name);
  return shippedWorkloads().find((file) => file.name === name)?.path;
}

class WorkloadFile {
  private readonly text: string;
  private readonly source: YamlSource;
  private readonly content: SingleFile | CombinationFile;

  /** @throws InputError with file, line and column for what does not fit the schema. */
  constructor(
    private readonly path: string,
    private readonly definitions: readonly Definition[],
  ) {
    this.text = readInput('workload', path);
    this.source = new YamlSource(this.text, path);
    const { value } = this.source;
    const isCombination = typeof value === 'object' && value !== null && 'parts' in value;
    requireSchema(this.source, isCombination ? COMBINATION_SCHEMA : SINGLE_SCHEMA, path);
    this.content = value as SingleFile | CombinationFile;
  }

  /** Values of a `key=value` list in the types of the file's workload. */
  typed(texts: Readonly<Record<string, string>>): RawParameters {
    if ('parts' in this.content) return texts;
    const { workload } = this.content as SingleFile;
    return typedFromText(this.definition(workload, this.source.place(['workload'])).parameters, texts);
  }

  /** The workload of the file, the request's parameters laid over the file's own. */
  components(request: ComponentRequest, context: ComponentContext): Component[] {
    const workloadFile = { name: this.content.name, sha256: sha256(this.text) };
    if ('parts' in this.content) {
      const [first] = Object.entries(request.parameters);
      const label = request.label ?? this.content.name;
      if (first === undefined)
        return [this.combination(this.content as CombinationFile, label, workloadFile)];
      throw new InputError(`workload '${this.content.name}' is a combination, it has no parameters`, {
        ...context.place(first[0]),
      });
    }
    return this.single(request, context).map((component) => ({ ...component, workloadFile }));
  }

  private single(request: ComponentRequest, outer: ComponentContext): Component[] {
    const { name: _name, description: _description, workload, ...own } = this.content as SingleFile;
    const inner = this.context([], 'workload');
    const place = (parameter: string, item?: number): InputPlace =>
      parameter in request.parameters ? outer.place(parameter, item) : inner.place(parameter, item);
    const definition = this.definition(workload, inner.place('workload'));
    // Paths start at the folder of whoever names them, so those of the file are made absolute before the two are mixed.
    const parameters = { ...absolutePaths(definition, own, inner.folder), ...request.parameters };
    const label = request.label ?? this.label(request.parameters);
    return readComponents('workload', { name: workload, label, parameters }, this.definitions, {
      folder: outer.folder,
      place,
    });
  }

  /** The file's own name, and the parameters that stand instead of its own; those with several values come later. */
  private label(given: RawParameters): string {
    const { name } = this.content;
    const single = Object.entries(given).filter(([, value]) => typeof value !== 'object');
    return single.length === 0
      ? name
      : `${name}:${single.map(([key, value]) => `${key}=${value}`).join(',')}`;
  }

  private combination(
    content: CombinationFile,
    label: string,
    workloadFile: Component['workloadFile'],
  ): Component {
    const parts = content.parts.map((part, index): ComponentPart => {
      const path = ['parts', index];
      const { workload, name = workload, start = 0, stop, keep = false, ...parameters } = part;
      this.definition(workload, this.source.place([...path, 'workload']));
      return {
        component: this.part({ name: workload, label: name, parameters }, path),
        phases: this.phases(path, start, stop),
        keep,
      };
    });
    return {
      name: 'combination',
      label,
      parameters: {},
      swept: [],
      parts,
      ...(workloadFile === undefined ? {} : { workloadFile }),
    };
  }

  /** @throws InputError for several values: those multiply the cells of a suite, not the parts of a workload. */
  private part(request: ComponentRequest, path: YamlPath): Component {
    const context = this.context(path, '');
    return onlyComponent(readComponents('workload', request, this.definitions, context), context.place(''));
  }

  private phases(path: YamlPath, start: Times, stop: Times | undefined): Phase[] {
    const starts = this.times([...path, 'start'], start);
    if (stop === undefined) return starts.map((time) => ({ start: time }));
    const stops = this.times([...path, 'stop'], stop);
    if (stops.length !== 1 && stops.length !== starts.length) {
      throw new InputError(`${stops.length} times to stop for ${starts.length} starts`, {
        ...this.source.place([...path, 'stop']),
        field: 'stop',
        allowed: 'one time, or one for each start',
      });
    }
    return starts.map((time, index) => ({ start: time, stop: stops[stops.length === 1 ? 0 : index]! }));
  }

  private times(path: YamlPath, value: Times): Nanoseconds[] {
    const field = String(path.at(-1));
    const read = (time: Time, at: YamlPath): Nanoseconds =>
      parseDuration(time, { ...this.source.place(at), field });
    if (!Array.isArray(value)) return [read(value as Time, path)];
    return (value as readonly Time[]).map((time, index) => read(time, [...path, index]));
  }

  /** Where parameters below `path` stand; the whole is the key `whole`. */
  private context(path: YamlPath, whole: string): ComponentContext {
    return {
      folder: dirname(this.path),
      place: (parameter, item) => {
        const key = parameter === '' ? whole : parameter;
        const at = key === '' ? path : [...path, key];
        return this.source.place(item === undefined ? at : [...at, item]);
      },
    };
  }

  private definition(name: string, place: InputPlace): Definition {
    return findDefinition('workload', name, this.definitions, place);
  }
}

type Time = string | number;
type Times = Time | readonly Time[];

function absolutePaths({ parameters }: Definition, raw: RawParameters, folder: string): RawParameters {
  const entries = Object.entries(raw).map(([name, value]): [string, unknown] => {
    const isFile = isPath(parameters.properties[name]) && typeof value === 'string';
    return [name, isFile ? fileOrShippedTrace(value, folder) : value];
  });
  return Object.fromEntries(entries);
}
