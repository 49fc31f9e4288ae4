import { describe, expect, it } from 'vitest';
import { runCli } from '../support/run-cli.js';

describe('bad usage is answered in one line', () => {
  it.each([
    [['reprot', 'results'], "unknown command 'reprot'; did you mean 'report'? (allowed: run, merge, "],
    [['reprot', '--help'], "unknown command 'reprot'; did you mean 'report'?"],
    [
      ['trace', 'inof', 'x'],
      "unknown command of trace 'inof'; did you mean 'info'? (allowed: import, generate, ",
    ],
    [['new', 'bakend', 'x'], "unknown command of new 'bakend'; did you mean 'backend'? (allowed: backend)"],
    [
      ['compare', 'a', 'b', '--fial-on', 'x'],
      "unknown option '--fial-on'; did you mean '--fail-on'? (allowed: --",
    ],
    [['--versoin'], "unknown option '--versoin'; did you mean '--version'? (allowed: --help, --version)"],
    [['trace', 'info', '--josn', 'x'], "unknown option '--josn'; did you mean '--json'?"],
    [['map', 'x', '-q'], "unknown option '-q' (allowed: "],
    [['map', '--fromat', 'text'], "unknown option '--fromat'; did you mean '--format'?"],
    [['report'], 'missing <dir>; usage: kvabench report <dir>'],
    [['trace', 'merge'], 'missing <traces..>; usage: kvabench trace merge <traces..>'],
    [['merge', 'a'], 'missing --out; usage: kvabench merge <shard..> --out <out>'],
    [['trace', 'generate', 'kstack'], 'missing --out; usage: kvabench trace generate <workload> --out <out>'],
    [['risk', 'a', '--csv', '--json'], '--csv: not together with --json'],
    [['report', 'a', '--out', ''], '--out: needs a value'],
    [['trace', 'import', 'a', '--out'], '--out: needs a value'],
    [['trace', 'cut', 'a', '--out', 'b', '--class'], '--class: needs a value'],
    [
      ['run', '-w', 'linux612-mixd'],
      "-w: unknown workload 'linux612-mixd'; did you mean 'linux612-mixed'? (allowed: adversary, ",
    ],
    [
      ['trace', 'generate', 'chrun', '--out', 'b'],
      "<workload>: unknown workload 'chrun'; did you mean 'churn'?",
    ],
    [['report', 'package.json'], 'package.json: no folder (allowed: a folder that kvabench run wrote)'],
    [['list', '--json=yes'], "--json: 'yes' is not acceptable (allowed: no value)"],
    [['verify', '--', 'no-such-case'], 'no-such-case: no such directory'],
    [['report', '--', '-x'], "'-x' begins with a dash (allowed: ./-x)"],
    [['map', 'a', 'b'], 'unknown argument: b; usage: kvabench map <dir>'],
    [['map', 'a', '--width'], '--width: needs a value'],
    [['report', 'x', '--format', 'pdf'], "--format: unknown value 'pdf'; did you mean '"],
    [
      ['layout', 'illumos-amd46'],
      "<platform>: unknown value 'illumos-amd46'; did you mean 'illumos-amd64'? (allowed: ",
    ],
    [['list', 'bakends'], "<what>: unknown value 'bakends'; did you mean 'backends'? (allowed: "],
    [[], 'say what to do: kvabench --help lists the commands'],
    [['trace'], 'say what to do with the trace: '],
  ])('%j', async (argv, message) => {
    const { exitCode, stdout, stderr } = await runCli(argv);
    expect(stderr).toContain(`kvabench: ${message}`);
    expect(stderr).toMatch(/^[^\n]+\n$/);
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
  });

  it('names an unknown option as it was written, once, and no spelling that yargs adds', async () => {
    const { stderr } = await runCli(['compare', 'a', 'b', '--fial-on', 'x']);
    expect(stderr).not.toMatch(/fialOn|failOn/);
  });

  it.each([
    [['--help']],
    [['trace', '--help']],
    [['trace', 'info', '--help']],
    [['trace', 'info', '-h']],
    [['--version']],
    [['list', '--json=true', '--', 'suites']],
  ])('%j is good usage', async (argv) => {
    const { exitCode, stdout, stderr } = await runCli(argv);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout).not.toBe('');
  });
});
