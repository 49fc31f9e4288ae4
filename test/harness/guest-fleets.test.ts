import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { describe, expect, it } from 'vitest';
import { runCli } from '../support/run-cli.js';
import { sharedPath } from '../support/shared.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const openb = sharedPath('traces/vm/alibaba-openb_pod_list_default.even-rows.csv.gz');

/** Rows of guests.csv of a run of the trace on arenas of so many times RAM. */
async function guestsOf(trace: string, physmem: string, times: string): Promise<Record<string, string>[]> {
  const out = join(temporaryFolder(), 'out');
  const backend = `illumos-segkvmm:physmem=${physmem},overprovision=${times}`;
  const { stderr, exitCode } = await runCli(['run', trace, '-b', backend, '--samples', '1', '--out', out]);
  expect([exitCode, stderr]).toEqual([0, '']);
  return parse(readFileSync(join(out, 'guests.csv'), 'utf8'), { columns: true });
}

describe.skipIf(openb === undefined)('a published fleet on an arena of guests (needs ../shared)', () => {
  it('runs out of addresses at 1 times RAM, not at 2, and of RAM where there is less', async () => {
    const trace = join(temporaryFolder(), 'openb.arrow');
    const args = ['trace', 'import', openb!, '--speed-up', '1000', '--out', trace];
    expect((await runCli(args)).exitCode).toBe(0);
    const [tight, wide] = await guestsOf(trace, '1408GiB', '1|2');
    expect([tight!.requests, wide!.requests]).toEqual(['4076', '4076']);
    expect([Number(tight!.refused_space) > 0, wide!.refused_space]).toEqual([true, '0']);
    expect([tight!.refused_memory, wide!.refused_memory]).toEqual(['0', '0']);
    const [small] = await guestsOf(trace, '1TiB', '4');
    expect([Number(small!.refused_memory) > 0, small!.refused_space]).toEqual([true, '0']);
  });
});
