import { Type } from '@sinclair/typebox';
import { InputError } from '../core/errors.js';
import { highBit, isPowerOfTwo, MIB, TIB } from '../core/units.js';
import type { Workload } from './contract.js';
import type { Parameters, WorkloadDefinition } from './definition.js';
import { sourceWorkload } from './source-workload.js';
import { steadyDuration } from './steady-pace.js';
import { constraintsOf, type VmallocRun, VmallocSuiteSource } from './vmalloc-suite-source.js';
import { requestsOf, slotsOf, VMALLOC_TESTS, type VmallocOptions } from './vmalloc-suite-tests.js';

/** Most objects of all CPUs: they take 2 GiB in the port. */
const MOST_OBJECTS = 2 ** 26;

const TEST_NAMES = Object.keys(VMALLOC_TESTS);

const count = (minimum: number, value: number, description: string) =>
  Type.Integer({ minimum, maximum: 2 ** 26, default: value, description });

const parameters = Type.Object(
  {
    test: Type.Union(
      TEST_NAMES.map((name) => Type.Literal(name)),
      { default: TEST_NAMES[0]!, description: 'which of the tests' },
    ),
    cpus: Type.Integer({ minimum: 1, maximum: 1024, default: 4, description: 'CPUs, each of which runs it' }),
    loops: Type.Integer({
      minimum: 1,
      maximum: 2 ** 40,
      default: 10_000,
      description: 'loops of each CPU (Linux: 1000000); align_shift and pcpu_alloc are not looped',
    }),
    pages: count(1, 1, 'pages of an area in fix_size and vm_map_ram'),
    page: Type.Number({ format: 'bytes', default: 4096, description: 'page, a power of two' }),
    guard: Type.Number({
      format: 'bytes',
      default: 4096,
      description: 'guard behind each area of vmalloc, part of the request',
    }),
    holes: count(0, 0, 'full_fit: holes of one area that are made; 0: as Linux, 8192 for each bit of cpus'),
    busy: count(1, 15_000, 'long_busy_list: areas that stay allocated meanwhile'),
    pcpu_objects: count(1, 35_000, 'pcpu_alloc: objects'),
    rcu_batch: count(1, 500, 'kvfree_rcu: areas that are freed together, after a grace period'),
    max_align: Type.Number({
      format: 'bytes',
      minimum: 1,
      maximum: 2 ** 47,
      default: TIB,
      description: 'align_shift: largest alignment asked for (Linux: 2^63, expected to fail)',
    }),
    mean_interval: Type.Number({
      format: 'duration',
      minimum: 1,
      maximum: 1e12,
      default: 1000,
      description: 'mean time between requests of all CPUs together',
    }),
  },
  { additionalProperties: false },
);

/** Linux' tests of vmalloc as workloads. */
export const vmallocSuite: WorkloadDefinition = {
  name: 'vmalloc-suite',
  summary: "Linux' eleven tests of vmalloc by name, each CPU running the test",
  parameters,
  create: (values, seed) => vmallocWorkload(values, seed),
};

/** @throws InputError if the test needs too many objects or too much time, or the page is no page. */
function vmallocWorkload(values: Parameters, seed: number): Workload {
  const run = runOf(values);
  const { test, cpus, meanIntervalNs } = run;
  const objectLimit = cpus * slotsOf(test);
  if (objectLimit > MOST_OBJECTS) {
    throw new InputError(`${slotsOf(test)} objects on each of ${cpus} CPUs`, {
      field: 'cpus',
      allowed: `${MOST_OBJECTS} objects in all`,
    });
  }
  return sourceWorkload(
    {
      name: 'vmalloc-suite',
      objectLimit,
      cpus,
      classes: [test.shape.cls],
      constraints: constraintsOf(run),
      durationNs: steadyDuration(cpus * requestsOf(test), meanIntervalNs, 'mean_interval'),
      largestRequest: test.shape.largest,
      provenance: { workload: 'vmalloc-suite', seed, ...values },
    },
    () => new VmallocSuiteSource(run, seed),
  );
}

function runOf(values: Parameters): VmallocRun {
  const cpus = Number(values.cpus);
  const pageBytes = Number(values.page);
  if (!(pageBytes >= 1 && isPowerOfTwo(pageBytes))) {
    throw new InputError(`${pageBytes} bytes are no page`, { field: 'page', allowed: 'a power of two' });
  }
  const options: VmallocOptions = {
    loops: Number(values.loops),
    pages: Number(values.pages),
    pageBytes,
    guardBytes: Number(values.guard),
    holes: Number(values.holes) || lazyMaximum(cpus, pageBytes),
    busy: Number(values.busy),
    pcpuObjects: Number(values.pcpu_objects),
    rcuBatch: Number(values.rcu_batch),
    largestAlign: Number(values.max_align),
  };
  const test = VMALLOC_TESTS[String(values.test)]!(options);
  return { test, cpus, pageBytes, meanIntervalNs: Number(values.mean_interval) };
}

/** Pages that Linux lets lie freed before it purges them: 32 MiB for each bit of the number of CPUs. */
function lazyMaximum(cpus: number, pageBytes: number): number {
  return Math.max(1, (highBit(cpus) * 32 * MIB) / pageBytes);
}
