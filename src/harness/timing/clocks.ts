/** A reading of both clocks, in nanoseconds from a start of their own. */
export interface ClockReading {
  readonly wallNs: number;
  readonly cpuNs: number;
}

/** Name of a clock in tables. */
export type ClockName = 'cpu' | 'wall';

const WANTED_STEPS = 1000;
const LONGEST_SEARCH_NS = 100e6;

/** Monotonic time in nanoseconds, exact below 104 days of uptime. */
export function wallNs(): number {
  return Number(process.hrtime.bigint());
}

/** CPU time that all threads of this process have used, in nanoseconds; the system counts it in microseconds. */
export function cpuNs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) * 1000;
}

/** Reads both clocks, the CPU's last, which takes longer to read. */
export function readClocks(): ClockReading {
  return { wallNs: wallNs(), cpuNs: cpuNs() };
}

/**
 * Resolution of a clock as it is met: the smallest positive difference of consecutive readings, over up to 1000 such
 * differences or a tenth of a second. NaN of a clock that stood still for so long.
 */
export function resolutionNs(clock: () => number, wall: () => number = wallNs): number {
  const end = wall() + LONGEST_SEARCH_NS;
  let smallest = Number.NaN;
  let last = clock();
  for (let steps = 0; steps < WANTED_STEPS && wall() < end; ) {
    const now = clock();
    if (now <= last) continue;
    steps++;
    if (!(now - last >= smallest)) smallest = now - last;
    last = now;
  }
  return smallest;
}
