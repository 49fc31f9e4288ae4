import type { TObject } from '@sinclair/typebox';
import { lowestFit } from '../arena/entry-map/fit.js';
import type { ArenaView } from '../arena/view.js';
import { type Address, NO_ADDRESS } from '../core/address.js';
import { REQUEST_CLASS_NAMES, RequestClass, UNCONSTRAINED } from '../core/request.js';
import { Simulation } from '../core/simulation.js';
import { type Bytes, roundUp } from '../core/units.js';
import { Blame } from './blame.js';
import type { Backend, BackendDefinition, BackendEnvironment, Parameters } from './contract.js';
import { GuardedBackend } from './guarded-backend.js';
import { requireConstraints } from './placement.js';

/** What a backend of the user's must have: the rest of Backend is filled in where it is left out. */
export interface UserBackend
  extends Pick<Backend, 'serves' | 'alloc' | 'free'>,
    Partial<
      Pick<Backend, 'footprint' | 'reap' | 'check' | 'rootsOf' | 'workDone' | 'act' | 'stacks' | 'extents'>
    > {
  /** Its arenas; without them one is kept for it from its answers, and `range` is required. */
  readonly arenas?: readonly ArenaView[];
  /** The addresses that it manages; `base` is the first, `size` their number. */
  readonly range?: { readonly base: Address; readonly size: Bytes };
  /** Bytes of its bookkeeping, for a backend without arenas. */
  metadataBytes?(): Bytes;
}

/** What `create` of a user's backend gets: all that it needs, so that its file may do without any import. */
export interface UserEnvironment extends BackendEnvironment {
  readonly NO_ADDRESS: typeof NO_ADDRESS;
  readonly UNCONSTRAINED: typeof UNCONSTRAINED;
  readonly RequestClass: typeof RequestClass;
  /**
   * Lowest address in [low, high) that is a multiple of `quantum` (a power of two) at which `size` bytes fit and meet
   * the constraint; NO_ADDRESS if there is none.
   */
  lowestFit(low: Address, high: Address, size: Bytes, quantum: Bytes, constraint: number): Address;
}

/** What a file exports. Everything is an ordinary value: the file needs no import. */
export interface UserBackendDefinition {
  readonly name: string;
  readonly summary: string;
  /** Properties of a JSON Schema, or a whole one; without it there are no parameters. */
  readonly parameters?: Readonly<Record<string, unknown>>;
  create(parameters: Parameters, environment: UserEnvironment): UserBackend;
}

const NAME = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;
const KINDS = ['string', 'number', 'integer', 'boolean'];

const OPTIONAL_METHODS = [
  'footprint',
  'reap',
  'check',
  'rootsOf',
  'workDone',
  'metadataBytes',
  'act',
] as const;

/** Whether a backend of the user's may be called so. */
export function isBackendName(name: unknown): boolean {
  return typeof name === 'string' && name.length <= 64 && NAME.test(name);
}

export const BACKEND_NAME_ALLOWED =
  'lower-case words joined by hyphens, such as my-backend, at most 64 characters';

/**
 * A definition whose backends are complete and guarded, from what a file exports.
 * @throws InputError naming the file, the field that is missing or wrong, and what it may be.
 */
export function completeDefinition(exported: unknown, file: string): BackendDefinition {
  const blame = new Blame(file);
  if (typeof exported !== 'object' || exported === null) {
    throw blame.wrong(
      'export',
      exported,
      'export default { name, summary, create }, or the same as `export const backend`',
    );
  }
  const definition = exported as Partial<UserBackendDefinition>;
  const { name, summary } = definition;
  if (!isBackendName(name)) throw blame.wrong('name', name, BACKEND_NAME_ALLOWED);
  if (typeof summary !== 'string' || summary === '' || summary.includes('\n')) {
    throw blame.wrong('summary', summary, 'one line of text');
  }
  if (typeof definition.create !== 'function') {
    throw blame.wrong('create', definition.create, 'a function of parameters and environment');
  }
  const parameters = completeParameters(definition.parameters, blame);
  const maker = new GuardedMaker(definition as UserBackendDefinition, blame);
  return {
    name: name!,
    summary,
    heldBy: [],
    parameters,
    create: (values, environment) => maker.create(values, environment),
  };
}

/** A schema of an object, from one, from its properties, or from nothing. */
function completeParameters(given: unknown, blame: Blame): TObject {
  if (given !== undefined && (typeof given !== 'object' || given === null || Array.isArray(given))) {
    throw blame.wrong(
      'parameters',
      given,
      'a mapping from names to JSON schemas, or a JSON schema of type object',
    );
  }
  const mapping = (given ?? {}) as Record<string, unknown>;
  const isWhole = mapping.type === 'object' && typeof mapping.properties === 'object';
  const properties = (isWhole ? mapping.properties : mapping) as Record<string, Record<string, unknown>>;
  for (const [name, schema] of Object.entries(properties)) requireParameter(name, schema, blame);
  return { type: 'object', properties, additionalProperties: false } as unknown as TObject;
}

function requireParameter(name: string, schema: Record<string, unknown> | undefined, blame: Blame): void {
  const field = `parameters.${name}`;
  if (typeof schema !== 'object' || schema === null) throw blame.wrong(field, schema, 'a JSON schema');
  const { type, anyOf, default: value, description } = schema;
  if (!Array.isArray(anyOf) && !KINDS.includes(type as string)) {
    throw blame.wrong(`${field}.type`, type, `${KINDS.join(', ')}; or anyOf`);
  }
  if (!['string', 'number', 'boolean'].includes(typeof value)) {
    throw blame.wrong(`${field}.default`, value, 'text, a number or a boolean');
  }
  if (typeof description !== 'string' || description === '') {
    throw blame.wrong(`${field}.description`, description, 'one line of text');
  }
}

/** Builds the backends of one definition and puts a guard around each. */
class GuardedMaker {
  constructor(
    private readonly definition: UserBackendDefinition,
    private readonly blame: Blame,
  ) {}

  create(values: Parameters, environment: BackendEnvironment): GuardedBackend {
    requireConstraints(environment.constraints);
    const { simulation } = environment;
    const before = simulation.locks.byName().size;
    const backend = this.blame.attempt(
      () => 'create',
      () => this.definition.create(values, userEnvironment(environment)),
    );
    requireBackend(backend, this.blame);
    const options = {
      name: this.definition.name,
      blame: this.blame,
      environment,
      makeFresh: () => this.create(values, { ...environment, simulation: new Simulation(simulation.cpus) }),
    };
    return new GuardedBackend(backend, options, simulation.locks.byName().size > before);
  }
}

function userEnvironment(environment: BackendEnvironment): UserEnvironment {
  const { constraints } = environment;
  return {
    ...environment,
    NO_ADDRESS,
    UNCONSTRAINED,
    RequestClass,
    lowestFit(low, high, size, quantum, constraint) {
      if (constraint !== UNCONSTRAINED) return lowestFit(low, high, size, quantum, constraints, constraint);
      const address = roundUp(low, quantum);
      return address + size <= high ? address : NO_ADDRESS;
    },
  };
}

function requireBackend(backend: UserBackend, blame: Blame): void {
  if (typeof backend !== 'object' || backend === null) {
    throw blame.wrong('create: result', backend, '{ serves, range, alloc, free }');
  }
  requireServes(backend.serves, blame);
  for (const method of ['alloc', 'free'] as const) {
    if (typeof backend[method] !== 'function') {
      throw blame.wrong(`create: ${method}`, backend[method], 'a function');
    }
  }
  for (const method of OPTIONAL_METHODS) {
    const value: unknown = backend[method];
    if (value === undefined || typeof value === 'function') continue;
    throw blame.wrong(`create: ${method}`, value, 'a function, or nothing');
  }
  requireArenas(backend, blame);
}

function requireServes(serves: unknown, blame: Blame): void {
  const known = REQUEST_CLASS_NAMES.map((name, cls) => ({ name, cls })).filter(({ name }) => name !== 'task');
  const allowed = `a list of different numbers of ${known.map(({ name, cls }) => `${cls} (${name})`).join(', ')}`;
  if (!Array.isArray(serves) || serves.length === 0 || new Set(serves).size < serves.length) {
    throw blame.wrong('create: serves', serves, allowed);
  }
  const wrong = serves.find((number) => !known.some(({ cls }) => cls === number));
  if (wrong !== undefined) throw blame.wrong('create: serves', wrong, allowed);
}

function requireArenas({ arenas, range }: UserBackend, blame: Blame): void {
  if (arenas !== undefined && !(Array.isArray(arenas) && arenas.length > 0)) {
    throw blame.wrong('create: arenas', arenas, 'a list of at least one ArenaView, or nothing');
  }
  if (arenas !== undefined) return;
  const { base, size } = range ?? {};
  const isRange = Number.isSafeInteger(base) && Number.isSafeInteger(size) && base! >= 0 && size! >= 1;
  if (isRange && base! + size! <= 2 ** 53) return;
  throw blame.wrong('create: range', range, '{ base, size }, integers whose sum is at most 2^53; or arenas');
}
