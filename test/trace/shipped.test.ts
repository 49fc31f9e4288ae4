import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { openTrace, verifyDigest } from '../../src/trace/arrow-reader.js';
import { repositoryRoot, sharedPath } from '../support/shared.js';
import { importInto, temporaryFolder } from './support.js';

const folder = temporaryFolder();
const NAMES = ['linux612-forkstorm', 'linux612-mixed', 'linux612-net-kmem'];
const shipped = (name: string) => join(repositoryRoot, 'workloads/traces', `${name}.arrow`);

describe('shipped traces', () => {
  it.each(NAMES)('%s is whole, small and says where it comes from', (name) => {
    const trace = openTrace(shipped(name));
    verifyDigest(trace);
    expect(statSync(shipped(name)).size).toBeLessThan(1.5e6);
    expect(trace.metadata.name).toBe(name);
    expect(trace.metadata.provenance.source).toMatch(
      new RegExp(`^${name}[^ ]*, header and lines \\d+\\.\\.\\d+$`),
    );
    expect(trace.metadata.provenance.licence).toBe("kvabench's own recording");
    expect(trace.metadata.provenance.capture).toMatch(
      /^source: \S+ \(sha256 [0-9a-f]{64}\)\nwindow: header and lines \d+\.\.\d+\nmachine: .*\nrecorded: /,
    );
  });
});

const recordings = sharedPath('traces');
describe.skipIf(recordings === undefined)('shipped traces made again (needs ../shared)', () => {
  it.each(NAMES.slice(0, 2))('%s has the events of its window', async (name) => {
    const { metadata } = openTrace(shipped(name));
    const [, file, first, last] = /^source: (\S+) .*\nwindow: header and lines (\d+)\.\.(\d+)\n/.exec(
      metadata.provenance.capture,
    )!;
    const lines = gunzipSync(readFileSync(join(recordings!, file!)))
      .toString('latin1')
      .split('\n');
    const window = [...lines.slice(0, 12), ...lines.slice(Math.max(12, Number(first) - 1), Number(last))];
    const text = Buffer.from(`${window.join('\n')}\n`, 'latin1');
    const { trace } = await importInto(folder.path(`${name}.arrow`), { text });
    expect(trace.metadata.digest).toBe(metadata.digest);
    expect(trace.metadata.provenance.sourceDigest).toBe(metadata.provenance.sourceDigest);
  });
});
