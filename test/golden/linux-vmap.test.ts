import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findCases, SHIPPED_CASES } from '../../src/harness/golden/find-cases.js';
import { GoldenCase } from '../../src/harness/golden/golden-case.js';
import { linuxVmapOracle } from '../../src/harness/golden/linux-vmap.js';
import { verifyCase } from '../../src/harness/golden/verify.js';
import { CaseCopy } from '../support/case-copy.js';
import { sharedPath } from '../support/shared.js';
import { casesAreShippedAsIn, namedCases } from '../support/shipped-cases.js';

const shipped = join(SHIPPED_CASES, 'linux-vmap');
const shared = sharedPath('golden/linux-vmap');

describe('the vmap of Linux 6.12 is exact on the shipped vectors', () => {
  it('of which there are 10', () => {
    expect(findCases(shipped)).toHaveLength(10);
  });

  it.each(namedCases(findCases(shipped)))('%s', (_name, directory) => {
    const golden = new GoldenCase(directory);
    expect(linuxVmapOracle.skipReason(golden)).toBeUndefined();
    expect(linuxVmapOracle.unmodelled(golden)).toEqual({});
    expect(verifyCase(golden, linuxVmapOracle)).toBeUndefined();
  });

  it('a checkpoint compares every column', () => {
    const golden = new GoldenCase(join(shipped, 'modules-2cpu'));
    const model = linuxVmapOracle.prepare(golden).start(true);
    const [wanted] = golden.table('checkpoints.csv');
    model.advance(0, Number(wanted!.seq));
    const got = model.checkpoint('checkpoints.csv', wanted!);
    expect({ seq: wanted!.seq, arena: 'vmap', ...got }).toEqual(wanted);
  });

  it('a difference in a count is told as a count', () => {
    const { directory } = new CaseCopy('modules-2cpu', 'linux-vmap').editField(
      'ops.csv.gz',
      200,
      'result',
      '9',
    );
    const mismatch = verifyCase(new GoldenCase(directory), linuxVmapOracle);
    expect(mismatch).toMatchObject({ seq: 199, what: 'result', wanted: '9', got: '1' });
  });
});

describe('a wrong case is refused with the place of the mistake', () => {
  it.each([
    ['op', 'grow', "ops.csv.gz:2: op: unknown operation 'grow'"],
    ['flags', 'now', "ops.csv.gz:2: flags: unknown flags 'now'"],
    ['align', '9007199254740994', "ops.csv.gz:2: align: bad value '9007199254740994'"],
  ])('%s', (field, value, message) => {
    const { directory } = new CaseCopy('modules-2cpu', 'linux-vmap').editField('ops.csv.gz', 2, field, value);
    expect(() => linuxVmapOracle.prepare(new GoldenCase(directory))).toThrow(message);
  });

  it.each([
    ['no number of CPUs', '"cpus"', '"apus"', 'case.json: /cpus: '],
    ['no first address', '"vmalloc_start"', '"start"', 'case.json: /arenas/0'],
    ['another limit of waiting pages', '16384', '16385', 'case.json: lazy_max_pages: '],
    ['another number of nodes', '"nodes": 2', '"nodes": 3', 'case.json: nodes: '],
  ])('%s', (_what, text, by, message) => {
    const { directory } = new CaseCopy('modules-2cpu', 'linux-vmap').edit('case.json', (whole) =>
      whole.replace(text, by),
    );
    expect(() => linuxVmapOracle.prepare(new GoldenCase(directory)).start(true)).toThrow(message);
  });
});

describe.skipIf(shared === undefined)('beside the shared vectors', () => {
  casesAreShippedAsIn(() => shared!, shipped);

  it('long-8cpu passes', () => {
    expect(verifyCase(new GoldenCase(join(shared!, 'long-8cpu')), linuxVmapOracle)).toBeUndefined();
  });
});
