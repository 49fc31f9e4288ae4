import type { Argv } from 'yargs';
import { toolVersion } from '../../core/version.js';
import { onlyComponent } from '../../harness/component.js';
import { generateTrace } from '../../harness/generate-trace.js';
import { REGISTRIES, type Registries } from '../../harness/registries.js';
import { parseWorkloads } from '../../harness/workload-file.js';
import type { Command } from '../command.js';
import { integerOption, outputPath, singleOption } from '../option-values.js';
import { untilInterrupted } from './trace-import.js';

/** `kvabench trace generate`: a workload becomes an Arrow file. */
export const traceGenerateCommand: Command = traceGenerateCommandWith(REGISTRIES);

/** The command over registries of the caller's. */
export function traceGenerateCommandWith(registries: Registries): Command {
  return {
    usage: 'generate <workload>',
    summary: 'Write what a workload asks for as a trace',
    options: declare,
    run(args, io) {
      const output = outputPath(args, 'a file')!;
      const request = {
        workload: onlyComponent(
          parseWorkloads(String(args.workload), registries.workloads, process.cwd(), '<workload>'),
          {
            field: String(args.workload),
          },
        ),
        seed: singleOption(args, 'seed', (text) => integerOption('seed', text, 0, 2 ** 32 - 1)) ?? 1,
        output,
        overwrite: args.force === true,
        name: singleOption(args, 'name', String),
        licence: singleOption(args, 'licence', String),
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
