import { basename, resolve } from 'node:path';
import { InputError } from '../../core/errors.js';
import { writeWhole } from '../../core/files.js';
import { type AddressMap, readMap } from '../../harness/map/address-map.js';
import { mapFilesIn } from '../../harness/result-folder.js';
import { mapPage } from '../../report/map/map-page.js';
import { mapStrip } from '../../report/map/map-strip.js';
import { Results } from '../../report/read-results.js';
import type { Command } from '../command.js';
import { ExitCode, type Io } from '../io.js';
import { integerOption, singleOption } from '../option-values.js';
import { textWidth } from '../text-output.js';

type Arguments = Readonly<Record<string, unknown>>;

/** `kvabench map <dir>`: the address-space maps of a run as a page, or as text. */
export const mapCommand: Command = {
  usage: 'map <dir>',
  summary: 'Show the address-space maps of a run with --map: a page to scrub and zoom, or text',
  options: (yargs) =>
    yargs
      .positional('dir', { type: 'string', demandOption: true, describe: 'folder of results of run --map' })
      .option('format', { choices: ['html', 'text'] as const, default: 'html', describe: 'page or text' })
      .option('out', {
        type: 'string',
        requiresArg: true,
        describe: 'file of the page, - for stdout; default <dir>/map.html',
      })
      .option('slices', { type: 'string', requiresArg: true, describe: 'lines of text per map; default 16' })
      .option('width', { type: 'string', requiresArg: true, describe: 'characters per line of text' }),
  run(args, io) {
    const format = singleOption(args, 'format', String);
    const folder = String(args.dir);
    const maps = mapFilesIn(Results.open(folder).path).map(readMap);
    if (maps.length === 0) {
      throw new InputError('there are no maps', { file: folder, allowed: 'results of kvabench run --map' });
    }
    if (format === 'text') printStrips(maps, args, io);
    else writePage(maps, folder, args, io);
    return ExitCode.done;
  },
};

function printStrips(maps: readonly AddressMap[], args: Arguments, io: Io): void {
  refuse(args, 'out', 'not with --format text, which is printed', 'html');
  const slices = singleOption(args, 'slices', (text) => integerOption('slices', text, 1, 1024)) ?? 16;
  const asked = singleOption(args, 'width', (text) => integerOption('width', text, 40, 1000));
  const width = asked ?? textWidth(io);
  io.stdout.write(`${maps.map((map) => mapStrip(map, width, slices).join('\n')).join('\n\n')}\n`);
}

function writePage(maps: readonly AddressMap[], folder: string, args: Arguments, io: Io): void {
  for (const option of ['slices', 'width']) refuse(args, option, 'not with --format html', 'text');
  const path = singleOption(args, 'out', String) ?? `${folder.replace(/\/+$/, '')}/map.html`;
  const page = mapPage(`kvabench: ${basename(resolve(folder))}`, maps);
  if (path === '-') {
    io.stdout.write(page);
    return;
  }
  writeWhole(path, page);
  io.stdout.write(`${path}\n`);
}

/** @throws InputError where an option is given that only the other format knows. */
function refuse(args: Arguments, option: string, problem: string, format: string): void {
  if (args[option] !== undefined) {
    throw new InputError(problem, { field: `--${option}`, allowed: `--format ${format}` });
  }
}
