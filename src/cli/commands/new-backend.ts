import { existsSync, readFileSync } from 'node:fs';
import { BACKEND_NAME_ALLOWED, isBackendName } from '../../backend/user-backend.js';
import { InputError } from '../../core/errors.js';
import { writeWhole } from '../../core/files.js';
import { shippedPath } from '../../harness/provenance.js';
import { REGISTRIES } from '../../harness/registries.js';
import type { Command } from '../command.js';
import { ExitCode } from '../io.js';
import { singleOption } from '../option-values.js';

/** Name of the shipped example, which becomes that of the new backend. */
const EXAMPLE = 'my-backend';

/** `kvabench new backend NAME`: a file that passes conformance as it is. */
export const newBackendCommand: Command = {
  usage: 'backend <name>',
  summary: 'Write a backend that is whole and small, to be changed into your own',
  options: (yargs) =>
    yargs
      .positional('name', { type: 'string', demandOption: true, describe: 'its name' })
      .option('out', { type: 'string', requiresArg: true, describe: 'file to write; default ./NAME.js' }),
  run: (args, io) => {
    const name = requireName(String(args.name));
    const path = singleOption(args, 'out', String) ?? `./${name}.js`;
    requireNewFile(path);
    const example = readFileSync(shippedPath(`docs/${EXAMPLE}.js`), 'utf8');
    writeWhole(path, example.replace(`'${EXAMPLE}'`, `'${name}'`));
    io.stdout.write(
      [
        `${path}: a backend that keeps every promise as it is; the comments say what to change`,
        `  kvabench conformance ${path}`,
        `  kvabench run first-look -b ${path} -b first-fit-map\n`,
      ].join('\n'),
    );
    return ExitCode.done;
  },
};

function requireName(name: string): string {
  if (!isBackendName(name)) {
    throw new InputError(`'${name}' is no name of a backend`, { allowed: BACKEND_NAME_ALLOWED });
  }
  if (!REGISTRIES.backends.some((backend) => backend.name === name)) return name;
  throw new InputError(`'${name}' is the name of a backend that is shipped`, { allowed: 'another name' });
}

/** @throws InputError if something is there already, or the file could not be named in a run. */
function requireNewFile(path: string): void {
  if (!/\.m?js$/.test(path)) {
    throw new InputError('the name of the file is not that of a module', {
      file: path,
      field: '--out',
      allowed: 'a path that ends in .js or .mjs',
    });
  }
  if (existsSync(path)) {
    throw new InputError('the file exists', {
      file: path,
      field: '--out',
      allowed: 'a path that does not exist',
    });
  }
}
