import { beforeAll, describe, expect, it } from 'vitest';
import { RequestClass, RequestOp } from '../../src/core/request.js';
import { openTrace } from '../../src/trace/arrow-reader.js';
import { TraceWriter } from '../../src/trace/arrow-writer.js';
import { runCli } from '../support/run-cli.js';
import { DESCRIPTION, temporaryFolder } from './support.js';

const folder = temporaryFolder();
const ROWS = 150_000;

/** Interrupts a command as soon as it listens for that. */
async function interrupted(words: readonly string[]) {
  const onListener = (event: string | symbol) => {
    if (event === 'SIGINT') setImmediate(() => process.emit('SIGINT'));
  };
  process.on('newListener', onListener);
  try {
    return await runCli(words);
  } finally {
    process.removeListener('newListener', onListener);
  }
}

/** A trace of many rows of one size, named after it. */
function writeLong(name: string, size: number): void {
  const writer = new TraceWriter(folder.path(name));
  for (let row = 0; row < ROWS; row++) {
    const op = row % 2 === 0 ? RequestOp.alloc : RequestOp.free;
    writer.append(row, 0, op, RequestClass.va, 0, size, -1, -1, -1);
  }
  writer.finish({ ...DESCRIPTION, constraints: [], sites: [] });
}

beforeAll(() => {
  writeLong('long.arrow', 4096);
  writeLong('other.arrow', 8192);
});

describe('an interrupt', () => {
  const long = () => folder.path('long.arrow');
  const other = () => folder.path('other.arrow');
  it.each([
    ['convert to CSV', () => ['convert', long(), '--out', folder.path('out.csv')]],
    ['convert to Parquet', () => ['convert', long(), '--out', folder.path('out.parquet')]],
    ['cut', () => ['cut', long(), '--cpu', '0', '--out', folder.path('out.arrow')]],
    ['merge', () => ['merge', long(), other(), '--out', folder.path('out.arrow')]],
    ['generate', () => ['generate', 'churn:operations=200000', '--out', folder.path('out.arrow')]],
  ])('ends %s with exit code 130 and no file left behind', async (_what, words) => {
    const listeners = process.listenerCount('SIGINT');
    expect(await interrupted(['trace', ...words()])).toEqual({
      exitCode: 130,
      stdout: '',
      stderr: 'kvabench: interrupted; nothing was written\n',
    });
    expect(folder.names()).toEqual(['long.arrow', 'other.arrow']);
    expect(process.listenerCount('SIGINT')).toBe(listeners);
  });

  it.each(['csv', 'parquet'])('ends the way back from %s likewise', async (kind) => {
    const text = folder.path(`long.${kind}`);
    expect((await runCli(['trace', 'convert', long(), '--out', text, '--force'])).exitCode).toBe(0);
    const before = folder.names();
    const { exitCode } = await interrupted(['trace', 'convert', text, '--out', folder.path('out.arrow')]);
    expect(exitCode).toBe(130);
    expect(folder.names()).toEqual(before);
  });

  it('that nobody sends changes nothing: the pauses leave no trace', async () => {
    const out = folder.path('whole.arrow');
    expect((await runCli(['trace', 'merge', long(), other(), '--out', out])).exitCode).toBe(0);
    expect(openTrace(out).metadata.eventCount).toBe(2 * ROWS);
  });
});
