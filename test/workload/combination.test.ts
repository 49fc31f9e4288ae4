import { describe, expect, it } from 'vitest';
import { constraintTable, RequestClass, RequestOp } from '../../src/core/request.js';
import { Simulation } from '../../src/core/simulation.js';
import { combinationWorkload, type Part } from '../../src/workload/combination.js';
import type { Workload } from '../../src/workload/contract.js';
import { ReplayWorkload } from '../../src/workload/replay.js';
import { RequestSource } from '../../src/workload/request-source.js';
import { sourceWorkload } from '../../src/workload/source-workload.js';
import { CheckingPort } from '../support/checking-port.js';
import { inputErrorOf } from '../support/input-error.js';
import { RecordingPort } from '../support/recording-port.js';
import { type TraceRow, traceOf } from '../support/trace.js';

/** Allocates slots 0, 1, 2 at times 0, 10, 20 on CPU 1, with constraint row 0, then frees slot 0 at 30. */
class Tiny extends RequestSource {
  private step = -1;

  constructor(private readonly bytes: number) {
    super();
  }

  next(): boolean {
    if (++this.step > 3) return false;
    this.time = this.step * 10;
    this.op = this.step < 3 ? RequestOp.alloc : RequestOp.free;
    this.object = this.step % 3;
    this.cls = RequestClass.va;
    this.size = this.bytes;
    this.constraint = 0;
    this.cpu = 1;
    return true;
  }
}

function tiny(seed: number): Workload {
  return sourceWorkload(
    {
      name: 'tiny',
      objectLimit: 3,
      cpus: 2,
      classes: [RequestClass.va],
      constraints: constraintTable([{ align: 64 }]),
      durationNs: 30,
      largestRequest: 2 ** 32,
      provenance: { seed },
    },
    () => new Tiny(1 + seed),
  );
}

const part = (changes: Partial<Part> = {}): Part => ({
  name: 'a',
  phases: [{ start: 0 }],
  keep: false,
  create: tiny,
  ...changes,
});

/** Without sizes, which are the parts' seeds. */
function log(parts: readonly Part[], at = 0, until = Number.POSITIVE_INFINITY): string[] {
  const simulation = new Simulation(2);
  const port = new RecordingPort(simulation);
  combinationWorkload('both', parts, 1).start(simulation, port, at, until);
  simulation.run();
  return port.log.map((line) => line.replace(/va \d+/, 'va'));
}

const seeds = (parts: readonly Part[], seed = 1): Record<string, number>[] =>
  (
    combinationWorkload('both', parts, seed).provenance.parts as {
      part: string;
      workload: { seed: number };
    }[]
  ).map((phase) => ({ [phase.part]: phase.workload.seed }));

describe('a combination', () => {
  it('puts slots and constraint rows of its parts side by side, on one clock', () => {
    expect(log([part(), part({ name: 'b', phases: [{ start: 15 }] })])).toEqual([
      '0 cpu1 +0 va row 0',
      '10 cpu1 +1 va row 0',
      '15 cpu1 +3 va row 1',
      '20 cpu1 +2 va row 0',
      '25 cpu1 +4 va row 1',
      '30 cpu1 -0',
      '35 cpu1 +5 va row 1',
      '45 cpu1 -3',
    ]);
  });

  it('frees what is live when a part stops, in the order of the slots', () => {
    expect(log([part({ phases: [{ start: 5, stop: 26 }] })])).toEqual([
      '5 cpu1 +0 va row 0',
      '15 cpu1 +1 va row 0',
      '25 cpu1 +2 va row 0',
      '26 cpu1 -0',
      '26 cpu1 -1',
      '26 cpu1 -2',
    ]);
    expect(log([part({ phases: [{ start: 5, stop: 100 }] })]).slice(3)).toEqual([
      '35 cpu1 -0',
      '100 cpu1 -1',
      '100 cpu1 -2',
    ]);
  });

  it('asks for nothing at the time of the stop itself, and keeps what it is told to keep', () => {
    expect(log([part({ phases: [{ start: 0, stop: 20 }], keep: true })])).toEqual([
      '0 cpu1 +0 va row 0',
      '10 cpu1 +1 va row 0',
    ]);
  });

  it('runs anew at each start; a phase that has freed everything leaves its slots to the next', () => {
    const phases = [
      { start: 0, stop: 20 },
      { start: 20, stop: 40 },
    ];
    const lines = log([part({ phases }), part({ name: 'b', phases: [{ start: 1000 }] })]);
    expect(lines.slice(0, 8)).toEqual([
      '0 cpu1 +0 va row 0',
      '10 cpu1 +1 va row 0',
      '20 cpu1 -0',
      '20 cpu1 -1',
      '20 cpu1 +0 va row 1',
      '30 cpu1 +1 va row 1',
      '40 cpu1 -0',
      '40 cpu1 -1',
    ]);
    expect(lines[8]).toBe('1000 cpu1 +3 va row 2');
    expect(log([part({ phases, keep: true })])[2]).toBe('20 cpu1 +3 va row 1');
  });

  it('cuts a replay off in the middle of a block', () => {
    const rows: TraceRow[] = [
      [0, 0, 'alloc', 'va', 4, 64],
      [10, 1, 'alloc', 'va', 5, 64, 1],
      [20, 0, 'free', 'va', 4, 64],
      [30, 0, 'free', 'va', 5, 64],
    ];
    const create = () => new ReplayWorkload(traceOf(rows));
    expect(log([part(), part({ name: 'b', create, phases: [{ start: 1, stop: 21 }] })])).toEqual([
      '0 cpu1 +0 va row 0',
      '1 cpu0 +7 va',
      '10 cpu1 +1 va row 0',
      '11 cpu1 +8 va row 2',
      '20 cpu1 +2 va row 0',
      '21 cpu0 -7',
      '21 cpu1 -8',
      '30 cpu1 -0',
    ]);
  });

  it('can itself start late and be cut off', () => {
    expect(log([part(), part({ name: 'b', phases: [{ start: 15 }] })], 100, 116)).toEqual([
      '100 cpu1 +0 va row 0',
      '110 cpu1 +1 va row 0',
      '115 cpu1 +3 va row 1',
    ]);
  });

  it('keeps to the contract of workloads', () => {
    const phases = [{ start: 3, stop: 40 }, { start: 50 }];
    const workload = combinationWorkload('both', [part({ phases }), part({ name: 'b' })], 1);
    expect(workload).toMatchObject({ objectLimit: 6, cpus: 2, durationNs: 80, classes: [RequestClass.va] });
    expect(workload.constraints).toMatchObject({ length: 3, align: Float64Array.of(64, 64, 64) });
    const simulation = new Simulation(2);
    const port = new CheckingPort(simulation, workload);
    workload.start(simulation, port);
    simulation.run();
    expect([port.allocs, port.frees, simulation.now]).toEqual([9, 5, 80]);
  });

  it('gives each phase a seed that comes from names only', () => {
    const phases = [{ start: 0 }, { start: 1 }];
    const alone = seeds([part({ phases })]);
    expect(new Set(alone.map(({ a }) => a)).size).toBe(2);
    expect(seeds([part({ name: 'b' }), part({ phases })]).slice(1)).toEqual(alone);
    expect(seeds([part({ phases: phases.slice(0, 1) })])).toEqual(alone.slice(0, 1));
    expect(seeds([part({ phases })], 2)).not.toEqual(alone);
  });

  it.each([
    [[part(), part()], "name: two parts are called 'a'"],
    [
      [part({ phases: [{ start: 5 }, { start: 5 }] })],
      "start: part 'a' starts at 5 ns (allowed: times that ascend",
    ],
    [
      [part({ phases: [{ start: 5, stop: 5 }] })],
      "stop: part 'a' stops at 5 ns (allowed: after the start, 5 ns)",
    ],
    [[part({ phases: [{ start: 2 ** 53 }] })], "start: part 'a' ends after 2^53 ns"],
    [
      [
        part({
          create: () => ({ ...tiny(1), objectLimit: 2 ** 30 }),
          phases: [0, 1, 2].map((start) => ({ start })),
        }),
      ],
      'parts: object slots up to',
    ],
  ])('refuses contradictions (%#)', (parts, message) => {
    expect(inputErrorOf(() => combinationWorkload('both', parts, 1))).toContain(message);
  });
});
