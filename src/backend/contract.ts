import type { TObject } from '@sinclair/typebox';
import type { ArenaView, ExtentView, StackView } from '../arena/view.js';
import type { Address } from '../core/address.js';
import type { ConstraintTable } from '../core/request.js';
import type { Simulation } from '../core/simulation.js';
import type { Bytes } from '../core/units.js';
import type { GuestView } from './guest-view.js';
import type { SegkpView } from './segkp-view.js';

/**
 * What a user compares: a configured stack of arena models that serves request classes.
 *
 * The caller keeps what it was given: a free passes the class, address, size and constraint of its allocation, and
 * each live allocation is freed at most once. Sizes are integers from 1 to 2^53, `cpu` is below the simulation's
 * number. Backends trust these (the request port checks them), and allocate nothing per call.
 */
export interface Backend {
  /** RequestClass numbers that it serves. */
  readonly serves: readonly number[];
  /** Its arenas, sources before those that import from them. */
  readonly arenas: readonly ArenaView[];
  /** Only of backends that model kernel stacks down to their pages. */
  readonly stacks?: StackView;
  /** Only of backends that know whose the pages of each superpage of their address space are. */
  readonly extents?: ExtentView;
  /** Only of backends that set thread stacks against the kernel's heap. */
  readonly segkp?: SegkpView;
  /** Only of backends whose guests get kernel addresses. */
  readonly guests?: GuestView;
  /**
   * The arenas without a source, among `arenas`, whose address space requests of a class get in the end; probes of
   * refusals and of unusable free space look there. Without it, they look at every arena without a source.
   */
  rootsOf?(cls: number): readonly ArenaView[];
  /**
   * Searches and lookups of all arenas together so far, in O(1): asked for around every request. Without it, they are
   * added up arena by arena.
   */
  workDone?(): number;
  /**
   * Serves one request and returns the first byte's address, or NO_ADDRESS when it is exhausted. `constraint` is a
   * row of the environment's table or UNCONSTRAINED.
   */
  alloc(cls: number, size: Bytes, constraint: number, cpu: number): Address;
  free(cls: number, address: Address, size: Bytes, constraint: number, cpu: number): void;
  /**
   * Does something else to a live object, for backends that model it: `op` is one of RequestOp from swapOut to
   * deflate, `amount` the bytes concerned. Without it such events are counted and left out.
   */
  act?(op: number, cls: number, address: Address, size: Bytes, amount: Bytes, cpu: number): void;
  /** Bytes set aside for a request of this class and size: the rounding that internal fragmentation counts. */
  footprint(cls: number, size: Bytes): Bytes;
  /**
   * Unmapped bytes beside each object of a class, part of its footprint: in front of the object where it is negative, else
   * behind its last page. Without it, there are none.
   */
  guardBytes?(cls: number): Bytes;
  /** Gives back what its caches hold beyond the need of live objects, as memory pressure would. */
  reap(): void;
  /** Checks every invariant of every arena. @throws InvariantError */
  check(): void;
  /**
   * Called once, when a run has ended and its figures have been read: a last look that may free what is live.
   * @throws InputError where a backend of the user's leaks.
   */
  finish?(): void;
}

/** What a backend is built in: the clock to hang timers on, and the workload's constraint table. */
export interface BackendEnvironment {
  readonly simulation: Simulation;
  readonly constraints: ConstraintTable;
}

/** Values of a backend's parameters, validated and with defaults filled in. */
export type Parameters = Readonly<Record<string, string | number | boolean>>;

/** The file of the user's that a backend came from. */
export interface BackendFile {
  /** Absolute. */
  readonly path: string;
  /** Of its contents, in hex; what it imports is not covered. */
  readonly sha256: string;
}

/** A promise of the contract that is not kept, rightly. */
export interface ConformanceException {
  /** Its name in src/conformance/promises.ts. */
  readonly promise: string;
  readonly reason: string;
}

/** A backend in the registry. The name is the file's name. */
export interface BackendDefinition {
  readonly name: string;
  /** Where it was loaded from; backends that are shipped have none. */
  readonly file?: BackendFile;
  /** One line for `kvabench list`. */
  readonly summary: string;
  /** Oracles whose golden cases hold the models behind it, for example `illumos-vmem`; comparators have none. */
  readonly heldBy: readonly string[];
  /** Promises of the contract that the kernel which it models does not keep, at least with default parameters. */
  readonly exceptions?: readonly ConformanceException[];
  /**
   * JSON Schema of the parameters, each with a default and a description. Lengths are parameters whose schema says
   * `format: 'bytes'`; they may be written `64KiB` and reach `create` as numbers.
   */
  readonly parameters: TObject;
  create(parameters: Parameters, environment: BackendEnvironment): Backend;
}
