// What a sample point costs, by the number of live objects: each backend runs a churn of ranges and is sampled every 100
// operations, once as the program does and once by walking every tag. Printed are ratios of medians: the cost with
// more live objects over that with the fewest, and the cost of walking over that of the program. Times belong to the machine.
// Usage: npm run build && node test/benchmarks/sampling.mjs [live…]
import { Value } from '@sinclair/typebox/value';
import { BACKENDS, CheckedPort, constraintTable, Priority, REGISTRIES, RequestClass, Simulation } from '../../dist/index.js';
import { sampleArena } from '../../dist/probe/arena-columns.js';
import { sampleProbes, TABLE_PROBES } from '../../dist/probe/registry.js';

const SAMPLES = 200;
const OPERATIONS_PER_SAMPLE = 100;
const INTERVAL_NS = 1000;
const lives = process.argv.length > 2 ? process.argv.slice(2).map(Number) : [1000, 10_000, 100_000];
const churn = REGISTRIES.workloads.find(({ name }) => name === 'churn');

/** The arena with nothing but its walk to tell of its tags. */
function walkedOnly(arena) {
  const { name, source, quantum, figures, caches } = arena;
  const free = (combine) => {
    let result = 0;
    arena.walk((type, _start, size) => {
      if (type === 1) result = combine(result, size);
    });
    return result;
  };
  return {
    ...{ name, source, quantum, figures, caches },
    largestFree: () => free(Math.max),
    freeBytes: () => free((sum, size) => sum + size),
    metadataBytes: () => arena.metadataBytes(),
    walk: (visit) => arena.walk(visit),
  };
}

function take(run) {
  const before = process.hrtime.bigint();
  sampleProbes(run);
  for (const arena of run.backend.arenas) sampleArena(arena);
  for (const probe of TABLE_PROBES) if (probe.when === 'sample') probe.rows(run);
  return Number(process.hrtime.bigint() - before);
}

class Timer {
  followed = [];
  walked = [];

  constructor(simulation, backend, requests, fromNs) {
    const arenas = backend.arenas.map(walkedOnly);
    const roots = (cls) => backend.rootsOf?.(cls) ?? backend.arenas.filter(({ source }) => source === null);
    const rootsOf = (cls) => arenas.filter(({ name }) => roots(cls).some((root) => root.name === name));
    this.run = { simulation, backend, requests };
    this.slowRun = { simulation, backend: { arenas, rootsOf }, requests };
    this.handler = simulation.register(this);
    for (let sample = 0; sample < SAMPLES; sample++) {
      simulation.schedule(fromNs + sample * OPERATIONS_PER_SAMPLE * INTERVAL_NS, Priority.sample, this.handler, sample);
    }
  }

  fire(sample) {
    this.followed.push(take(this.run));
    if (sample % 10 === 0) this.walked.push(take(this.slowRun));
  }
}

const median = (values) => values.sort((a, b) => a - b)[values.length >> 1];

function costs(definition, live) {
  const operations = live + SAMPLES * OPERATIONS_PER_SAMPLE;
  const values = { class: 'va', live, operations, mean_interval_ns: INTERVAL_NS };
  const workload = churn.create(Value.Default(churn.parameters, values), 1);
  const { cpus, constraints, objectLimit } = workload;
  const simulation = new Simulation(cpus);
  const backend = definition.create(Value.Default(definition.parameters, {}), { simulation, constraints });
  const port = new CheckedPort(backend, { objectLimit, cpus, constraints: constraints.length, recording: true });
  const timer = new Timer(simulation, backend, port.figures, live * INTERVAL_NS);
  workload.start(simulation, port);
  simulation.run();
  return { followed: median(timer.followed), walked: median(timer.walked) };
}

function servesRanges(definition) {
  const environment = { simulation: new Simulation(1), constraints: constraintTable([]) };
  return definition.create(Value.Default(definition.parameters, {}), environment).serves.includes(RequestClass.va);
}

for (const definition of BACKENDS.filter(servesRanges)) {
  costs(definition, lives[0]);
  const base = costs(definition, lives[0]).followed;
  const parts = lives.map((live) => {
    const { followed, walked } = costs(definition, live);
    return `${live} live ${(followed / base).toFixed(2)} (a walk ${(walked / followed).toFixed(1)} times that)`;
  });
  process.stdout.write(`${definition.name}, cost of a sample: ${parts.join(', ')}\n`);
}
