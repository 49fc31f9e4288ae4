import { InputError } from '../../core/errors.js';
import { withSameFile } from '../backend-files.js';
import { REGISTRIES } from '../registries.js';
import { type Measurement, measureReplays, type TimingJob } from './measure.js';

/** What a timing process answers; an error's class would be lost on the way between processes. */
export type TimingAnswer = { readonly measurement: Measurement } | { readonly badInput: string };

/** Entry point of the processes that `launchTiming` starts: takes one job, answers it, and ends. */
process.once('message', async (job: TimingJob) => {
  process.send!(await answerJob(job), () => process.disconnect());
});

async function answerJob(job: TimingJob): Promise<TimingAnswer> {
  const { file } = job.plan.backend;
  try {
    const registries = file === undefined ? REGISTRIES : await withSameFile(REGISTRIES, file);
    return { measurement: measureReplays(job, registries) };
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return { badInput: error.message };
  }
}
