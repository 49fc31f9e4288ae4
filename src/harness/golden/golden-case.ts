import { existsSync, readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { Type } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import { parse } from 'csv-parse/sync';
import { type AddressRange, AddressSpace } from '../../core/address.js';
import { InputError } from '../../core/errors.js';
import { type CaseOperations, readOperations } from './operations.js';
import { readStackOperations } from './stack-operations.js';

/** An arena as case.json describes it; oracles may have more fields. */
const ArenaRow = Type.Object({
  name: Type.String(),
  base: Type.String({ pattern: '^0x[0-9a-f]{1,16}$' }),
  size: Type.Integer({ minimum: 0, maximum: 2 ** 53 }),
  quantum: Type.Integer({ minimum: 1 }),
  source: Type.Optional(Type.Union([Type.String(), Type.Null()])),
  qcache_max: Type.Optional(Type.Number({ minimum: 0 })),
  flags: Type.Optional(Type.String()),
  import: Type.Optional(Type.String()),
  import_gran: Type.Optional(Type.Number({ minimum: 0 })),
  import_granule: Type.Optional(Type.Integer({ minimum: 0 })),
  largeimport: Type.Optional(Type.Boolean()),
});

const Hex = Type.String({ pattern: '^0x[0-9a-f]{1,16}$' });

/** An arena that is a window on the kernel's one set of free ranges; what its numbers mean is known to the oracle. */
const WindowRow = Type.Object({
  name: Type.String(),
  vmalloc_start: Hex,
  vmalloc_end: Hex,
  initial_free: Type.Tuple([Hex, Hex]),
});

const CaseFile = Type.Object({
  oracle: Type.String(),
  case: Type.Optional(Type.String()),
  exercises: Type.Optional(Type.String()),
  ncpus: Type.Optional(Type.Number({ minimum: 1 })),
  arenas: Type.Optional(Type.Array(ArenaRow)),
  /** A kernel whose arenas are maps describes those instead; what they start from is known to the oracle. */
  maps: Type.Optional(Type.Array(Type.Object({ name: Type.String() }))),
  /** Kernel stacks have neither: one list of operations is replayed under several layouts. */
  variants: Type.Optional(Type.Array(Type.String())),
});

/** An arena given by its bounds; `max` is exclusive. */
const Bounds = Type.Object({
  min: Type.String({ pattern: '^0x[0-9a-f]{1,16}$' }),
  max: Type.String({ pattern: '^0x[0-9a-f]{1,16}$' }),
});
const BoundedArenas = Type.Object({ arenas: Type.Array(Type.Object({})) });

const WindowCaseFile = Type.Composite([
  Type.Omit(CaseFile, ['arenas', 'maps']),
  Type.Object({ arenas: Type.Array(WindowRow) }),
]);

export type CaseArena = (typeof ArenaRow)['static'];
export type CaseWindow = (typeof WindowRow)['static'];

/** A row of a table of a case, by column name. */
export type TableRow = Readonly<Record<string, string>>;

/** One golden case: a directory in the form of golden/FORMAT.md. Files are read when first asked for. */
export class GoldenCase {
  readonly directory: string;
  readonly name: string;
  /** Name of the oracle whose C code produced the vectors. */
  readonly oracle: string;
  readonly exercises: string;
  readonly cpus: number;
  readonly arenas: readonly CaseArena[];
  /** Arenas that are windows on one set of free ranges. */
  readonly windows: readonly CaseWindow[];
  /** Names of the maps of a case that has maps instead, and of its windows. */
  readonly maps: readonly string[];
  /** Names of the layouts of a case that replays its operations under several. */
  readonly variants: readonly string[];
  /** case.json whole, for what only one oracle knows. */
  readonly description: Readonly<Record<string, unknown>>;
  private loadedOperations: CaseOperations | undefined;

  /** @throws InputError when case.json is missing or not in the form of FORMAT.md. */
  constructor(directory: string) {
    this.directory = directory;
    this.name = basename(directory);
    const file = join(directory, 'case.json');
    const raw = parseJson(file);
    const isWindowed = hasWindows(raw);
    const description = isWindowed ? raw : withBases(raw);
    const schema = isWindowed ? WindowCaseFile : CaseFile;
    if (!Value.Check(schema, description)) {
      const error = Value.Errors(schema, description).First();
      throw new InputError(error?.message ?? 'not a golden case', { file, field: error?.path ?? '' });
    }
    const { arenas, maps, variants } = description as (typeof CaseFile)['static'];
    if (arenas === undefined && maps === undefined && variants === undefined) {
      throw new InputError('no arenas', { file, field: 'arenas', allowed: 'arenas, or maps, or variants' });
    }
    this.description = description;
    this.oracle = description.oracle;
    this.exercises = description.exercises ?? '';
    this.cpus = description.ncpus ?? 1;
    this.arenas = isWindowed ? [] : (arenas ?? []);
    this.windows = isWindowed ? raw.arenas : [];
    this.maps = [...this.windows, ...(maps ?? [])].map(({ name }) => name);
    this.variants = variants ?? [];
    const repeated = this.arenaNames.find((name, index, names) => names.indexOf(name) !== index);
    if (repeated !== undefined) {
      throw new InputError(`two arenas are named '${repeated}'`, { file, field: 'arenas' });
    }
  }

  /** Names of the arenas that operations and tables may speak of: the case's own, and those of the oracle's kernel. */
  get arenaNames(): readonly string[] {
    const builtin = this.description.builtin_arenas;
    const own = [...this.arenas.map(({ name }) => name), ...this.maps, ...this.variants];
    return [...own, ...(Array.isArray(builtin) ? builtin.map(String) : [])];
  }

  get operations(): CaseOperations {
    this.loadedOperations ??= this.variants.length > 0 ? readStackOperations(this) : readOperations(this);
    return this.loadedOperations;
  }

  /**
   * Address numbers that hold every span of the case, those added by `add` operations included.
   * @throws InputError when a span ends above 2^64, or when they lie too far apart.
   */
  spaceFor(added: readonly AddressRange[]): AddressSpace {
    const own = this.arenas
      .filter((arena) => arena.size > 0)
      .map(({ base, size }) => ({ start: BigInt(base), end: BigInt(base) + BigInt(size) }));
    try {
      return AddressSpace.covering([...own, ...added]);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      throw new InputError(error.message, { file: this.path('case.json'), field: 'arenas' });
    }
  }

  path(file: string): string {
    return join(this.directory, file);
  }

  has(file: string): boolean {
    return existsSync(this.path(file));
  }

  /** @throws InputError when the file is missing. */
  require(file: string): void {
    if (!this.has(file))
      throw new InputError('file of the golden case is missing', { file: this.path(file) });
  }

  /** Text of a file, unpacked if its name ends in .gz. @throws InputError when it cannot be read. */
  text(file: string): string {
    const path = this.path(file);
    this.require(file);
    const bytes = readFileSync(path);
    try {
      return (file.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8');
    } catch (error) {
      throw new InputError(`cannot be unpacked (${(error as Error).message})`, { file: path });
    }
  }

  /** Rows of a CSV file by column name. */
  table(file: string): readonly TableRow[] {
    try {
      return parse(this.text(file), { columns: true });
    } catch (error) {
      if (error instanceof InputError) throw error;
      throw new InputError(`not a CSV table (${(error as Error).message})`, { file: this.path(file) });
    }
  }
}

/** The description with `base` and `size` for each arena that is given by `min` and `max`, as the arenas of maps are. */
function withBases(description: unknown): unknown {
  if (!Value.Check(BoundedArenas, description)) return description;
  const arenas = description.arenas.map((arena) => {
    if (!Value.Check(Bounds, arena)) return arena;
    return { base: arena.min, size: Number(BigInt(arena.max) - BigInt(arena.min)), ...arena };
  });
  return { ...description, arenas };
}

/** Whether the arenas are windows, which their set of free ranges tells. */
function hasWindows(description: unknown): description is (typeof WindowCaseFile)['static'] {
  const { arenas } = (description ?? {}) as { arenas?: unknown };
  return Array.isArray(arenas) && arenas.some((arena) => Object.hasOwn(Object(arena), 'initial_free'));
}

function parseJson(file: string): unknown {
  if (!existsSync(file) || !statSync(file).isFile()) {
    throw new InputError('no golden case here: case.json is missing', { file });
  }
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new InputError(`not JSON (${(error as Error).message})`, { file });
  }
}
