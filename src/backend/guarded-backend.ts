import type { ArenaView, ExtentView, StackView } from '../arena/view.js';
import { type Address, AddressSpace, NO_ADDRESS } from '../core/address.js';
import { InputError } from '../core/errors.js';
import type { SimulatedLock } from '../core/locks.js';
import { REQUEST_CLASS_NAMES, REQUEST_OP_NAMES, UNCONSTRAINED } from '../core/request.js';
import type { Bytes } from '../core/units.js';
import { type Blame, inWords } from './blame.js';
import type { Backend, BackendEnvironment } from './contract.js';
import { GuardedArena } from './guarded-arena.js';
import { GuardedExtents, GuardedStacks } from './guarded-views.js';
import { describeRange, LiveRanges, LiveView } from './live-ranges.js';
import { unmetConstraint } from './placement.js';
import type { UserBackend } from './user-backend.js';

const LIMIT = 2 ** 53;

const LEAK = 'it leaks, or its reap keeps what nobody uses';

/** What a guard needs to know of the backend that it guards. */
export interface GuardOptions {
  /** Name of the backend. */
  readonly name: string;
  readonly blame: Blame;
  readonly environment: BackendEnvironment;
  /** Builds the backend anew, in an environment of its own. */
  makeFresh(): GuardedBackend;
}

/**
 * Stands between the harness and a backend of the user's: fills in what the backend leaves out, and holds every answer
 * against what any allocator must do. Not for the backends that are shipped, which the tests hold to the same: it costs
 * a tree of live ranges and objects per request.
 * @throws InputError from any method where the backend throws or breaks the contract, with the file, the operation,
 * the simulated time, the request and the answer.
 */
export class GuardedBackend implements Backend {
  readonly serves: readonly number[];
  readonly arenas: readonly ArenaView[];
  readonly stacks?: StackView;
  readonly extents?: ExtentView;
  /** Only if the backend has it: without it such events are counted as left out. */
  readonly act?: NonNullable<Backend['act']>;
  private readonly live: LiveRanges;
  /** The arena that is kept for a backend without any. */
  private readonly view: LiveView | undefined;
  private readonly guarded: readonly GuardedArena[];
  private readonly initialBytes: readonly Bytes[];
  /** Taken at every operation of a backend that made no lock. */
  private readonly lock: SimulatedLock | undefined;
  /** Allocations and frees that have reached the backend. */
  private operation = 0;

  /** `locks`: whether the backend has made locks of its own. */
  constructor(
    private readonly backend: UserBackend,
    private readonly options: GuardOptions,
    locks: boolean,
  ) {
    const { arenas = [], range } = backend;
    this.serves = [...backend.serves];
    this.guarded = arenas.map((arena) => new GuardedArena(arena, options.blame));
    this.view =
      this.guarded.length > 0 || range === undefined
        ? undefined
        : new LiveView(options.name, range.base, range.size, this.effort());
    this.live = this.view?.live ?? new LiveRanges(0, LIMIT);
    this.arenas = this.view === undefined ? this.guarded : [this.view];
    if (backend.stacks !== undefined) this.stacks = new GuardedStacks(backend.stacks, options.blame);
    if (backend.extents !== undefined) this.extents = new GuardedExtents(backend.extents, options.blame);
    if (backend.act !== undefined) this.act = this.passAction.bind(this);
    this.initialBytes = this.inUseBytes();
    this.lock = locks ? undefined : options.environment.simulation.locks.create(options.name);
  }

  alloc(cls: number, size: Bytes, constraint: number, cpu: number): Address {
    this.operation++;
    this.lock?.acquire();
    const request = (): string => this.describeRequest(cls, size, constraint, cpu);
    const address = this.attempt(request, () => this.backend.alloc(cls, size, constraint, cpu));
    if (address === NO_ADDRESS) {
      this.view?.answered(NO_ADDRESS, 0);
      return address;
    }
    const problem = this.wrongAddress(address, size, constraint);
    if (problem !== '') throw this.broken(`${request()} answered ${describeAnswer(address)}: ${problem}`);
    this.enter(cls, address, size, constraint, request);
    return address;
  }

  free(cls: number, address: Address, size: Bytes, constraint: number, cpu: number): void {
    this.operation++;
    this.lock?.acquire();
    const length = this.live.remove(address);
    this.view?.freed(length);
    this.attempt(
      () =>
        `free ${REQUEST_CLASS_NAMES[cls]} ${size} at ${AddressSpace.canonical.format(address)} on CPU ${cpu}`,
      () => this.backend.free(cls, address, size, constraint, cpu),
    );
  }

  private passAction(
    op: number,
    cls: number,
    address: Address,
    size: Bytes,
    amount: Bytes,
    cpu: number,
  ): void {
    const where = AddressSpace.canonical.format(address);
    this.attempt(
      () => `${REQUEST_OP_NAMES[op]} ${REQUEST_CLASS_NAMES[cls]} ${size} at ${where} on CPU ${cpu}`,
      () => this.backend.act!(op, cls, address, size, amount, cpu),
    );
  }

  /** The request itself, where the backend does not say. */
  footprint(cls: number, size: Bytes): Bytes {
    const { backend } = this;
    if (backend.footprint === undefined) return size;
    const what = (): string => `footprint of ${REQUEST_CLASS_NAMES[cls]} ${size}`;
    const bytes = this.attempt(what, () => backend.footprint!(cls, size));
    if (Number.isInteger(bytes) && bytes >= size && bytes <= LIMIT) return bytes;
    throw this.broken(`${what()} is ${inWords(bytes)}`, `an integer from ${size} up`);
  }

  reap(): void {
    this.attempt(
      () => 'reap',
      () => this.backend.reap?.(),
    );
  }

  check(): void {
    this.attempt(
      () => 'check',
      () => this.backend.check?.(),
    );
    for (const arena of this.arenas) arena.check();
  }

  rootsOf(cls: number): readonly ArenaView[] {
    const { backend, guarded } = this;
    const known = this.arenas.filter(({ source }) => source === null);
    if (this.view !== undefined || backend.rootsOf === undefined) return known;
    const what = (): string => `rootsOf ${REQUEST_CLASS_NAMES[cls]}`;
    const roots: unknown = this.attempt(what, () => backend.rootsOf!(cls));
    const isList = Array.isArray(roots) && roots.every((root) => guarded.some(({ arena }) => arena === root));
    if (!isList) throw this.broken(`${what()} is ${inWords(roots)}`, 'a list of some of its arenas');
    return guarded.filter(({ arena }) => roots.includes(arena));
  }

  workDone(): number {
    const { backend } = this;
    if (backend.workDone !== undefined) return this.amount('workDone', () => backend.workDone!());
    return this.guarded.reduce((sum, { figures }) => sum + figures.searches + figures.lookups, 0);
  }

  /**
   * Frees what is live, then looks for a leak: a backend without caches has in use what it had at the start, and grants
   * the largest request that a new one grants. Smaller leaks of a backend without arenas of its own go unnoticed.
   */
  finish(): void {
    for (const { cls, address, size, constraint } of this.live.all()) {
      this.free(cls, address, size, constraint, 0);
    }
    this.reap();
    if (this.arenas.some(({ caches }) => caches.length > 0)) return;
    for (const [index, bytes] of this.inUseBytes().entries()) {
      const before = this.initialBytes[index]!;
      if (bytes === before) continue;
      const what = `arena '${this.arenas[index]!.name}' has ${bytes} bytes in use, ${before} at the start`;
      throw this.broken(`after everything was freed, and a reap, ${what}: ${LEAK}`);
    }
    const fresh = this.options.makeFresh();
    for (const cls of this.serves) this.requireRoom(cls, fresh.largestGranted(cls));
  }

  /** The largest power of two that is granted; 0 if not even a byte is. Leaves nothing allocated. */
  private largestGranted(cls: number): Bytes {
    for (let size = LIMIT / 2; size >= 1; size /= 2) if (this.grants(cls, size)) return size;
    return 0;
  }

  private grants(cls: number, size: Bytes): boolean {
    const address = this.alloc(cls, size, UNCONSTRAINED, 0);
    if (address === NO_ADDRESS) return false;
    this.free(cls, address, size, UNCONSTRAINED, 0);
    return true;
  }

  private requireRoom(cls: number, size: Bytes): void {
    if (size === 0 || this.grants(cls, size)) return;
    const request = `${REQUEST_CLASS_NAMES[cls]} ${size}`;
    throw this.broken(
      `after everything was freed, and a reap, it refuses ${request}, which a new one grants: ${LEAK}`,
    );
  }

  private inUseBytes(): Bytes[] {
    return this.arenas.map(({ figures }) => figures.inUseBytes);
  }

  /** What the arena that is kept for the backend says of its work and its metadata. */
  private effort(): { workDone(): number; metadataBytes(): Bytes } {
    const { backend } = this;
    return {
      workDone: () => (backend.workDone === undefined ? 0 : this.workDone()),
      metadataBytes: () => this.amount('metadataBytes', () => backend.metadataBytes?.() ?? 0),
    };
  }

  /** What a method of the backend's counts. @throws InputError if that is no integer from 0 up. */
  private amount(method: string, action: () => number): number {
    const value = this.attempt(() => method, action);
    if (Number.isInteger(value) && value >= 0) return value;
    throw this.broken(`${method} is ${inWords(value)}`, 'an integer from 0 up');
  }

  /** What is wrong with an answer by itself; '' if nothing is. */
  private wrongAddress(address: unknown, size: Bytes, constraint: number): string {
    const { base, size: bytes } = this.view === undefined ? { base: 0, size: LIMIT } : this.backend.range!;
    if (!Number.isInteger(address)) return `that is no address, nor NO_ADDRESS (${NO_ADDRESS})`;
    const start = address as number;
    if (start < base || start + size > base + bytes) {
      const { canonical } = AddressSpace;
      return `that is not within ${canonical.format(base)}..${canonical.format(base + bytes)}`;
    }
    if (constraint === UNCONSTRAINED) return '';
    return unmetConstraint(this.options.environment.constraints, constraint, start, size);
  }

  /** Enters an answer among the live ranges: with its footprint where no arena of the backend's own tells it. */
  private enter(cls: number, address: Address, size: Bytes, constraint: number, request: () => string): void {
    const length = this.view === undefined ? size : this.footprint(cls, size);
    const other = this.live.overlapping(address, address + length);
    if (other !== undefined) {
      const rounded = length === size ? '' : ` (with its footprint of ${length} bytes)`;
      const answer = AddressSpace.canonical.format(address);
      throw this.broken(
        `${request()} answered ${answer}: it overlaps${rounded} the live ${describeRange(other)}`,
      );
    }
    if (this.view !== undefined && address + length > this.backend.range!.base + this.backend.range!.size) {
      throw this.broken(`${request()}: its footprint of ${length} bytes ends above the range`);
    }
    this.live.enter({ address, cls, size, constraint, operation: this.operation }, length);
    this.view?.answered(address, length);
  }

  private describeRequest(cls: number, size: Bytes, constraint: number, cpu: number): string {
    const plain = `alloc ${REQUEST_CLASS_NAMES[cls]} ${size} on CPU ${cpu}`;
    if (constraint === UNCONSTRAINED) return plain;
    const { align, phase, nocross, minAddress, maxAddress } = this.options.environment.constraints;
    const columns = { align, phase, nocross, minAddress, maxAddress };
    const given = Object.entries(columns).filter(([, column]) => column[constraint] !== 0);
    return `${plain} with ${given.map(([name, column]) => `${name}=${column[constraint]}`).join(' ')}`;
  }

  private attempt<T>(what: () => string, action: () => T): T {
    return this.options.blame.attempt(() => `${this.when()}: ${what()}`, action);
  }

  private broken(problem: string, allowed?: string): InputError {
    const place = { file: this.options.blame.file, ...(allowed === undefined ? {} : { allowed }) };
    return new InputError(`${this.when()}: ${problem}`, place);
  }

  private when(): string {
    const { name, environment } = this.options;
    return `backend '${name}', operation ${this.operation} at ${environment.simulation.now} ns`;
  }
}

function describeAnswer(answer: unknown): string {
  const isAddress = Number.isInteger(answer) && (answer as number) >= 0 && (answer as number) <= LIMIT;
  return isAddress ? AddressSpace.canonical.format(answer as number) : inWords(answer);
}
