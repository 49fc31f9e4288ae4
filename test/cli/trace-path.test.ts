import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { shippedTrace } from '../../src/harness/catalogue.js';
import { openTrace } from '../../src/trace/arrow-reader.js';
import { runCli } from '../support/run-cli.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const NAME = 'linux612-mixed';
const home = process.cwd();

afterEach(() => process.chdir(home));

/** Events of a trace. */
function events(path: string): number {
  return openTrace(path).metadata.eventCount;
}

describe('a shipped trace goes by its name', () => {
  it('in trace info', async () => {
    const { exitCode, stdout } = await runCli(['trace', 'info', NAME, '--json']);
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ name: NAME, eventCount: events(shippedTrace(NAME)!) });
  });

  it('in trace cut, merge and convert', async () => {
    const folder = temporaryFolder();
    const [part, both, csv] = ['part.arrow', 'both.arrow', 'all.csv'].map((name) => join(folder, name));
    expect(await runCli(['trace', 'cut', NAME, '--to', '1s', '--out', part!])).toMatchObject({ stderr: '' });
    expect(events(part!)).toBeLessThan(events(shippedTrace(NAME)!));
    const merged = await runCli(['trace', 'merge', NAME, NAME, '--out', both!]);
    expect(merged.stderr).toMatch(/linux612-mixed\.arrow: the same trace as /);
    expect((await runCli(['trace', 'convert', NAME, '--out', csv!])).stdout).toMatch(
      /^\S+all\.csv: \d+ events/,
    );
  });

  it('as a workload and in the parameter of a replay, which is called as the trace is', async () => {
    const run = ['-b', 'first-fit-map', '--dry-run', '--json'];
    const [byName, byWorkload, byParameter] = [
      await runCli(['run', NAME, ...run]),
      await runCli(['run', '-w', NAME, ...run]),
      await runCli(['run', '-w', `replay:trace=${NAME}`, ...run]),
    ].map(({ stdout }) => {
      const { id, configurationDigest } = JSON.parse(stdout)[0].cells[0];
      return { id, configurationDigest };
    });
    expect(byName!.id).toBe(`${NAME}.first-fit-map.s1`);
    expect(byWorkload).toEqual(byName);
    expect(byParameter).toEqual(byName);
  });

  it('unless a file has that name', async () => {
    const folder = temporaryFolder();
    copyFileSync(shippedTrace('linux612-forkstorm')!, join(folder, NAME));
    process.chdir(folder);
    const { stdout } = await runCli(['trace', 'info', NAME, '--json']);
    expect(JSON.parse(stdout)).toMatchObject({ name: 'linux612-forkstorm' });
  });

  it.each(['info', 'cut', 'convert'])(
    'trace %s: a slip is told from a file that is missing',
    async (command) => {
      const out = command === 'info' ? [] : ['--out', '/nowhere/at/all.arrow'];
      const slip = await runCli(['trace', command, 'linux612-mixd', ...out]);
      expect(slip.stderr).toMatch(
        /^kvabench: unknown trace 'linux612-mixd'; did you mean 'linux612-mixed'\? \(allowed: [^\n]+ the path of a file\)\n$/,
      );
      const missing = await runCli(['trace', command, 'no/such.arrow', ...out]);
      expect(missing.stderr).toMatch(/no\/such\.arrow: [^\n]*ENOENT/);
      expect([slip.exitCode, missing.exitCode]).toEqual([1, 1]);
    },
  );
});
