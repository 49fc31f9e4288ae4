import { join } from 'node:path';
import { expect, it } from 'vitest';
import { VMALLOC_TESTS } from '../../src/workload/vmalloc-suite-tests.js';
import { temporaryDirectory } from '../support/case-copy.js';
import { runCli } from '../support/run-cli.js';

/** The one whose requests are of a class that vmap does not serve. */
const PER_CPU = 'pcpu_alloc_test';

it.each(Object.keys(VMALLOC_TESTS))(
  "Linux' own test %s runs against Linux's allocator, and nothing fails",
  async (test) => {
    const workload = `vmalloc-suite:test=${test},loops=40,holes=40,busy=40,pcpu_objects=40,rcu_batch=10`;
    const out = join(temporaryDirectory(), 'results');
    const argv = ['run', '-w', workload, '-b', 'linux-vmap:guard_pages=false', '--out', out];
    const { exitCode, stdout, stderr } = await runCli(argv, '', undefined, { COLUMNS: '200' });
    expect([exitCode, stderr]).toEqual([0, '']);
    const [name, failed, peakLive] = stdout.split('\n')[2]!.split(/ +/);
    expect([name?.startsWith('linux-v'), failed]).toEqual([true, '0']);
    if (test === PER_CPU) expect(peakLive).toBe('0B');
    else expect(peakLive).not.toBe('0B');
  },
);
