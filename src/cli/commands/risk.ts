import { InputError } from '../../core/errors.js';
import { alignedLines } from '../../report/aligned-text.js';
import { trialsWithoutFailure } from '../../report/binomial-interval.js';
import { csvText } from '../../report/csv.js';
import { failureRisk, type Risk, type RiskQuestion } from '../../report/failure-risk.js';
import { Results } from '../../report/read-results.js';
import { wrapWords } from '../../report/wrap-words.js';
import type { Command } from '../command.js';
import { ExitCode } from '../io.js';
import { singleOption } from '../option-values.js';
import { writeText } from '../text-output.js';

const CSV_HEAD = [
  'workload',
  'backend',
  'class',
  'runs',
  'failed_runs',
  'probability',
  'low',
  'high',
  'requests',
  'failures',
];
const HEAD = [
  'workload',
  'backend',
  'class',
  'runs',
  'failed',
  'share',
  'low',
  'high',
  'requests',
  'failures',
];

/** `kvabench risk folder..`: how likely a run is to fail, from the seeds of finished runs. */
export const riskCommand: Command = {
  usage: 'risk <folder..>',
  summary: 'Tell how likely a run fails, with exact intervals, from the seeds in folders of results',
  options: (yargs) =>
    yargs
      .positional('folder', { type: 'string', array: true, describe: 'folders of results, together' })
      .option('table', { type: 'string', default: 'failures', describe: 'table to look at, without .csv' })
      .option('column', {
        type: 'string',
        default: 'failures',
        describe: 'column of it that counts failures: a run with any has failed',
      })
      .option('level', { type: 'string', default: '0.95', describe: 'confidence of the interval' })
      .option('below', { type: 'string', default: '0.001', describe: 'probability to hold it against' })
      .option('csv', { type: 'boolean', describe: 'print CSV' })
      .option('json', { type: 'boolean', describe: 'print JSON' })
      .option('out', { type: 'string', requiresArg: true, describe: 'file to write instead of printing' })
      .conflicts('csv', 'json'),
  run: (args, io) => {
    const level = singleOption(args, 'level', (text) => fraction('level', text, 0.5))!;
    const below = singleOption(args, 'below', (text) => fraction('below', text, 1e-6))!;
    const table = singleOption(args, 'table', String)!;
    const question = { table, column: singleOption(args, 'column', String)!, level };
    const folders = (args.folder as string[]).map((path) => Results.open(path));
    const answer = { folders, question, below, risks: failureRisk(folders, question) };
    writeText(args, io, ({ width }) => outputText(answer, args, width));
    return ExitCode.done;
  },
};

/** What is printed, in one form or another. */
interface Answer {
  readonly folders: readonly Results[];
  readonly question: RiskQuestion;
  /** Probability to hold the intervals against. */
  readonly below: number;
  readonly risks: readonly Risk[];
}

function outputText(answer: Answer, args: Readonly<Record<string, unknown>>, width: number): string {
  if (args.csv === true) return csvText([CSV_HEAD, ...answer.risks.map(csvRow)]);
  return args.json === true ? jsonText(answer) : tableText(answer, width);
}

/** @throws InputError unless the text is a number from `minimum` up and below 1. */
function fraction(option: string, text: string, minimum: number): number {
  const value = /^(\d*\.)?\d+(e-?\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (value >= minimum && value < 1) return value;
  throw new InputError(`'${text}' is not acceptable`, {
    field: `--${option}`,
    allowed: `a number from ${minimum} up, below 1`,
  });
}

function csvRow(risk: Risk): (string | number)[] {
  const { workload, backend, cls, runs, failedRuns, interval, requests, failures } = risk;
  const { low, high } = interval;
  return [workload, backend, cls, runs, failedRuns, failedRuns / runs, low, high, requests, failures];
}

function jsonText({ folders, question, below, risks }: Answer): string {
  const data = {
    format: 'kvabench risk 1',
    folders: folders.map(({ path, run }) => ({ folder: path, version: run.version, commit: run.commit })),
    ...question,
    below,
    rows: risks.map((risk) => {
      const { cls, interval, ...rest } = risk;
      const probability = risk.failedRuns / risk.runs;
      return { ...rest, class: cls, probability, ...interval, verdict: verdict(risk, below) };
    }),
  };
  return `${JSON.stringify(data, null, 2)}\n`;
}

function tableText({ risks, below, question: { level } }: Answer, width: number): string {
  const rows = risks.map((risk) => [...textRow(risk), verdict(risk, below)]);
  const alignments = [...HEAD, ''].map((_, column) => (column < 3 || column > 9 ? 'left' : 'right'));
  const lines = alignedLines({
    rows: [[...HEAD, `below ${below}`], ...rows],
    alignments,
    gap: ' ',
    keys: 3,
    width,
  });
  const needed = trialsWithoutFailure(below, level);
  const note = `Intervals of Clopper and Pearson at ${level}; ${needed} runs without failure show less than ${below}.`;
  return `${[...lines, ...wrapWords(note, width)].join('\n')}\n`;
}

function textRow({ workload, backend, cls, runs, failedRuns, interval, requests, failures }: Risk): string[] {
  const shares = [failedRuns / runs, interval.low, interval.high].map((share) => share.toPrecision(3));
  return [workload, backend, cls, `${runs}`, `${failedRuns}`, ...shares, `${requests}`, `${failures}`];
}

/** Whether the probability is shown to be below a bound, shown to be above, or neither. */
function verdict({ interval: { low, high } }: Risk, below: number): string {
  if (high < below) return 'yes';
  return low > below ? 'no' : 'open';
}
