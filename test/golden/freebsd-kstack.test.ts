import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findCases, SHIPPED_CASES } from '../../src/harness/golden/find-cases.js';
import { freebsdKstackOracle } from '../../src/harness/golden/freebsd-kstack.js';
import { GoldenCase } from '../../src/harness/golden/golden-case.js';
import { verifyCase } from '../../src/harness/golden/verify.js';
import { CaseCopy } from '../support/case-copy.js';
import { sharedPath } from '../support/shared.js';

const shipped = join(SHIPPED_CASES, 'freebsd-kstack');
const shared = sharedPath('golden/freebsd-kstack');
const cases = findCases(shipped).map((directory) => [basename(directory), directory] as const);
const copy = () => new CaseCopy('ks-churn-1cpu', 'freebsd-kstack');

describe('kernel stacks are exact on the shipped vectors under all five layouts', () => {
  it('of which there are 9', () => {
    expect(cases).toHaveLength(9);
  });

  it.each(cases)('%s', (_name, directory) => {
    const golden = new GoldenCase(directory);
    expect(golden.variants).toHaveLength(5);
    expect(freebsdKstackOracle.unmodelled(golden)).toEqual({});
    expect(verifyCase(golden, freebsdKstackOracle)).toBeUndefined();
  });

  it('a checkpoint compares every column', () => {
    const golden = new GoldenCase(join(shipped, 'ks-swap-batch'));
    const model = freebsdKstackOracle.prepare(golden).start(true);
    model.advance(0, golden.operations.length);
    for (const table of freebsdKstackOracle.checkpointTables) {
      const wanted = golden.table(table).at(-1)!;
      expect({ seq: wanted.seq, ...model.checkpoint(table, wanted) }).toEqual(wanted);
    }
  });
});

describe('a wrong result is shown', () => {
  it('with the layout and both answers', () => {
    const { directory } = copy().editField('results-single.csv.gz', 4, 'pindex', '7');
    const mismatch = verifyCase(new GoldenCase(directory), freebsdKstackOracle);
    expect(mismatch?.what).toBe('kva,hit,pindex,pfns,clusters under single');
    expect(mismatch?.wanted).toMatch(/^0xfffffe00008\w+,1,7,/);
    expect(mismatch?.got).toBe(mismatch?.wanted.replace(',1,7,', ',1,2194,'));
  });

  it('in a checkpoint, with the column', () => {
    const { directory } = copy().editField('checkpoints-dense-unr.csv', 3, 'std_holes', '99');
    const mismatch = verifyCase(new GoldenCase(directory), freebsdKstackOracle);
    expect([mismatch?.what, mismatch?.wanted]).toEqual(['checkpoints-dense-unr.csv std_holes', '99']);
  });
});

describe('a wrong case is refused with the place of the mistake', () => {
  const opened = (damaged: CaseCopy) => () => {
    verifyCase(new GoldenCase(damaged.directory), freebsdKstackOracle);
  };
  it.each([
    ['op', 'fork', "ops.csv.gz:2: op: bad value 'fork'"],
    ['id', 'x', "ops.csv.gz:2: id: bad value 'x'"],
    ['arg', '-4', "ops.csv.gz:2: arg: bad value '-4'"],
    ['seq', '0x', "ops.csv.gz:2: seq: bad value '0x'"],
    ['op', 'exit', "ops.csv.gz:2: id: bad value '1' (allowed: a live stack)"],
    ['op', 'unnoise', "ops.csv.gz:2: id: bad value '1' (allowed: a live page)"],
  ])('%s %s', (field, value, message) => {
    expect(opened(copy().editField('ops.csv.gz', 2, field, value))).toThrow(message);
  });

  it('an id twice', () => {
    expect(opened(copy().editField('ops.csv.gz', 3, 'id', '1'))).toThrow('which lives already');
  });

  it('another header', () => {
    const damaged = copy().edit('ops.csv.gz', (text) => text.replace('seq,op', 'seq,operation'));
    expect(opened(damaged)).toThrow('ops.csv.gz:1: unexpected header');
  });

  it.each([
    ['"cpus": 1', '"cpus": 0', 'case.json: /params/cpus'],
    ['"single"', '"double"', 'case.json: /variants/1'],
  ])('%s', (text, by, message) => {
    expect(opened(copy().edit('case.json', (whole) => whole.replace(text, by)))).toThrow(message);
  });

  it('a result of no operation', () => {
    expect(opened(copy().editField('results-single.csv.gz', 2, 'seq', '99999'))).toThrow(
      "no operation '99999'",
    );
  });

  it.each(['checkpoints-single.csv', 'results-per-stack.csv.gz'])('without %s', (file) => {
    expect(opened(copy().remove(file))).toThrow(file);
  });
});

describe.skipIf(shared === undefined)('beside the shared vectors', () => {
  it.each(cases)('%s is shipped as it is there', (name, directory) => {
    for (const file of readdirSync(directory)) {
      const isSame = readFileSync(join(directory, file)).equals(readFileSync(join(shared!, name, file)));
      expect([file, isSame]).toEqual([file, true]);
    }
  });
});
