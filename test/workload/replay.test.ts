import { describe, expect, it } from 'vitest';
import { InputError, MisuseError } from '../../src/core/errors.js';
import { RequestClass } from '../../src/core/request.js';
import { Priority, Simulation } from '../../src/core/simulation.js';
import type { Trace, TraceBlock } from '../../src/trace/trace.js';
import { type ReplayOptions, ReplayWorkload } from '../../src/workload/replay.js';
import { RecordingPort } from '../support/recording-port.js';
import { type TraceRow, traceOf } from '../support/trace.js';

const MIXED: readonly TraceRow[] = [
  [0, 0, 'alloc', 'task', 0, 1],
  [5, 0, 'alloc', 'kmem', 1, 100],
  [5, 1, 'alloc', 'stackArea', 2, 20480, 1],
  [6, 1, 'alloc', 'kstack', 3, 16384],
  [9, 0, 'alloc', 'va', 4, 8192, 0],
  [9, 1, 'free', 'kmem', 1, 100],
  [12, 0, 'free', 'stackArea', 2, 20480],
  [12, 0, 'alloc', 'kmem', 1, 7],
  [20, 0, 'free', 'task', 0, 1],
];

function replay(
  trace: Trace,
  options: ReplayOptions = {},
  prepare: (simulation: Simulation) => void = () => {},
) {
  const simulation = new Simulation(2);
  const port = new RecordingPort(simulation);
  prepare(simulation);
  new ReplayWorkload(trace, options).start(simulation, port);
  simulation.run();
  return port.log;
}

/** The trace with each block changed before it is read. */
function damaged(change: (block: TraceBlock) => void, rows = MIXED): Trace {
  const trace = traceOf(rows);
  return {
    ...trace,
    *blocks() {
      let index = 0;
      for (const block of trace.blocks()) {
        if (index++ === 1) change(block);
        yield block;
      }
    },
  };
}

describe('replay', () => {
  it('passes on the default classes in order, at their times', () => {
    expect(replay(traceOf(MIXED))).toEqual([
      '5 cpu0 +1 kmem 100',
      '6 cpu1 +3 kstack 16384',
      '9 cpu0 +4 va 8192 row 0',
      '9 cpu1 -1',
      '12 cpu0 +1 kmem 7',
    ]);
  });

  it('does not depend on the length of the blocks', () => {
    for (const blockLength of [1, 2, 4, 100]) {
      expect(replay(traceOf(MIXED, blockLength))).toEqual(replay(traceOf(MIXED)));
    }
  });

  it('passes on what else happens to objects, and memory pressure whatever classes are replayed', () => {
    const rows: readonly TraceRow[] = [
      [0, 0, 'alloc', 'kstack', 0, 16384],
      [1, 0, 'alloc', 'kmem', 1, 64],
      [2, 1, 'swapOut', 'kstack', 0, 16384],
      [3, 1, 'reclaim', 'kmem', 0, 1],
      [4, 0, 'swapIn', 'kstack', 0, 8192],
    ];
    expect(replay(traceOf(rows), { classes: ['kstack'] })).toEqual([
      '0 cpu0 +0 kstack 16384',
      '2 cpu1 swapOut 0 16384',
      '3 cpu1 reclaim',
      '4 cpu0 swapIn 0 8192',
    ]);
  });

  it('serves stack areas as stacks without guard and constraint where no stack was recorded', () => {
    const rows = MIXED.filter((row) => row[3] !== 'kstack');
    const log = replay(traceOf(rows), { classes: ['kstack'] });
    expect(log).toEqual(['5 cpu1 +2 kstack 16384', '12 cpu0 -2']);
    expect(new ReplayWorkload(traceOf(rows)).provenance.stackGuard).toBe(4096);
    expect(new ReplayWorkload(traceOf(MIXED)).provenance.stackGuard).toBe(null);
  });

  it('passes stack areas and tasks on as such where they are asked for', () => {
    expect(replay(traceOf(MIXED), { classes: ['stackArea', 'task'] })).toEqual([
      '0 cpu0 +0 task 1',
      '5 cpu1 +2 stackArea 20480 row 1',
      '12 cpu0 -2',
      '20 cpu0 -0',
    ]);
  });

  it('gives way to what others have queued, and goes on after it', () => {
    const seen: string[] = [];
    const log = replay(traceOf(MIXED), {}, (simulation) => {
      const handler = simulation.register({ fire: (kind) => void seen.push(`${simulation.now} ${kind}`) });
      simulation.schedule(5, Priority.timer, handler, 1);
      simulation.schedule(9, Priority.sample, handler, 2);
      simulation.schedule(12, Priority.sample, handler, 3);
      simulation.schedule(13, Priority.timer, handler, 4);
    });
    expect(log).toEqual(replay(traceOf(MIXED)));
    expect(seen).toEqual(['5 1', '9 2', '12 3']);
  });

  it('hands control over at exactly the right place', () => {
    const simulation = new Simulation(2);
    const port = new RecordingPort(simulation);
    const handler = simulation.register({
      fire: (kind) => void port.log.push(`${simulation.now} fired ${kind}`),
    });
    simulation.schedule(9, Priority.sample, handler, 2);
    simulation.schedule(9, Priority.task, handler, 0);
    new ReplayWorkload(traceOf(MIXED)).start(simulation, port);
    simulation.run();
    const order = port.log.filter((line) => line.startsWith('9'));
    expect(order).toEqual(['9 fired 0', '9 cpu0 +4 va 8192 row 0', '9 cpu1 -1', '9 fired 2']);
  });

  it('starts anew in each simulation', () => {
    const workload = new ReplayWorkload(traceOf(MIXED));
    const logs = [0, 1].map(() => {
      const simulation = new Simulation(2);
      const port = new RecordingPort(simulation);
      workload.start(simulation, port);
      simulation.run();
      return port.log;
    });
    expect(logs[0]).toEqual(logs[1]);
    expect(logs[0]).toHaveLength(5);
  });

  it('tells what it is', () => {
    const workload = new ReplayWorkload(traceOf(MIXED));
    expect(workload.classes).toEqual([RequestClass.kmem, RequestClass.kstack, RequestClass.va]);
    expect([workload.name, workload.objectLimit, workload.cpus, workload.durationNs]).toEqual([
      'tiny',
      10,
      2,
      20,
    ]);
    expect(workload.provenance).toMatchObject({
      trace: 'tiny.arrow',
      digest: 'beef',
      classes: ['kmem', 'kstack', 'va'],
    });
  });
});

describe('replay refuses', () => {
  it('an unknown class', () => {
    expect(() => new ReplayWorkload(traceOf(MIXED), { classes: ['kmen'] })).toThrow(
      "classes: 'kmen' is no request class (allowed: kmem, kstack, va",
    );
  });

  it('a trace without the classes', () => {
    expect(() => new ReplayWorkload(traceOf(MIXED), { classes: ['guest'] })).toThrow(InputError);
    expect(() => new ReplayWorkload(traceOf([]))).toThrow('the trace is empty');
  });

  it('a simulation with too few CPUs', () => {
    const simulation = new Simulation(1);
    const workload = new ReplayWorkload(traceOf(MIXED));
    expect(() => workload.start(simulation, new RecordingPort(simulation))).toThrow(MisuseError);
  });

  it.each<[string, (block: TraceBlock) => void, string]>([
    ['time that goes back', (block) => block.timeNs.set([3], 1), 'event 4 has time 3'],
    ['time that is none', (block) => block.timeNs.set([Number.NaN], 0), 'event 3 has time NaN'],
    ['an object above the limit', (block) => block.object.set([10], 0), 'event 3 has object 10'],
    ['a CPU above the count', (block) => block.cpu.set([2], 1), 'event 4 has cpu 2'],
    ['an unknown op', (block) => block.op.set([9], 1), 'event 4 has op 9'],
    ['an unknown class', (block) => block.cls.set([200], 1), 'event 4 has cls 200'],
    ['size 0', (block) => block.size.set([0], 1), 'event 4 has size 0'],
    ['a fractional size', (block) => block.size.set([0.5], 1), 'event 4 has size 0.5'],
    ['an unknown constraint', (block) => block.constraint.set([2], 1), 'event 4 has constraint 2'],
  ])('%s', (_what, change, message) => {
    expect(() => replay(damaged(change))).toThrow(InputError);
    expect(() => replay(damaged(change))).toThrow(message);
    expect(() => replay(damaged(change))).toThrow('some/where/tiny.arrow: ');
  });

  it('a stack area no larger than its guard', () => {
    const rows: readonly TraceRow[] = [[0, 0, 'alloc', 'stackArea', 0, 4096]];
    expect(() => replay(traceOf(rows))).toThrow('a stack area is larger than its guard of 4096');
  });
});
