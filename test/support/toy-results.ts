import { planSuite } from '../../src/harness/plan.js';
import { ResultFolder } from '../../src/harness/result-folder.js';
import type { Suite } from '../../src/harness/suite.js';
import { recordRun } from '../../src/report/record-run.js';
import { TABLE_FILES } from '../../src/report/write-tables.js';
import { temporaryFolder } from './temporary-folder.js';
import { TOYS } from './toy.js';
import { toySuite } from './toy-suite.js';

/** The folder of a finished run of toys, removed when the test has finished; `changes` are laid over the toy suite. */
export async function toyResults(changes: Partial<Suite> = {}): Promise<string> {
  const path = temporaryFolder();
  const folder = ResultFolder.open(path, 'resume', TABLE_FILES);
  try {
    await recordRun(planSuite({ ...toySuite(), ...changes }, TOYS, '1'), folder, {
      workers: 0,
      signal: new AbortController().signal,
      registries: TOYS,
      version: '1',
      onProgress: () => {},
    });
  } finally {
    folder.close();
  }
  return path;
}
