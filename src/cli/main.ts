#!/usr/bin/env node
import { setFlagsFromString } from 'node:v8';
import { ENGINE_FLAGS } from '../core/engine-flags.js';
import { outliveReader } from './closed-pipe.js';

// They must be set before the code that they concern is compiled.
for (const flag of ENGINE_FLAGS) setFlagsFromString(flag);

outliveReader(process.stdout);
outliveReader(process.stderr);
const { runProgram } = await import('./program.js');
process.exitCode = await runProgram(process.argv.slice(2), process);
