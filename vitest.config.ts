import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    reporters: ['default', './test/plain-line-reporter.ts'],
    testTimeout: 120_000,
    // By default one processor is kept back, which on a machine of two doubles the time.
    maxWorkers: Math.max(2, availableParallelism() - 1),
  },
});
