#!/usr/bin/env node
import { setFlagsFromString } from 'node:v8';

// A whole allocation, from the replay loop down to the tag table, is worth one piece of machine code: where it is cut
// in two, every address that crosses the cut is boxed. V8's default budgets are just too small for that. They must
// be set before the code that they concern is compiled.
setFlagsFromString('--max-inlined-bytecode-size=1000');
setFlagsFromString('--max-inlined-bytecode-size-cumulative=4000');

const { runProgram } = await import('./program.js');
process.exitCode = await runProgram(process.argv.slice(2), process);
