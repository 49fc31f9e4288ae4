// What recording an address-space map costs: each backend replays a million churn operations with figures, with and
// without a map, in turn; the ratio of the CPU times is printed pair by pair, and the bytes of the map's file.
// Usage: npm run build && node test/benchmarks/map.mjs [repeats]
import { setFlagsFromString } from 'node:v8';
import { Value } from '@sinclair/typebox/value';

// As the program itself does, see src/cli/main.ts.
setFlagsFromString('--max-inlined-bytecode-size=1000');
setFlagsFromString('--max-inlined-bytecode-size-cumulative=4000');
const { BACKENDS, CheckedPort, MapPort, mapFile, REGISTRIES, Simulation } = await import('../../dist/index.js');

const OPERATIONS = 1_000_000;
const repeats = Number(process.argv[2] ?? 5);
const churn = REGISTRIES.workloads.find(({ name }) => name === 'churn');
const PAIRS = [
  ['illumos-vmem', 'va'],
  ['illumos-vmem', 'kmem'],
  ['first-fit-map', 'va'],
  ['linux-vmap', 'kstack'],
];

function replay(name, cls, isMapped) {
  const definition = BACKENDS.find((backend) => backend.name === name);
  const parameters = Value.Default(churn.parameters, { class: cls, operations: OPERATIONS, live: 5000 });
  const workload = churn.create(parameters, 1);
  const { cpus, objectLimit, constraints, durationNs } = workload;
  const simulation = new Simulation(cpus);
  const backend = definition.create(Value.Default(definition.parameters, {}), { simulation, constraints });
  const port = new CheckedPort(backend, { objectLimit, cpus, constraints: constraints.length, recording: true });
  const recorder = isMapped ? new MapPort({ simulation, backend, port, objectLimit, durationNs }) : undefined;
  const before = process.cpuUsage();
  workload.start(simulation, recorder ?? port);
  simulation.run();
  const { user, system } = process.cpuUsage(before);
  const plan = { id: name, workload: { label: cls }, backend: { label: name }, seed: 1 };
  const identity = { plan, placementDigest: port.placementDigest, durationNs: simulation.now, sites: [] };
  const bytes = isMapped ? JSON.stringify(mapFile(recorder, identity)).length : 0;
  return { seconds: (user + system) / 1e6, bytes };
}

for (const [name, cls] of PAIRS) {
  const { bytes } = replay(name, cls, true);
  replay(name, cls, false);
  const ratios = Array.from(
    { length: repeats },
    () => replay(name, cls, true).seconds / replay(name, cls, false).seconds,
  );
  ratios.sort((a, b) => a - b);
  const [low, middle, high] = [ratios[0], ratios[repeats >> 1], ratios[repeats - 1]].map((ratio) => ratio.toFixed(2));
  process.stdout.write(
    `${name} ${cls}: map on / off ${middle} (${low}–${high}, ${repeats} pairs); file of ${bytes} bytes\n`,
  );
}
