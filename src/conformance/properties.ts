import fc from 'fast-check';
import type { BackendDefinition, Parameters } from '../backend/contract.js';
import { type Constraint, REQUEST_CLASS_NAMES, RequestClass, UNCONSTRAINED } from '../core/request.js';
import { KIB, MIB } from '../core/units.js';
import { Client, describeLive } from './client.js';

const ROWS: readonly Constraint[] = [
  { align: 64 * KIB },
  { nocross: 128 * KIB },
  { align: 8 * KIB, phase: 4 * KIB },
];

const operationArbitrary = fc.record({
  isFree: fc.boolean(),
  pick: fc.nat(),
  size: fc.oneof(
    fc.integer({ min: 1, max: 600 }),
    fc.integer({ min: 1, max: 128 * KIB }),
    fc.constant(2 * MIB),
  ),
  cpu: fc.nat({ max: 3 }),
  row: fc.integer({ min: UNCONSTRAINED, max: ROWS.length - 1 }),
});

type Operation = typeof operationArbitrary extends fc.Arbitrary<infer T> ? T : never;

/** Seed 0 stands for this one. */
const FIRST_SEED = 20250102;

/** How many histories are tried, and which. */
export interface PropertyOptions {
  readonly parameters?: Parameters;
  /** Histories to try. */
  readonly histories: number;
  readonly seed?: number;
  /** Whether the shortest history that fails is looked for. */
  readonly shrink?: boolean;
}

/** A history that breaks a backend. */
export class Counterexample extends Error {
  override readonly name = 'Counterexample';

  /** `operations` says what was asked and answered; the last is the one that failed. */
  constructor(
    problem: string,
    readonly operations: readonly string[],
  ) {
    super(problem);
  }
}

/**
 * Whatever is asked of the backend, no answer lies on a live range or breaks its constraint, and invariants and figures
 * hold (Client is the oracle). @throws Counterexample
 */
export function holdsForBackend(definition: BackendDefinition, options: PropertyOptions): void {
  const { parameters = {}, histories, seed = 0, shrink = true } = options;
  const history = fc.array(operationArbitrary, { maxLength: 150, size: 'max' });
  const property = fc.property(history, (operations) =>
    runOperations(definition, parameters, operations, []),
  );
  const { counterexample } = fc.check(property, {
    numRuns: histories,
    seed: FIRST_SEED + seed,
    endOnFailure: !shrink,
  });
  if (counterexample === null) return;
  const log: string[] = [];
  try {
    runOperations(definition, parameters, counterexample[0], log);
  } catch (error) {
    throw new Counterexample(error instanceof Error ? error.message : String(error), log);
  }
  throw new Counterexample('the same history fails once and passes another time', log);
}

/** Runs one history, writing down each operation before it is made and its answer behind it. */
function runOperations(
  definition: BackendDefinition,
  parameters: Parameters,
  operations: readonly Operation[],
  log: string[],
): void {
  const client = new Client(definition, parameters, ROWS);
  for (const operation of operations) runOperation(client, operation, log);
  log.push('check');
  client.check();
  log.push('free everything');
  client.freeAll();
  log.push('check');
  client.check();
}

function runOperation(client: Client, { isFree, pick, size, cpu, row }: Operation, log: string[]): void {
  if (isFree) {
    const live = client.live[pick % Math.max(1, client.live.length)];
    if (live === undefined) return;
    log.push(`free ${describeLive(live)} on CPU ${cpu}`);
    client.free(live, cpu);
    return;
  }
  const { serves } = client.backend;
  const cls = serves[pick % serves.length]!;
  const isBounded = cls === RequestClass.va && size <= 128 * KIB && row !== UNCONSTRAINED;
  const length = cls === RequestClass.kstack ? Math.min(size, 32 * KIB) : size;
  const constraint = isBounded ? ` with ${JSON.stringify(ROWS[row])}` : '';
  log.push(`alloc ${REQUEST_CLASS_NAMES[cls]} ${length}${constraint} on CPU ${cpu}`);
  const live = client.alloc(cls, length, isBounded ? row : UNCONSTRAINED, cpu);
  log.push(`${log.pop()} -> ${live === undefined ? 'refused' : describeLive(live).split(' at ')[1]}`);
}
