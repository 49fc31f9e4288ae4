import type { Argv } from 'yargs';
import { InputError } from '../../core/errors.js';
import { toolVersion } from '../../core/version.js';
import { onlyComponent } from '../../harness/component.js';
import { generateTrace } from '../../harness/generate-trace.js';
import { REGISTRIES, type Registries } from '../../harness/registries.js';
import { parseWorkloads } from '../../harness/workload-file.js';
import type { Command } from '../command.js';
import { integerOption, repeated } from '../option-values.js';
import { untilInterrupted } from './trace-import.js';

/** `kvabench trace generate`: a workload becomes an Arrow file. */
export const traceGenerateCommand: Command = traceGenerateCommandWith(REGISTRIES);

/** The command over registries of the caller's. */
export function traceGenerateCommandWith(registries: Registries): Command {
  return {
    usage: 'generate <workload>',
    summary: 'write what a workload asks for as a trace',
    options: declare,
    run(args, io) {
      const output = single(args, 'out')!;
      const request = {
        workload: onlyComponent(parseWorkloads(String(args.workload), registries.workloads, process.cwd()), {
          field: String(args.workload),
        }),
        seed: integerOption('seed', single(args, 'seed') ?? '1', 0, 2 ** 32 - 1),
        output,
        overwrite: args.force === true,
        name: single(args, 'name'),
        licence: single(args, 'licence'),
        tool: `kvabench ${toolVersion()}`,
      };
      return untilInterrupted(io, async (signal) => {
        const metadata = await generateTrace({ ...request, signal }, registries);
        const seconds = metadata.durationNs / 1e9;
        io.stdout.write(
          `${output}: ${metadata.eventCount} events in ${seconds} s, digest ${metadata.digest}\n`,
        );
      });
    },
  };
}

function declare(yargs: Argv): Argv {
  return yargs
    .positional('workload', {
      type: 'string',
      demandOption: true,
      describe: 'workload with its parameters, e.g. kstack:threads=500,duration=10s, or workload file',
    })
    .option('seed', { type: 'string', requiresArg: true, describe: 'seed; default 1' })
    .option('out', {
      alias: 'o',
      type: 'string',
      requiresArg: true,
      demandOption: true,
      describe: 'trace to write',
    })
    .option('force', { type: 'boolean', describe: 'replace an existing file' })
    .option('name', {
      type: 'string',
      requiresArg: true,
      describe: "name of the trace (default: the workload's)",
    })
    .option('licence', { type: 'string', requiresArg: true, describe: 'licence of the trace' });
}

function single(args: Readonly<Record<string, unknown>>, option: string): string | undefined {
  const values = repeated(args[option]);
  if (values !== undefined && values.length > 1) {
    throw new InputError('given more than once', { field: `--${option}` });
  }
  return values?.[0];
}
