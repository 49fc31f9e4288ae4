#!/usr/bin/env node
import { setFlagsFromString } from 'node:v8';
import { ENGINE_FLAGS } from '../core/engine-flags.js';
import { outliveReader } from './closed-pipe.js';
import { ExitCode } from './io.js';
import { tell } from './tell.js';

// They must be set before the code that they concern is compiled.
for (const flag of ENGINE_FLAGS) setFlagsFromString(flag);

outliveReader(process.stdout, (error) => {
  tell(process, `standard output: cannot write: ${error.message}`);
  process.exit(ExitCode.badInput);
});
outliveReader(process.stderr, () => process.exit(ExitCode.badInput));
const { runProgram } = await import('./program.js');
process.exitCode = await runProgram(process.argv.slice(2), process);
