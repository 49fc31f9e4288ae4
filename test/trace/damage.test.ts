import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createContext, Script } from 'node:vm';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { InputError } from '../../src/core/errors.js';
import { openTrace } from '../../src/trace/arrow-reader.js';
import { TraceWriter } from '../../src/trace/arrow-writer.js';
import { runCli } from '../support/run-cli.js';
import { DESCRIPTION, rowsOf, temporaryFolder } from './support.js';

const folder = temporaryFolder();
const EVENTS = [
  [0, 0, 0, 0, 0, 64, -1, 0, 100],
  [5, 1, 0, 2, 1, 4096, 0, -1, -1],
  [9, 3, 1, 0, 0, 64, -1, 1, 100],
  [9, 2, 0, 0, 0, 128, -1, 1, 2 ** 52],
  [2 ** 40, 2, 1, 2, 1, 4096, -1, 1, -1],
];
/** A watchdog and no measurement: reading one of these files takes less than a millisecond. */
const LIMIT_MS = 10_000;

let whole: Buffer;
beforeAll(() => {
  const path = folder.path('whole.arrow');
  const writer = new TraceWriter(path, { blockRows: 2 });
  for (const row of EVENTS) writer.append(...(row as Parameters<TraceWriter['append']>));
  writer.finish(DESCRIPTION);
  whole = readFileSync(path);
  expect(rowsOf(openTrace(path))).toEqual(EVENTS);
});

/** What reading the bytes throws, `undefined` if nothing; a reader that does not end is stopped. */
function readingOf(bytes: Uint8Array): unknown {
  const path = folder.path('damaged.arrow');
  writeFileSync(path, bytes);
  watchdog.read = () => rowsOf(openTrace(path));
  try {
    CALL.runInContext(watchdog, { timeout: LIMIT_MS });
    return undefined;
  } catch (error) {
    return error;
  }
}

const CALL = new Script('read()');
const watchdog = createContext({}) as { read?: () => unknown };

function changed(at: number, mask: number): Buffer {
  const bytes = Buffer.from(whole);
  bytes[at]! ^= mask;
  return bytes;
}

describe('a damaged trace file is refused', () => {
  it('with any one bit or whole byte flipped', () => {
    for (let at = 0; at < whole.length; at++) {
      for (const mask of [1 << (at % 8), 0xff]) {
        const error = readingOf(changed(at, mask));
        if (!(error instanceof InputError)) {
          expect.fail(`byte ${at} of ${whole.length}, mask ${mask}: ${String(error)}`);
        }
      }
    }
  }, 300_000);

  it('cut off anywhere', () => {
    for (let length = 0; length < whole.length; length++) {
      expect(readingOf(whole.subarray(0, length)), `${length} bytes`).toBeInstanceOf(InputError);
    }
  }, 300_000);

  it('with any run of bytes overwritten, taken out, doubled or put in', () => {
    const runs = fc.record({
      at: fc.nat(whole.length - 1),
      removed: fc.nat(100),
      put: fc.uint8Array({ maxLength: 100 }),
    });
    const property = fc.property(runs, ({ at, removed, put }) => {
      const bytes = Buffer.concat([whole.subarray(0, at), put, whole.subarray(at + removed)]);
      fc.pre(!bytes.equals(whole));
      expect(readingOf(bytes)).toBeInstanceOf(InputError);
    });
    fc.assert(property, { numRuns: 500 });
  });

  it('before its first event is used in a run, with one message and no result', async () => {
    const bytes = changed(whole.indexOf(Buffer.from(Float64Array.of(64).buffer)), 1);
    writeFileSync(folder.path('run.arrow'), bytes);
    const suite = folder.path('suite.yaml');
    writeFileSync(
      suite,
      'name: t\nworkloads: [{ workload: replay, trace: run.arrow }]\nbackends: [first-fit-map]\n',
    );
    const { exitCode, stderr } = await runCli(['run', suite, '--out', folder.path('results')]);
    expect(stderr).toMatch(
      /^kvabench: .*run\.arrow: is damaged within bytes \d+ to \d+ \(cell .*\)\n.*1 of 1 cells failed.*\n$/,
    );
    expect(exitCode).toBe(1);
    expect(readdirSync(folder.path('results/cells'))).toEqual([]);
  });
});
