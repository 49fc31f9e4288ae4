import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findCases, SHIPPED_CASES } from '../../src/harness/golden/find-cases.js';
import { GoldenCase } from '../../src/harness/golden/golden-case.js';
import { netbsdUvmMapOracle } from '../../src/harness/golden/netbsd-uvm-map.js';
import { verifyCase } from '../../src/harness/golden/verify.js';
import { CaseCopy } from '../support/case-copy.js';
import { sharedPath } from '../support/shared.js';
import { casesAreShippedAsIn, namedCases } from '../support/shipped-cases.js';

const shipped = join(SHIPPED_CASES, 'netbsd-uvm-map');
const shared = sharedPath('golden/netbsd-uvm-map');

describe('the kernel maps of NetBSD 5.2 are exact on the shipped vectors', () => {
  it('of which there are 13', () => {
    expect(findCases(shipped)).toHaveLength(13);
  });

  it.each(namedCases(findCases(shipped)))('%s', (_name, directory) => {
    const golden = new GoldenCase(directory);
    expect(netbsdUvmMapOracle.skipReason(golden)).toBeUndefined();
    expect(netbsdUvmMapOracle.unmodelled(golden)).toEqual({});
    expect(verifyCase(golden, netbsdUvmMapOracle)).toBeUndefined();
  });

  it('a checkpoint compares every column', () => {
    const golden = new GoldenCase(join(shipped, 'vacache'));
    const model = netbsdUvmMapOracle.prepare(golden).start(true);
    const [wanted] = golden.table('checkpoints.csv');
    const got = model.checkpoint('checkpoints.csv', wanted!);
    expect({ seq: '-1', arena: 'kernel_map', ...got }).toEqual(wanted);
  });
});

describe('a wrong case is refused with the place of the mistake', () => {
  it.each([
    ['op', 'grow', "ops.csv.gz:2: op: unknown operation 'grow'"],
    ['arena', 'heap', 'ops.csv.gz:2: arena: unknown map'],
    ['flags', 'sticky', "ops.csv.gz:2: flags: unknown flag 'sticky'"],
  ])('%s', (field, value, message) => {
    const { directory } = new CaseCopy('kstack', 'netbsd-uvm-map').editField('ops.csv.gz', 2, field, value);
    expect(() => netbsdUvmMapOracle.prepare(new GoldenCase(directory))).toThrow(message);
  });
});

describe('a wrong case.json is refused with the field', () => {
  const without = (text: string, by: string) => () => {
    const { directory } = new CaseCopy('kstack', 'netbsd-uvm-map').edit('case.json', (whole) =>
      whole.replace(text, by),
    );
    netbsdUvmMapOracle.prepare(new GoldenCase(directory)).start(true);
  };
  it.each([
    ['no maps', '"maps"', '"charts"', 'case.json: arenas: no arenas (allowed: arenas, or maps, or variants)'],
    ['no boot', '"boot"', '"shoe"', 'case.json: /boot: '],
    ['a map with unknown flags', '"PAGEABLE"', '"SMALL"', 'case.json: /maps/0/flags: '],
    ['two maps of one name', '"kmem_map"', '"kernel_map"', "two arenas are named 'kernel_map'"],
    ['no room for a map', '0x500020000000', '0x500001100000', 'no room for a submap'],
  ])('%s', (_what, text, by, message) => {
    expect(without(text, by)).toThrow(message);
  });

  it.each([
    ['kmem', 'the case describes no pools'],
    ['poolget', 'the case describes no pools'],
  ])('an operation of layers that are not described: %s', (op, message) => {
    const { directory } = new CaseCopy('fixed-hint', 'netbsd-uvm-map').editField('ops.csv.gz', 2, 'op', op);
    expect(verifyCase(new GoldenCase(directory), netbsdUvmMapOracle)?.got).toContain(message);
  });

  it('a pool that is not described', () => {
    const { directory } = new CaseCopy('stack-2011', 'netbsd-uvm-map').edit('case.json', (whole) =>
      whole.replace('"dino2"', '"dino3"'),
    );
    const mismatch = verifyCase(new GoldenCase(directory), netbsdUvmMapOracle);
    expect(mismatch?.got).toContain('the case has no such pool');
  });

  it('a page of a KVA cache that the map has not', () => {
    const { directory } = new CaseCopy('fixed-hint', 'netbsd-uvm-map').editField(
      'ops.csv.gz',
      2,
      'op',
      'poolpage',
    );
    const mismatch = verifyCase(new GoldenCase(directory), netbsdUvmMapOracle);
    expect(mismatch?.got).toContain('the map has no KVA cache [map=fxi]');
  });
});

describe.skipIf(shared === undefined)('beside the shared vectors', () => {
  casesAreShippedAsIn(() => shared!, shipped);

  it('speed-300k passes', () => {
    const golden = new GoldenCase(join(shared!, 'speed-300k'));
    expect(verifyCase(golden, netbsdUvmMapOracle)).toBeUndefined();
  });
});
