import type { Argv } from 'yargs';
import type { Verdict } from '../../conformance/promises.js';
import type { Command } from '../command.js';
import { ExitCode, type Io } from '../io.js';
import { integerOption, singleOption } from '../option-values.js';
import { print } from '../tell.js';

type Arguments = Readonly<Record<string, unknown>>;

/** A verdict and whose it is, as --json prints it. */
interface Judged extends Verdict {
  readonly backend: string;
}

/** `kvabench conformance backend..`: backends against the promises of their contract. */
export const conformanceCommand: Command = {
  usage: 'conformance <backend..>',
  summary: 'Hold backends, shipped or from a file, to every promise of the contract and to random histories',
  options,
  run: async (args, io) => {
    // The library of random histories is loaded by those who need it only.
    const { judgeBackend } = await import('../../harness/conformance-run.js');
    const judged: Judged[] = [];
    const isJson = args.json === true;
    for (const backend of args.backend as string[]) {
      await judgeBackend(
        {
          backend,
          seed: integer(args, 'seed', 0, 2 ** 32 - 1),
          histories: integer(args, 'histories', 1, 1e6),
        },
        {
          timeLimit: integer(args, 'time-limit', 1, 86_400),
          onVerdict(label, verdict) {
            judged.push({ backend: label, ...verdict });
            if (!isJson) print(io, `${verdictText(label, verdict)}\n`);
          },
        },
      );
    }
    return conclude(judged, isJson, io);
  },
};

function options(yargs: Argv): Argv {
  return yargs
    .positional('backend', {
      type: 'string',
      array: true,
      demandOption: true,
      describe: 'name, or path of a file, with parameters as in run: ./my-backend.js:size=1GiB',
    })
    .option('seed', {
      type: 'string',
      default: '0',
      requiresArg: true,
      describe: 'seed of the random histories',
    })
    .option('histories', {
      type: 'string',
      default: '100',
      requiresArg: true,
      describe: 'random histories that are tried, each of up to 150 operations',
    })
    .option('time-limit', {
      type: 'string',
      default: '60',
      requiresArg: true,
      describe: 'seconds that each promise may take',
    })
    .option('json', { type: 'boolean', describe: 'print JSON' });
}

/** An option that has a default. @throws InputError where it is given more often than once, or is no such integer. */
function integer(args: Arguments, option: string, minimum: number, maximum: number): number {
  return singleOption(args, option, (text) => integerOption(option, text, minimum, maximum))!;
}

function verdictText(label: string, { promise, kept, reason, exception, operations }: Verdict): string {
  if (kept) return `ok      ${label}: ${promise}`;
  if (exception !== '') return `known   ${label}: ${promise}\n        ${exception}`;
  const history = operations.length === 0 ? [] : ['the shortest history found:', ...operations.map(numbered)];
  const details = [...reason.split('\n'), ...history].map((line) => `        ${line}`);
  return [`FAILED  ${label}: ${promise}`, ...details].join('\n');
}

function numbered(operation: string, index: number): string {
  return `${String(index + 1).padStart(5)}  ${operation}`;
}

function conclude(judged: readonly Judged[], isJson: boolean, io: Io): ExitCode {
  const kept = judged.filter((verdict) => verdict.kept).length;
  const known = judged.filter(({ exception }) => exception !== '').length;
  const failed = judged.length - kept - known;
  const counts = `${kept} kept, ${failed} failed${known > 0 ? `, ${known} known` : ''}`;
  io.stdout.write(
    isJson ? `${JSON.stringify({ kept, failed, known, promises: judged }, null, 2)}\n` : `${counts}\n`,
  );
  return failed > 0 ? ExitCode.checkFailed : ExitCode.done;
}
