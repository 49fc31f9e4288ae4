import { describe, expect, it } from 'vitest';
import { MisuseError } from '../../src/core/errors.js';
import { Priority, Simulation } from '../../src/core/simulation.js';

/** Writes down what happens when. */
class Recorder {
  readonly log: string[] = [];

  constructor(readonly simulation: Simulation) {}

  handler(name: string, react: (kind: number) => void = () => {}): number {
    return this.simulation.register({
      fire: (kind, payload) => {
        this.log.push(`${this.simulation.now} ${name} ${kind} ${payload}`);
        react(kind);
      },
    });
  }
}

describe('the simulation', () => {
  it('orders events of one time: tasks, timers, requests, samples, each in order of scheduling', () => {
    const simulation = new Simulation();
    const recorder = new Recorder(simulation);
    const handler = recorder.handler('h');
    simulation.workloadStarted();
    const priorities = [Priority.sample, Priority.request, Priority.timer, Priority.task, Priority.request];
    priorities.forEach((priority, index) => void simulation.schedule(5, priority, handler, priority, index));
    simulation.run();
    expect(recorder.log).toEqual(['5 h 0 3', '5 h 1 2', '5 h 2 1', '5 h 2 4', '5 h 3 0']);
  });

  it('ends with the last workload, but samples of that time are still taken', () => {
    const simulation = new Simulation();
    const recorder = new Recorder(simulation);
    const workload = recorder.handler('work', () => void simulation.workloadFinished());
    const other = recorder.handler('other');
    simulation.workloadStarted();
    simulation.schedule(10, Priority.request, workload);
    simulation.schedule(10, Priority.sample, other);
    simulation.schedule(11, Priority.timer, other);
    simulation.run();
    expect(recorder.log).toEqual(['10 work 0 0', '10 other 0 0']);
    expect(simulation.now).toBe(10);
  });

  it('lets a handler run ahead of everything queued, and no further', () => {
    const simulation = new Simulation();
    const handler = new Recorder(simulation).handler('h');
    simulation.schedule(10, Priority.timer, handler);
    expect(simulation.mayRunAhead(9, Priority.sample)).toBe(true);
    expect(simulation.mayRunAhead(10, Priority.task)).toBe(true);
    expect(simulation.mayRunAhead(10, Priority.timer)).toBe(false);
    expect(simulation.mayRunAhead(10, Priority.request)).toBe(false);
    expect(simulation.mayRunAhead(11, Priority.task)).toBe(false);
    simulation.advance(9);
    expect(simulation.now).toBe(9);
  });

  it('refuses the past, unknown handlers and a machine without CPUs', () => {
    const simulation = new Simulation(2);
    const handler = new Recorder(simulation).handler('h');
    simulation.advance(5);
    expect(() => simulation.schedule(4, Priority.request, handler)).toThrow(MisuseError);
    expect(() => simulation.schedule(6, Priority.request, handler + 1)).toThrow(MisuseError);
    expect(() => simulation.advance(4)).toThrow(MisuseError);
    for (const cpus of [0, 1.5, Number.NaN]) expect(() => new Simulation(cpus)).toThrow(MisuseError);
  });
});
