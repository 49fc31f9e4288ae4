import { InputError } from '../../core/errors.js';
import { badCase } from '../../harness/golden/bad-case.js';
import { findCases, SHIPPED_CASES } from '../../harness/golden/find-cases.js';
import { GoldenCase } from '../../harness/golden/golden-case.js';
import { findOracle, ORACLES } from '../../harness/golden/registry.js';
import { type RowMismatch, type RowOracle, verifyRows } from '../../harness/golden/row-oracle.js';
import { findRowOracle } from '../../harness/golden/row-registry.js';
import { dumpAt, type Mismatch, verifyCase } from '../../harness/golden/verify.js';
import { verifyRecording } from '../../harness/recording/verify-recording.js';
import { readKvaRecording } from '../../trace/kva-recording.js';
import type { Command } from '../command.js';
import { ExitCode, type Io } from '../io.js';
import { repeated, singleOption } from '../option-values.js';
import { percentOption, sharesOf, verdictJson, verdictText } from '../recording-verdict.js';
import { print } from '../tell.js';

interface Tally {
  passed: number;
  failed: number;
  skipped: number;
  unreadable: number;
}

/** Options that only go with a recording. */
const RECORDING_OPTIONS = ['initial', 'at-least', 'json'];

/**
 * `kvabench verify [dir..]`: the models against vectors of the kernels' own C code; `--recording` the model of Linux's
 * vmap against the addresses that a running kernel gave.
 */
export const verifyCommand: Command = {
  usage: 'verify [dir..]',
  summary: "Replay golden vectors of the kernels' own C code and compare address by address",
  options: (yargs) =>
    yargs
      .positional('dir', {
        type: 'string',
        array: true,
        describe: 'directories with golden cases, searched downwards; default: those shipped',
      })
      .option('until', {
        type: 'string',
        describe:
          'replay one case up to this operation and print the tags of its arenas instead of comparing',
      })
      .option('recording', {
        type: 'string',
        describe: "replay a recording of Linux's vmap events through the model and compare its addresses",
      })
      .option('initial', {
        type: 'string',
        describe: '/proc/vmallocinfo from before the recording, or a tar archive with it',
      })
      .option('at-least', {
        type: 'string',
        describe:
          'share of addresses that must be predicted in printed order, such as 99.8%; else exit code 2',
      })
      .option('json', { type: 'boolean', describe: 'print the verdict on a recording as JSON' }),
  run: (args, io) => {
    if (args.recording !== undefined) return recording(args, io);
    const stray = RECORDING_OPTIONS.find((option) => args[option] !== undefined);
    if (stray !== undefined)
      throw new InputError('goes with a recording only', { field: `--${stray}`, allowed: '--recording' });
    const given = repeated(args.dir) ?? [];
    const until = singleOption(args, 'until', String);
    const directories = (given.length > 0 ? given : [SHIPPED_CASES]).flatMap(findCases);
    if (until !== undefined) return dump(directories, until, io);
    const tally: Tally = { passed: 0, failed: 0, skipped: 0, unreadable: 0 };
    for (const directory of directories) verifyOne(directory, tally, io);
    const skipped = tally.skipped > 0 ? `, ${tally.skipped} skipped` : '';
    print(io, `${tally.passed} passed, ${tally.failed + tally.unreadable} failed${skipped}\n`);
    if (tally.failed > 0) return ExitCode.checkFailed;
    return tally.unreadable > 0 ? ExitCode.badInput : ExitCode.done;
  },
};

/** The model of Linux's vmap against the addresses of a recording. */
async function recording(args: Readonly<Record<string, unknown>>, io: Io): Promise<ExitCode> {
  if (args.until !== undefined || ((args.dir as string[] | undefined) ?? []).length > 0)
    throw new InputError('stands alone', { field: '--recording', allowed: 'no directories, no --until' });
  const input = singleOption(args, 'recording', (text) => text)!;
  const initial = singleOption(args, 'initial', (text) => text);
  const least = singleOption(args, 'at-least', (text) => percentOption('at-least', text));
  const request = { input, stdin: io.stdin, ...(initial === undefined ? {} : { initial }) };
  const verdict = verifyRecording(await readKvaRecording(request));
  if (args.json === true) io.stdout.write(verdictJson(verdict));
  else print(io, verdictText(verdict));
  return least !== undefined && sharesOf(verdict).strict < least ? ExitCode.checkFailed : ExitCode.done;
}

function verifyOne(directory: string, tally: Tally, io: Io): void {
  try {
    const rowOracle = findRowOracle(directory);
    if (rowOracle !== undefined) {
      verifyVectors(rowOracle, directory, tally, io);
      return;
    }
    const golden = new GoldenCase(directory);
    const oracle = findOracle(golden.oracle);
    const reason = oracle === undefined ? `no model of ${golden.oracle} yet` : oracle.skipReason(golden);
    if (oracle === undefined || reason !== undefined) {
      tally.skipped++;
      print(io, `skipped ${golden.oracle}/${golden.name}: ${reason}\n`);
      return;
    }
    const mismatch = verifyCase(golden, oracle);
    if (mismatch === undefined) {
      tally.passed++;
      print(io, `passed  ${golden.oracle}/${golden.name}: ${golden.operations.length} operations\n`);
      return;
    }
    tally.failed++;
    print(io, `FAILED  ${golden.oracle}/${golden.name}\n${explain(mismatch, directory)}\n`);
  } catch (error) {
    // One unreadable case must not hide what the others say; it makes the command fail all the same.
    const problem = badCase(error, directory);
    tally.unreadable++;
    print(io, `UNREADABLE ${problem.message}\n`);
  }
}

function verifyVectors(oracle: RowOracle, path: string, tally: Tally, io: Io): void {
  const name = `${oracle.name}/${oracle.caseName(path)}`;
  const { rows, mismatch } = verifyRows(oracle, path);
  if (mismatch === undefined) {
    tally.passed++;
    print(io, `passed  ${name}: ${rows} ${oracle.unit}\n`);
    return;
  }
  tally.failed++;
  print(io, `FAILED  ${name}\n${explainRow(mismatch)}\n`);
}

function explainRow({ where, wanted, got, context }: RowMismatch): string {
  const lines = [`  first difference: ${where}`, `    wanted ${wanted}`, `    got    ${got}`];
  return [
    ...lines,
    ...context
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => `    ${line}`),
  ].join('\n');
}

function explain(mismatch: Mismatch, directory: string): string {
  const { seq, what, wanted, got, context } = mismatch;
  return [
    `  first difference after operation ${seq}: ${what}`,
    `    wanted ${wanted}`,
    `    got    ${got}`,
    ...context.split('\n').map((line) => `    ${line}`),
    `  replay up to it: kvabench verify ${directory} --until ${seq}`,
  ].join('\n');
}

function dump(directories: readonly string[], until: string, io: Io): ExitCode {
  if (directories.length !== 1) {
    throw new InputError(`${directories.length} cases named`, {
      field: '--until',
      allowed: 'exactly one case',
    });
  }
  if (findRowOracle(directories[0]!) !== undefined) {
    const place = { file: directories[0]!, field: '--until', allowed: 'a case of operations on arenas' };
    throw new InputError('rows of figures have no tags to print', place);
  }
  const golden = new GoldenCase(directories[0]!);
  const oracle = findOracle(golden.oracle);
  if (oracle === undefined) {
    const allowed = ORACLES.map(({ name }) => name).join(', ');
    throw new InputError(`no model of ${golden.oracle}`, { file: golden.directory, allowed });
  }
  const seq = operationNumber(until, golden);
  try {
    print(io, `${dumpAt(golden, oracle, seq)}\n`);
  } catch (error) {
    throw badCase(error, golden.directory);
  }
  return ExitCode.done;
}

/** @throws InputError unless the text numbers an operation, or is the number before that of the first. */
function operationNumber(text: string, golden: GoldenCase): number {
  const { seq } = golden.operations;
  const first = (seq[0] ?? 1) - 1;
  const last = seq[seq.length - 1] ?? first;
  const until = Number(text);
  if (/^\d+$/.test(text) && until >= first && until <= last) return until;
  throw new InputError(`'${text}'`, { field: '--until', allowed: `an operation from ${first} to ${last}` });
}
