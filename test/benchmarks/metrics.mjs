// What recording costs: each backend replays a million churn operations with and without figures, in turn, and
// the ratio of the CPU times is printed pair by pair. Times themselves are not: they belong to the machine.
// Usage: npm run build && node test/benchmarks/metrics.mjs [repeats]
import { setFlagsFromString } from 'node:v8';
import { Value } from '@sinclair/typebox/value';

// As the program itself does, see src/cli/main.ts.
setFlagsFromString('--max-inlined-bytecode-size=1000');
setFlagsFromString('--max-inlined-bytecode-size-cumulative=4000');
const { BACKENDS, CheckedPort, constraintTable, REGISTRIES, RequestClass, Simulation } = await import('../../dist/index.js');

const OPERATIONS = 1_000_000;
const repeats = Number(process.argv[2] ?? 7);
const churn = REGISTRIES.workloads.find(({ name }) => name === 'churn');

function cpuSeconds(definition, cls, recording) {
  const parameters = Value.Default(churn.parameters, { class: cls, operations: OPERATIONS, live: 5000 });
  const workload = churn.create(parameters, 1);
  const simulation = new Simulation(workload.cpus);
  const environment = { simulation, constraints: workload.constraints };
  const backend = definition.create(Value.Default(definition.parameters, {}), environment);
  const port = new CheckedPort(backend, {
    objectLimit: workload.objectLimit,
    cpus: workload.cpus,
    constraints: workload.constraints.length,
    recording,
  });
  const before = process.cpuUsage();
  workload.start(simulation, port);
  simulation.run();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

/** Ranges go to the arenas themselves, small objects to the caches in front: the cheaper a request, the higher the ratio. */
const CLASSES = ['va', 'kmem'];

function classesOf(definition) {
  const environment = { simulation: new Simulation(1), constraints: constraintTable([]) };
  const { serves } = definition.create(Value.Default(definition.parameters, {}), environment);
  const names = Object.keys(RequestClass).filter((name) => serves.includes(RequestClass[name]));
  const wanted = CLASSES.filter((name) => names.includes(name));
  return wanted.length > 0 ? wanted : names.slice(0, 1);
}

const pairs = BACKENDS.flatMap((backend) => classesOf(backend).map((name) => [backend, name]));

for (const [definition, cls] of pairs) {
  for (const recording of [true, false]) cpuSeconds(definition, cls, recording);
  const ratios = Array.from(
    { length: repeats },
    () => cpuSeconds(definition, cls, true) / cpuSeconds(definition, cls, false),
  );
  ratios.sort((a, b) => a - b);
  const [low, middle, high] = [ratios[0], ratios[repeats >> 1], ratios[repeats - 1]].map((ratio) => ratio.toFixed(2));
  process.stdout.write(`${definition.name} ${cls}: metrics on / off ${middle} (${low}–${high}, ${repeats} pairs)\n`);
}
