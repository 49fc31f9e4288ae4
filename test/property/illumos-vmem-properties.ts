import fc from 'fast-check';
import { GoldenCase } from '../../src/harness/golden/golden-case.js';
import { findOracle } from '../../src/harness/golden/registry.js';
import { verifyCase } from '../../src/harness/golden/verify.js';
import {
  arenaOf,
  type CaseScript,
  operationOf,
  withTemporaryDirectory,
  writeReferenceCase,
} from '../support/reference-case.js';
import type { ArenaDescription, CaseOperation } from '../support/reference-system.js';

const TOP = 2n ** 64n;

/** Quanta of the longest span. */
const SPAN_QUANTA = 64;

/**
 * Where spans of at most 64 quanta of at most 2^30 bytes go; none overlap. Each is a place that a number
 * representation may get wrong.
 */
export const PLACES: Readonly<Record<string, (bytes: bigint, quantum: bigint) => bigint>> = {
  lowest: (_bytes, quantum) => quantum,
  endsAt2to47: (bytes) => 2n ** 47n - bytes,
  endsAt2to53: (bytes) => 2n ** 53n - bytes,
  beyond2to53: (_bytes, quantum) => 2n ** 53n + quantum,
  endsAt2to63: (bytes) => 2n ** 63n - bytes,
  beginsAt2to63: () => 2n ** 63n,
  la57: () => 0xff10_0000_0000_0000n,
  kernelHalf: () => 0xffff_8000_0000_0000n,
  endsAtTop: (bytes) => TOP - bytes,
};

/** As `endsAt2to63` and `beginsAt2to63` at once, in one span. */
const across2to63 = (bytes: bigint, quantum: bigint) => 2n ** 63n - up(bytes / 2n, quantum);

export interface SpanPlan {
  readonly place: keyof typeof PLACES;
  readonly quanta: number;
}

/** An arena that imports: from the arena `back` places before the one before it, or the first. */
export interface ChildPlan {
  readonly back: number;
  readonly kind: Exclude<ArenaDescription['import'], 'none'>;
  /** Its quantum is the source's shifted right by this. */
  readonly finer: number;
  readonly cachedQuanta: number;
  readonly uncached: boolean;
  readonly granules: number;
}

/** One step; numbers are taken modulo what there is to choose from. */
export interface Step {
  readonly kind: 'alloc' | 'xalloc' | 'free' | 'add' | 'update' | 'reap' | 'qreap' | 'cpu';
  readonly pick: number;
  readonly quanta: number;
  /** Taken off the size, as a fraction of the quantum in 64ths. */
  readonly short: number;
  readonly flags: string;
  readonly constraint: ConstraintPlan;
}

export interface ConstraintPlan {
  readonly alignPower: number;
  readonly phase: number;
  /** 0 = none, else the smallest that is allowed, shifted left by this − 1. */
  readonly nocross: number;
  /** Bounds in quanta from a span's base; 0 = none. */
  readonly min: number;
  readonly max: number;
  /** Bytes added to both bounds. */
  readonly odd: number;
}

export interface Scenario {
  readonly quantumPower: number;
  readonly across: boolean;
  readonly spans: readonly SpanPlan[];
  readonly rootCachedQuanta: number;
  readonly children: readonly ChildPlan[];
  readonly cpus: number;
  readonly autoReap: boolean;
  readonly steps: readonly Step[];
}

function up(value: bigint, unit: bigint): bigint {
  return ((value + unit - 1n) / unit) * unit;
}

interface Span {
  readonly base: bigint;
  readonly size: bigint;
}

/** Turns a scenario into the operations of a case, following what is live. */
class Player {
  readonly arenas: ArenaDescription[] = [];
  private readonly spans: Span[];
  private addedSpans = 1;
  private nextId = 0;
  private readonly live: { readonly id: number; readonly arena: string; readonly op: 'free' | 'xfree' }[] =
    [];

  constructor(private readonly scenario: Scenario) {
    const quantum = 2n ** BigInt(scenario.quantumPower);
    this.spans = scenario.spans.map(({ place, quanta }) => {
      const size = BigInt(quanta) * quantum;
      const isAcross = scenario.across && place === 'beginsAt2to63';
      return { base: (isAcross ? across2to63 : PLACES[place]!)(size, quantum), size };
    });
    const first = this.spans[0]!;
    this.arenas.push(
      arenaOf({
        name: 'root',
        base: `0x${first.base.toString(16)}`,
        size: Number(first.size),
        quantum: Number(quantum),
        qcache_max: Number(quantum) * scenario.rootCachedQuanta,
      }),
    );
    scenario.children.forEach((child, index) => {
      this.arenas.push(this.childArena(child, index));
    });
  }

  *operations(): Generator<CaseOperation, void, string> {
    for (const step of this.scenario.steps) {
      const operation = this.operationFor(step);
      if (operation === null) continue;
      const result = yield operation;
      if (operation.id < 0 || result === '' || result === 'ENOMEM') continue;
      const op = operation.op === 'alloc' ? 'free' : 'xfree';
      this.live.push({ id: operation.id, arena: operation.arena, op });
    }
  }

  private childArena(child: ChildPlan, index: number): ArenaDescription {
    const source = this.arenas[Math.max(0, this.arenas.length - 1 - child.back)]!;
    const quantum = Math.max(1, source.quantum / 2 ** child.finer);
    return arenaOf({
      name: `child${index}`,
      quantum,
      source: source.name,
      import: child.kind,
      qcache_max: child.cachedQuanta * quantum,
      flags: child.uncached ? 'NO_QCACHE' : '',
      import_gran: child.kind.startsWith('xgran') ? child.granules * source.quantum : 0,
    });
  }

  private operationFor(step: Step): CaseOperation | null {
    const arena = this.arenas[step.pick % this.arenas.length]!;
    switch (step.kind) {
      case 'free': {
        if (this.live.length === 0) return null;
        const [object] = this.live.splice(step.pick % this.live.length, 1);
        return operationOf(object!);
      }
      case 'add': {
        const span = this.spans[this.addedSpans++];
        return span === undefined
          ? null
          : operationOf({ op: 'add', arena: 'root', size: span.size, min: span.base });
      }
      case 'cpu':
        return operationOf({ op: 'cpu', size: BigInt(step.pick % this.scenario.cpus) });
      case 'qreap':
        return operationOf({ op: 'qreap', arena: arena.name });
      case 'update':
      case 'reap':
        return operationOf({ op: step.kind });
      default:
        return this.request(step.kind, step, arena);
    }
  }

  private request(op: 'alloc' | 'xalloc', step: Step, arena: ArenaDescription): CaseOperation {
    const quantum = BigInt(arena.quantum);
    // Instant fit from the end of a segment is defined for whole quanta only (specification §16.17).
    const short = step.flags.includes('ENDALLOC') ? 0n : (quantum * BigInt(step.short)) / 64n;
    const size = BigInt(step.quanta) * quantum - short;
    const request = operationOf({ op, arena: arena.name, id: this.nextId++, size, flags: step.flags });
    if (op === 'alloc') return request;
    const { alignPower, nocross, min, max, odd } = step.constraint;
    const align = quantum << BigInt(alignPower);
    const phase = (BigInt(step.constraint.phase) * quantum) % align;
    let span = 2n ** BigInt(Math.max(0, nocross - 1));
    while (nocross > 0 && (span < align || span < up(phase + size, align))) span *= 2n;
    return {
      ...request,
      align: alignPower === 0 && odd === 0 ? 0n : align,
      phase,
      nocross: nocross === 0 ? 0n : span << BigInt(nocross - 1),
      min: this.bound(min, odd, step.pick),
      max: this.bound(max, odd, step.pick),
    };
  }

  private bound(quanta: number, odd: number, pick: number): bigint {
    if (quanta === 0) return 0n;
    const { base } = this.spans[pick % this.spans.length]!;
    const bound = base + BigInt(quanta) * 2n ** BigInt(this.scenario.quantumPower) + BigInt(odd);
    if (bound <= 0n) return 1n;
    return bound < TOP ? bound : TOP - 1n;
  }
}

const POLICIES = ['', 'BESTFIT', 'FIRSTFIT', 'NEXTFIT', 'ENDALLOC', 'BESTFIT|ENDALLOC', 'FIRSTFIT|ENDALLOC'];

const flagsArbitrary = fc
  .record({ policy: fc.constantFrom(...POLICIES), abort: fc.nat({ max: 9 }) })
  .map(({ policy, abort }) =>
    ['NOSLEEP', policy, abort === 0 ? 'ABORT' : ''].filter((name) => name !== '').join('|'),
  );

const constraintArbitrary: fc.Arbitrary<ConstraintPlan> = fc.record({
  alignPower: fc.nat({ max: 4 }),
  phase: fc.nat({ max: 15 }),
  nocross: fc.constantFrom(0, 0, 1, 2, 3),
  min: fc.oneof(fc.constant(0), fc.integer({ min: -2, max: SPAN_QUANTA })),
  max: fc.oneof(fc.constant(0), fc.integer({ min: -2, max: SPAN_QUANTA + 4 })),
  odd: fc.constantFrom(0, 0, 0, 1),
});

const quantaArbitrary = fc.oneof(
  { weight: 3, arbitrary: fc.integer({ min: 1, max: 4 }) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: SPAN_QUANTA }) },
);

interface Weights {
  readonly alloc: number;
  readonly xalloc: number;
  readonly free: number;
  readonly rest: number;
}

function mixture({ alloc, xalloc, free, rest }: Weights): fc.Arbitrary<Step['kind']> {
  const weighted: fc.WeightedArbitrary<Step['kind']>[] = [
    { weight: alloc, arbitrary: fc.constant('alloc') },
    { weight: xalloc, arbitrary: fc.constant('xalloc') },
    { weight: free, arbitrary: fc.constant('free') },
    { weight: 1, arbitrary: fc.constant('add') },
    { weight: rest, arbitrary: fc.constantFrom('update', 'reap', 'qreap', 'cpu') },
  ];
  return fc.oneof(...weighted);
}

function stepArbitrary(kind: fc.Arbitrary<Step['kind']>): fc.Arbitrary<Step> {
  return fc.record({
    kind,
    pick: fc.nat({ max: 1000 }),
    quanta: quantaArbitrary,
    short: fc.constantFrom(0, 0, 1, 31, 63),
    flags: flagsArbitrary,
    constraint: constraintArbitrary,
  });
}

/** Steps whose mixture is drawn anew for each scenario, so that rare mixtures happen. */
const stepsArbitrary = fc
  .record({
    alloc: fc.integer({ min: 1, max: 8 }),
    xalloc: fc.integer({ min: 0, max: 6 }),
    free: fc.integer({ min: 1, max: 8 }),
    rest: fc.integer({ min: 0, max: 1 }),
  })
  .chain((weights) =>
    fc.array(stepArbitrary(mixture(weights)), { minLength: 1, maxLength: 120, size: 'max' }),
  );

const childArbitrary: fc.Arbitrary<ChildPlan> = fc.record({
  back: fc.nat({ max: 2 }),
  kind: fc.constantFrom('vmem', 'vmem', 'vmem_nofree', 'xgran', 'xgran_align'),
  finer: fc.nat({ max: 3 }),
  cachedQuanta: fc.constantFrom(0, 0, 1, 2, 5),
  uncached: fc.boolean(),
  granules: fc.constantFrom(1, 4),
});

const spansArbitrary = fc
  .shuffledSubarray(Object.keys(PLACES), { minLength: 1, maxLength: 5 })
  .chain((places) =>
    fc.tuple(...places.map((place) => fc.record({ place: fc.constant(place), quanta: quantaArbitrary }))),
  );

const scenarioArbitrary: fc.Arbitrary<Scenario> = fc
  .record({
    quantumPower: fc.constantFrom(0, 3, 4, 12, 12, 20, 30),
    across: fc.boolean(),
    spans: spansArbitrary,
    rootCachedQuanta: fc.constantFrom(0, 0, 0, 1, 3),
    children: fc.array(childArbitrary, { maxLength: 3 }),
    cpus: fc.integer({ min: 1, max: 3 }),
    autoReap: fc.boolean(),
    steps: stepsArbitrary,
  })
  .map((scenario) => withoutOverlap(scenario));

/** A span across 2^63 excludes the one that ends there. */
function withoutOverlap(scenario: Scenario): Scenario {
  const isAcross = scenario.across && scenario.spans.some(({ place }) => place === 'beginsAt2to63');
  if (!isAcross) return scenario;
  return { ...scenario, spans: scenario.spans.filter(({ place }) => place !== 'endsAt2to63') };
}

/** `count` steps of one mixture of everything. */
export function drawSteps(seed: number, count: number): Step[] {
  return fc.sample(stepArbitrary(mixture({ alloc: 6, xalloc: 4, free: 8, rest: 1 })), {
    seed,
    numRuns: count,
  });
}

/** `count` scenarios, the same for the same seed. */
export function drawScenarios(seed: number, count: number): Scenario[] {
  return fc.sample(scenarioArbitrary, { seed, numRuns: count });
}

/** The golden case that a scenario describes. */
export function scriptOf(scenario: Scenario, name = 'scenario'): CaseScript {
  const player = new Player(scenario);
  const { cpus, autoReap } = scenario;
  return { name, arenas: player.arenas, cpus, autoReap, operations: () => player.operations() };
}

/** Verifies a case directory. @throws with the first difference. */
export function expectAgreement(directory: string): void {
  const golden = new GoldenCase(directory);
  const mismatch = verifyCase(golden, findOracle(golden.oracle)!);
  if (mismatch === undefined) return;
  const { seq, what, wanted, got, context } = mismatch;
  throw new Error(`after operation ${seq}, ${what}: wanted ${wanted}, got ${got}\n${context}`);
}

/**
 * On random histories in random arenas the model agrees with the slow reference after every operation: addresses,
 * segments, order of all lists, counters, caches.
 */
export function agreesOnHistories(runs: number, seed: number): void {
  fc.assert(
    fc.property(scenarioArbitrary, (scenario) =>
      withTemporaryDirectory((parent) => expectAgreement(writeReferenceCase(parent, scriptOf(scenario)))),
    ),
    { numRuns: runs, seed },
  );
}
