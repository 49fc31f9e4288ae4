import { basename, resolve } from 'node:path';
import { InputError } from '../../core/errors.js';
import { writeWhole } from '../../core/files.js';
import { readMap } from '../../harness/map/address-map.js';
import { mapFilesIn } from '../../harness/result-folder.js';
import { mapPage } from '../../report/map/map-page.js';
import { mapStrip } from '../../report/map/map-strip.js';
import { Results } from '../../report/read-results.js';
import type { Command } from '../command.js';
import { ExitCode } from '../io.js';
import { integerOption, singleOption } from '../option-values.js';

const DEFAULT_WIDTH = 100;

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
        describe: 'file of the page; default <dir>/map.html',
      })
      .option('slices', { type: 'string', requiresArg: true, describe: 'lines of text per map; default 16' })
      .option('width', { type: 'string', requiresArg: true, describe: 'characters per line of text' }),
  run(args, io) {
    const folder = String(args.dir);
    const maps = mapFilesIn(Results.open(folder).path).map(readMap);
    if (maps.length === 0) {
      throw new InputError('there are no maps', { file: folder, allowed: 'results of kvabench run --map' });
    }
    if (args.format === 'text') {
      if (args.out !== undefined) {
        throw new InputError('not with --format text, which is printed', {
          field: '--out',
          allowed: '--format html',
        });
      }
      const slices = singleOption(args, 'slices', (text) => integerOption('slices', text, 1, 1024)) ?? 16;
      const asked = singleOption(args, 'width', (text) => integerOption('width', text, 40, 1000));
      const width = asked ?? io.stdout.columns ?? DEFAULT_WIDTH;
      io.stdout.write(`${maps.map((map) => mapStrip(map, width, slices).join('\n')).join('\n\n')}\n`);
      return ExitCode.done;
    }
    const path = singleOption(args, 'out', (text) => text) ?? `${folder.replace(/\/+$/, '')}/map.html`;
    writeWhole(path, mapPage(`kvabench: ${basename(resolve(folder))}`, maps));
    io.stdout.write(`${path}\n`);
    return ExitCode.done;
  },
};
