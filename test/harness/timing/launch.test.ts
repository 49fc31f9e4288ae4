import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { parseComponents } from '../../../src/harness/component.js';
import { planSuite } from '../../../src/harness/plan.js';
import { REGISTRIES } from '../../../src/harness/registries.js';
import { launchTiming } from '../../../src/harness/timing/launch.js';
import type { TimingJob } from '../../../src/harness/timing/measure.js';
import { repositoryRoot } from '../../support/shared.js';
import { temporaryFolder } from '../../support/temporary-folder.js';
import { toySuite } from '../../support/toy-suite.js';

/** Compiled by `npm run build`. */
const ENTRY = join(repositoryRoot, 'dist/harness/timing/timing-process.js');

function job(changes: Partial<TimingJob> = {}): TimingJob {
  const suite = {
    ...toySuite(),
    workloads: parseComponents('workload', 'churn:operations=1000', REGISTRIES.workloads, '/'),
    backends: parseComponents('backend', 'first-fit-map', REGISTRIES.backends, '/'),
  };
  const plan = planSuite(suite, REGISTRIES, '1').cells[0]!;
  return { plan, events: 1000, metrics: true, samples: 2, timeMs: 0, ...changes };
}

/** A process that does what `script` says instead of measuring. */
function launchScript(script: string, signal = new AbortController().signal) {
  const entry = join(temporaryFolder(), 'entry.mjs');
  writeFileSync(entry, script);
  return launchTiming(job(), signal, entry);
}

describe('a timing process', () => {
  it('measures and answers', async () => {
    const ended = await launchTiming(job(), new AbortController().signal, ENTRY);
    expect(ended).toMatchObject({
      end: 'measured',
      measurement: { placementDigest: expect.stringMatching(/^[0-9a-f]{16}$/) },
    });
    if (ended.end !== 'measured') return;
    const { samples, wallResolutionNs } = ended.measurement;
    expect(samples.filter(({ warmUp }) => warmUp)).toHaveLength(200);
    expect(samples).toHaveLength(202);
    expect(wallResolutionNs).toBeGreaterThan(0);
  });

  it('runs with the flags of the program', async () => {
    const words = `process.stderr.write(process.execArgv.join(' ')); process.exit(9);`;
    expect(await launchScript(words)).toEqual({
      end: 'failed',
      problem:
        'its process ended with code 9: --max-inlined-bytecode-size=1000 --max-inlined-bytecode-size-cumulative=4000',
    });
  });

  it('answers bad input with its message', async () => {
    const { plan } = job();
    const missing = { ...plan, workload: { ...plan.workload, name: 'nothing-such' } };
    const ended = await launchTiming(job({ plan: missing }), new AbortController().signal, ENTRY);
    expect(ended).toEqual({
      end: 'failed',
      problem: expect.stringMatching(/unknown workload 'nothing-such'[^\n]*$/),
    });
  });

  it.each([
    ['process.exit(3)', 'its process ended with code 3'],
    ['', 'its process ended with code 0'],
    [`process.kill(process.pid, 'SIGKILL')`, 'its process was killed by SIGKILL'],
    [`throw new RangeError('no such thing')`, 'its process ended with code 1: RangeError: no such thing'],
    [
      `process.once('message', () => { process.stderr.write('a\\nlast words\\n'); process.exit(7); })`,
      'its process ended with code 7: last words',
    ],
  ])('that fails is a problem of one line: %s', async (script, problem) => {
    expect(await launchScript(script)).toEqual({ end: 'failed', problem });
  });

  it('is killed when the run is interrupted, whatever it does', async () => {
    const busy = join(temporaryFolder(), 'busy');
    const stubborn = `import { writeFileSync } from 'node:fs';
      process.on('SIGTERM', () => {});
      process.once('message', () => { writeFileSync(${JSON.stringify(busy)}, ''); for (;;); });`;
    const interrupt = new AbortController();
    const ended = launchScript(stubborn, interrupt.signal);
    while (!existsSync(busy)) await setTimeout(10);
    interrupt.abort();
    expect(await ended).toEqual({ end: 'interrupted' });
    expect(await launchScript('', interrupt.signal)).toEqual({ end: 'interrupted' });
  });

  it('that a terminal has interrupted counts as an interruption', async () => {
    expect(await launchScript(`process.kill(process.pid, 'SIGINT')`)).toEqual({ end: 'interrupted' });
  });
});
