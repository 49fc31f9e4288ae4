import { badCase } from '../../harness/golden/bad-case.js';
import { type BenchResult, benchCase } from '../../harness/golden/bench.js';
import { findCases, resolveCases, SHIPPED_CASES } from '../../harness/golden/find-cases.js';
import { GoldenCase } from '../../harness/golden/golden-case.js';
import { findOracle } from '../../harness/golden/registry.js';
import { findRowOracle } from '../../harness/golden/row-registry.js';
import type { Command } from '../command.js';
import { ExitCode, type Io } from '../io.js';
import { integerOption, singleOption } from '../option-values.js';
import { print, tell } from '../tell.js';

/** Each is kept until the median is known. */
const MOST_REPEATS = 1_000_000;

/** `kvabench bench [case..]`: how fast the models are, in CPU time per operation. */
export const benchCommand: Command = {
  usage: 'bench [case..]',
  summary: 'Time the models on golden cases: median CPU nanoseconds per operation',
  options: (yargs) =>
    yargs
      .positional('case', {
        type: 'string',
        array: true,
        describe: 'case directories, or names of shipped cases; default: all shipped ones',
      })
      .option('repeat', { type: 'string', default: '5', describe: 'timed replays per case' })
      .option('json', { type: 'boolean', default: false, describe: 'one JSON object per line and case' }),
  run: async (args, io) => {
    const repeats = singleOption(args, 'repeat', (text) => integerOption('repeat', text, 1, MOST_REPEATS))!;
    const given = (args.case as string[] | undefined) ?? [];
    const directories = given.length > 0 ? given.flatMap(resolveCases) : findCases(SHIPPED_CASES);
    let mismatches = 0;
    for (const directory of directories) {
      const rows = findRowOracle(directory);
      if (rows !== undefined) {
        tell(io, `skipped ${rows.name}/${rows.caseName(directory)}: no arena that could be timed`);
        continue;
      }
      const result = await benchOne(directory, repeats, io);
      if (result === undefined) continue;
      mismatches += result.mismatches;
      if (args.json === true) io.stdout.write(`${JSON.stringify(result)}\n`);
      else print(io, line(result));
    }
    return mismatches > 0 ? ExitCode.checkFailed : ExitCode.done;
  },
};

async function benchOne(directory: string, repeats: number, io: Io): Promise<BenchResult | undefined> {
  const golden = new GoldenCase(directory);
  const oracle = findOracle(golden.oracle);
  const reason = oracle === undefined ? `no model of ${golden.oracle} yet` : oracle.skipReason(golden);
  if (oracle !== undefined && reason === undefined) {
    try {
      return await benchCase(golden, oracle, repeats);
    } catch (error) {
      throw badCase(error, directory);
    }
  }
  tell(io, `skipped ${golden.oracle}/${golden.name}: ${reason}`);
  return undefined;
}

function line(result: BenchResult): string {
  const { operations, nsPerOp, minNsPerOp, maxNsPerOp, repeats, mismatches } = result;
  const wrong = mismatches > 0 ? `, ${mismatches} RESULTS DIFFER` : '';
  return (
    `${result.oracle}/${result.case}: ${nsPerOp.toFixed(1)} ns/op ` +
    `(${minNsPerOp.toFixed(1)}–${maxNsPerOp.toFixed(1)}, ${repeats} repeats of ${operations} operations${wrong})\n`
  );
}
