import type { Client } from '../../src/conformance/client.js';
import { SECOND } from '../../src/core/units.js';

/** Runs the clock to `seconds` as a workload without requests would. */
export function passTime({ simulation }: Client, seconds: number): void {
  const handler = simulation.register({ fire: () => simulation.workloadFinished() });
  simulation.workloadStarted();
  simulation.schedule(seconds * SECOND, 2, handler);
  simulation.run();
}
