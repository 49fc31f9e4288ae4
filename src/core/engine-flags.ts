/**
 * Flags of V8 that the program and the processes that time it run with. A whole allocation, from the replay loop down
 * to the tag table, is worth one piece of machine code: where it is cut in two, every address that crosses the cut is
 * boxed. V8's default budgets are just too small for that.
 */
export const ENGINE_FLAGS: readonly string[] = [
  '--max-inlined-bytecode-size=1000',
  '--max-inlined-bytecode-size-cumulative=4000',
];
