import { ResultFolder } from '../../harness/result-folder.js';
import { type Merge, readShards, writeMerged } from '../../report/merge-shards.js';
import { counted } from '../../report/notation.js';
import { TIMING_FILES } from '../../report/record-timing.js';
import { TABLE_FILES } from '../../report/write-tables.js';
import type { Command } from '../command.js';
import { ExitCode, type Io } from '../io.js';
import { outputPath, repeated } from '../option-values.js';
import { tell } from '../tell.js';

/** `kvabench merge SHARD.. --out DIR`: the parts of a suite that several machines ran, as one folder. */
export const mergeCommand: Command = {
  usage: 'merge <shard..>',
  summary: 'Put the results of the shards of one run together',
  options: (yargs) =>
    yargs
      .positional('shard', {
        type: 'string',
        array: true,
        describe: 'folders of results of kvabench run --shard i/n',
      })
      .option('out', { type: 'string', requiresArg: true, demandOption: true, describe: 'folder of results' })
      .option('force', { type: 'boolean', describe: 'replace the results in that folder' }),
  run: (args, io) => {
    const out = outputPath(args, 'a folder')!;
    const merge = readShards(repeated(args.shard)!);
    const mode = args.force === true ? 'force' : 'refuse';
    const ways = '--force to replace them, or another --out';
    write(merge, ResultFolder.open(out, mode, OWNED_FILES, ways), io);
    return ExitCode.done;
  },
};

/** What --force may replace. */
const OWNED_FILES = [...TABLE_FILES, ...TIMING_FILES];

function write(merge: Merge, folder: ResultFolder, io: Io): void {
  try {
    writeMerged(merge, folder);
    folder.settle();
  } catch (error) {
    folder.abandon();
    throw error;
  } finally {
    folder.close();
  }
  for (const warning of warningsOf(merge)) tell(io, warning);
  const { cells, missing, count } = merge;
  io.stdout.write(
    `${counted(cells.length, 'cell')} of ${count - missing.length} of ${count} shards\nresults: ${folder.path}\n`,
  );
}

function warningsOf({ parts, missing, count, cells }: Merge): string[] {
  const failed = cells.filter(({ failure }) => failure !== undefined).length;
  const commits = new Set(parts.map(({ results }) => results.run.commit));
  const isTimed = parts.some(({ results }) => results.has('timing'));
  return [
    ...(missing.length > 0 ? [`the cells of shard ${missing.join(', ')} of ${count} are missing`] : []),
    ...(failed > 0 ? [`${failed} of ${cells.length} cells have failed`] : []),
    ...(commits.size > 1 ? [`the shards are of different commits: ${[...commits].join(', ')}`] : []),
    ...(isTimed ? ['times are not merged: those of different machines do not compare'] : []),
  ];
}
