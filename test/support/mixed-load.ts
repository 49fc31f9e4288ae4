import { drawSize } from '../../src/conformance/history.js';
import { RandomStream } from '../../src/core/random.js';
import { constraintTable, RequestClass, type RequestPort, UNCONSTRAINED } from '../../src/core/request.js';
import { type EventHandler, Priority, type Simulation } from '../../src/core/simulation.js';
import { KIB } from '../../src/core/units.js';
import type { Workload } from '../../src/workload/contract.js';
import type { WorkloadDefinition } from '../../src/workload/registry.js';

const CLASSES = [RequestClass.kmem, RequestClass.kstack, RequestClass.va, RequestClass.guest];
const OBJECTS = 200;
const EVENTS = 2000;

/** Requests of all classes, odd lengths and whole pages, some of them constrained, one every 10 ns. */
class MixedLoad implements Workload, EventHandler {
  readonly name = 'mixed-load';
  readonly objectLimit = OBJECTS;
  readonly cpus = 2;
  readonly classes = CLASSES;
  readonly constraints = constraintTable([
    { align: 64 * KIB },
    { nocross: 128 * KIB },
    { align: 8 * KIB, phase: 4 * KIB },
  ]);
  readonly durationNs = EVENTS * 10;
  readonly provenance = {};
  private readonly live = new Set<number>();
  private simulation!: Simulation;
  private port!: RequestPort;
  private handler = 0;

  constructor(private readonly stream: RandomStream) {}

  start(simulation: Simulation, port: RequestPort): void {
    this.simulation = simulation;
    this.port = port;
    this.handler = simulation.register(this);
    simulation.workloadStarted();
    simulation.schedule(10, Priority.request, this.handler, 1);
  }

  fire(event: number): void {
    const object = this.stream.below(OBJECTS);
    const cls = CLASSES[this.stream.below(CLASSES.length)]!;
    const size = drawSize(this.stream, cls);
    const isBounded = cls === RequestClass.va && size <= 128 * KIB;
    const row = isBounded ? this.stream.below(4) - 1 : UNCONSTRAINED;
    if (this.live.delete(object)) this.port.free(object, event % 2);
    else if (this.port.alloc(object, cls, size, row, event % 2)) this.live.add(object);
    if (event === EVENTS) this.simulation.workloadFinished();
    else this.simulation.schedule((event + 1) * 10, Priority.request, this.handler, event + 1);
  }
}

/** The load as suites name it. */
export const mixedLoad: WorkloadDefinition = {
  name: 'mixed-load',
  summary: 'requests of all classes',
  parameters: { type: 'object', properties: {} } as WorkloadDefinition['parameters'],
  create: (_parameters, seed) => new MixedLoad(new RandomStream(seed, 'mixed-load')),
};
