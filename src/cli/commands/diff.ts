import type { Argv } from 'yargs';
import { InputError } from '../../core/errors.js';
import { toolVersion } from '../../core/version.js';
import { withBackendFiles } from '../../harness/backend-files.js';
import { compareInLockstep } from '../../harness/lockstep.js';
import { type CellPlan, planSuite } from '../../harness/plan.js';
import { REGISTRIES, type Registries } from '../../harness/registries.js';
import { counted } from '../../report/notation.js';
import { chooseSuites, chosenBackendFiles, type SuiteChoice } from '../choose-suites.js';
import type { Command } from '../command.js';
import { differenceData, differenceText } from '../difference-text.js';
import { ExitCode, type Io } from '../io.js';
import { type RunArguments, readChoice } from '../run-options.js';
import { print } from '../tell.js';

/** `kvabench diff <trace|workload> -b A -b B`: the first allocation that two backends place differently. */
export const diffCommand: Command = diffCommandWith(REGISTRIES);

/** The command over registries of the caller's. */
export function diffCommandWith(registries: Registries): Command {
  return {
    usage: 'diff [target]',
    summary: 'Show the first operation at which two backends place differently, with both arenas around it',
    options: declareOptions,
    run: (args, io) => run(args, registries, io),
  };
}

function declareOptions(yargs: Argv): Argv {
  return yargs
    .positional('target', {
      type: 'string',
      describe: 'trace (name or .arrow file), workload file (.yaml) or suite of one workload',
    })
    .option('backend', {
      alias: 'b',
      type: 'string',
      requiresArg: true,
      describe: 'backend, e.g. illumos-vmem:qcache_max=0 or ./my-backend.js; exactly two',
    })
    .option('workload', {
      alias: 'w',
      type: 'string',
      requiresArg: true,
      describe: 'workload instead of a target, e.g. kstack:threads=5000',
    })
    .option('seed', { type: 'string', requiresArg: true, describe: 'seed of the workload; default 1' })
    .option('cpus', { type: 'string', requiresArg: true, describe: 'simulated processors' })
    .option('relative', {
      type: 'boolean',
      describe: 'compare distances from the first object of each class, for kernels with different bases',
    })
    .option('json', { type: 'boolean', describe: 'print JSON' });
}

async function run(args: RunArguments, shipped: Registries, io: Io): Promise<ExitCode> {
  const { target } = args;
  const choice = readChoice({ ...args, target: target === undefined ? [] : [target] });
  const files = chosenBackendFiles(choice);
  const registries = files.length > 0 ? await withBackendFiles(shipped, files) : shipped;
  const cells = chooseTwo(choice, registries);
  const relative = args.relative === true;
  const result = compareInLockstep(cells, { relative }, registries);
  if (args.json === true) {
    io.stdout.write(`${JSON.stringify(differenceData(cells, relative, result), null, 2)}\n`);
  } else print(io, differenceText(cells, relative, result));
  return result.difference === undefined ? ExitCode.done : ExitCode.checkFailed;
}

/** The two cells to compare. @throws InputError where the command line means more, or fewer. */
function chooseTwo(choice: SuiteChoice, registries: Registries): readonly [CellPlan, CellPlan] {
  const suites = chooseSuites(choice, registries);
  const [suite] = suites;
  const backends = suite!.backends.map(({ label }) => label);
  if (backends.length !== 2) {
    throw new InputError(`${counted(backends.length, 'backend')} chosen`, {
      field: '--backend',
      allowed: 'exactly two, for example -b illumos-vmem -b illumos-vmem-noqc',
    });
  }
  if (backends[0] === backends[1]) {
    throw new InputError(`both are '${backends[0]}'`, {
      field: '--backend',
      allowed: 'two that differ, in name or in parameters',
    });
  }
  const cells = planSuite(suite!, registries, toolVersion()).cells;
  const [first, second] = cells;
  if (suites.length === 1 && cells.length === 2) return [first!, second!];
  const names = suites.flatMap((each) => each.workloads.map(({ label }) => label));
  throw new InputError(
    `${counted(names.length, 'workload')} and ${counted(suite!.seeds.length, 'seed')} chosen`,
    {
      allowed: `one workload (of ${names.join(', ')}) and one seed`,
    },
  );
}
