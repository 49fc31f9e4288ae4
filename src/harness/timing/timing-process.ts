import { InputError } from '../../core/errors.js';
import { REGISTRIES } from '../registries.js';
import { type Measurement, measureReplays, type TimingJob } from './measure.js';

/** What a timing process answers; an error's class would be lost on the way between processes. */
export type TimingAnswer = { readonly measurement: Measurement } | { readonly badInput: string };

/** Entry point of the processes that `launchTiming` starts: takes one job, answers it, and ends. */
process.once('message', (job: TimingJob) => {
  process.send!(answerJob(job), () => process.disconnect());
});

function answerJob(job: TimingJob): TimingAnswer {
  try {
    return { measurement: measureReplays(job, REGISTRIES) };
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return { badInput: error.message };
  }
}
