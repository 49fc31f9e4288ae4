import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runCell } from '../../src/harness/cell.js';
import { parseComponents } from '../../src/harness/component.js';
import { planSuite } from '../../src/harness/plan.js';
import { REGISTRIES } from '../../src/harness/registries.js';
import { openTrace, verifyDigest } from '../../src/trace/arrow-reader.js';
import { runCli } from '../support/run-cli.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { toySuite } from '../support/toy-suite.js';

const generate = (...argv: string[]) => runCli(['trace', 'generate', ...argv]);

/** Generators with parameters that make them short, and every kind of request that they have appear. */
const SHORT = [
  'churn:operations=5000,live=300',
  'churn:class=kmem,sizes=power-law,min_size=16,max_size=4096,size_step=16,operations=5000',
  'guest:duration=20h,ram=64GiB,mix=odd,balloon_every=5min,attach_every=5min,hotplug_every=5min',
  'guest:duration=10h,page_size=2MiB',
  'adversary:pattern=robson',
  'kmem:duration=30s',
  'netbsd-pools:scale=1',
  'threads-and-heap:threads=300,heap=64MiB,storms=2,storm_threads=50',
  'vmalloc-suite:loops=50',
  'kstack:duration=30s,threads=300,storm_every=7s,swap_every=100ms',
] as const;

function placementDigests(workload: string): string[] {
  const suite = {
    ...toySuite(),
    workloads: parseComponents('workload', workload, REGISTRIES.workloads, '/'),
    backends: ['illumos-vmem', 'first-fit-map'].flatMap((name) =>
      parseComponents('backend', name, REGISTRIES.backends, '/'),
    ),
    seeds: [7],
  };
  return planSuite(suite, REGISTRIES, '1').cells.map((cell) => runCell(cell, REGISTRIES).placementDigest);
}

describe('kvabench trace generate', () => {
  it.each(SHORT)('%s: the trace places every object where the generator does', async (workload) => {
    const out = join(temporaryFolder(), 'x.arrow');
    const { exitCode, stdout } = await generate(workload, '--seed', '7', '--out', out);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/x\.arrow: \d+ events in [\d.]+ s, digest [0-9a-f]{64}\n$/);
    expect(() => verifyDigest(openTrace(out))).not.toThrow();
    expect(placementDigests(`replay:trace=${out}`)).toEqual(placementDigests(workload));
  });

  it('knows every generator', () => {
    const covered = SHORT.map((text) => text.split(':')[0]);
    const generators = REGISTRIES.workloads.filter(({ name }) => name !== 'replay');
    expect(generators.map(({ name }) => name).filter((name) => !covered.includes(name))).toEqual([]);
  });

  it('writes the same bytes again, and says where they come from', async () => {
    const folder = temporaryFolder();
    const files = ['a.arrow', 'b.arrow'].map((name) => join(folder, name));
    for (const file of files) {
      await generate(SHORT[0], '--out', file, '--name', 'mine', '--licence', 'CC0-1.0');
    }
    expect(readFileSync(files[0]!)).toEqual(readFileSync(files[1]!));
    const { name, provenance, clock } = openTrace(files[0]!).metadata;
    expect([name, clock, provenance.licence]).toEqual(['mine', 'simulated', 'CC0-1.0']);
    expect(provenance.importer).toBe('generator churn');
    expect(provenance.options.seed).toBe(1);
    expect(JSON.parse(String(provenance.options.workload))).toMatchObject({ workload: 'churn', live: 300 });
  });

  it('copies a trace, constraint rows and recorded requests included', async () => {
    const folder = temporaryFolder();
    const recorded = join(import.meta.dirname, '../../workloads/traces/linux612-forkstorm.arrow');
    const copy = join(folder, 'copy.arrow');
    await generate(`replay:trace=${recorded}`, '--out', copy);
    expect(openTrace(copy).metadata.constraints).toEqual(openTrace(recorded).metadata.constraints);
    expect(placementDigests(`replay:trace=${copy}`)).toEqual(placementDigests(`replay:trace=${recorded}`));
  });

  it('replaces nothing unless told so, and leaves nothing behind when it fails', async () => {
    const folder = temporaryFolder();
    const out = join(folder, 'x.arrow');
    writeFileSync(out, 'precious');
    const refused = await generate(SHORT[0], '--out', out);
    expect([refused.exitCode, refused.stderr]).toEqual([
      1,
      `kvabench: ${out}: the file exists; --force replaces it\n`,
    ]);
    const bad = await generate('kstack:ramp=2s,duration=1s', '--out', out, '--force');
    expect(bad.exitCode).toBe(1);
    expect(bad.stderr).toContain(
      "workload 'kstack:ramp=2s,duration=1s': ramp: the population is never reached",
    );
    expect(readFileSync(out, 'utf8')).toBe('precious');
    expect((await generate(SHORT[0], '--out', out, '--force')).exitCode).toBe(0);
    expect(readdirSync(folder)).toEqual(['x.arrow']);
  });

  it.each([
    [['kstak', '--out', 'x.arrow'], "unknown workload 'kstak'; did you mean 'kstack'?"],
    [['churn'], 'missing --out; usage: '],
    [['churn', '--out', 'x.arrow', '--seed', '-1'], '--seed'],
    [['kstack:duration=soon', '--out', 'x.arrow'], "duration: 'soon' is not a duration"],
    [['churn', '--out', 'x.arrow', '--out', 'y.arrow'], '--out: given more than once'],
  ])('refuses %j', async (argv, message) => {
    const result = await generate(...argv);
    expect(result.exitCode).toBe(1);
    expect(result.stderr).toContain(message);
    expect(existsSync('x.arrow')).toBe(false);
  });
});
