import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Type } from '@sinclair/typebox';
import { describe, expect, it } from 'vitest';
import { parseComponents } from '../../src/harness/component.js';
import { type RawParameters, typedFromText } from '../../src/harness/parameters.js';
import { planSuite } from '../../src/harness/plan.js';
import { readSuite } from '../../src/harness/suite.js';
import { spreadOut } from '../../src/harness/sweep.js';
import { inputErrorOf } from '../support/input-error.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { TOYS } from '../support/toy.js';
import { toySuite } from '../support/toy-suite.js';

const SCHEMA = Type.Object({
  count: Type.Integer(),
  share: Type.Number(),
  length: Type.Number({ format: 'bytes' }),
  names: Type.Array(Type.String()),
});

function points(raw: RawParameters): RawParameters[] {
  return spreadOut(SCHEMA, raw, () => ({})).points.map((point) => point.raw);
}

function valuesOf(name: string, value: unknown): unknown[] {
  return points({ [name]: value }).map((raw) => raw[name]);
}

describe('spreadOut', () => {
  it('leaves single values alone, and a list where the parameter is one', () => {
    const raw = { count: 1, length: '4KiB', names: ['a', 'b'] };
    expect(spreadOut(SCHEMA, raw, () => ({}))).toEqual({ swept: [], points: [{ raw, items: {} }] });
  });

  it('combines lists, the last varying fastest', () => {
    expect(points({ count: [1, 2], share: 0.5, length: [0, '4KiB'] })).toEqual([
      { count: 1, share: 0.5, length: 0 },
      { count: 1, share: 0.5, length: '4KiB' },
      { count: 2, share: 0.5, length: 0 },
      { count: 2, share: 0.5, length: '4KiB' },
    ]);
  });

  it.each([
    ['count', { from: 1, to: 4 }, [1, 2, 3, 4]],
    ['count', { from: 3, to: 8, step: 2 }, [3, 5, 7]],
    ['count', { from: 2, to: 2 }, [2]],
    ['count', { from: 1, to: 100, times: 10 }, [1, 10, 100]],
    ['share', { from: 0, to: 0.75, step: 0.25 }, [0, 0.25, 0.5, 0.75]],
    ['length', { from: '4KiB', to: '16KiB', times: 2 }, ['4KiB', '8KiB', '16KiB']],
    ['length', { from: 0, to: 1536, step: 512 }, [0, 512, '1KiB', 1536]],
    ['names', [['a'], ['a', 'b']], [['a'], ['a', 'b']]],
  ])('spreads out %s: %j', (name, value, values) => {
    expect(valuesOf(name, value)).toEqual(values);
  });

  it.each([
    [{ from: 2, to: 1 }],
    [{ from: 1, to: 2, step: 0 }],
    [{ from: 0, to: 2, times: 2 }],
    [{ from: 1, to: 8, times: 2, step: 1 }],
    [{ from: 'x', to: 8 }],
  ])('refuses %j', (range) => {
    expect(inputErrorOf(() => valuesOf('count', range))).toMatch(/^count: no range \(allowed: \{from/);
  });

  it.each([
    [{ from: 1 }, "count: the key 'to' is missing"],
    [{ from: 1, to: 2, by: 3 }, "count: unknown key 'by'"],
    [{ from: 1, to: 9, times: 1 }, 'count: count.times: 1 is not acceptable'],
    [[], 'count: an empty list'],
    [{ from: 1, to: 100_001 }, 'count: 100001 cells (allowed: at most 100000)'],
    [{ from: 1, to: 1e9, times: 1.000_001 }, '100001 cells'],
  ])('refuses %j', (value, message) => {
    expect(inputErrorOf(() => valuesOf('count', value))).toContain(message);
  });

  it('does not step by bytes where nobody said so, and refuses too many combinations by their number', () => {
    expect(inputErrorOf(() => valuesOf('length', { from: 0, to: 64 }))).toContain('no range');
    const thousand = { from: 1, to: 1000 };
    const raw = { count: thousand, share: thousand };
    expect(inputErrorOf(() => points(raw))).toBe('1000000 cells (allowed: at most 100000)');
  });
});

describe('a sweep in a suite', () => {
  const read = (text: string) => {
    const path = join(temporaryFolder(), 'suite.yaml');
    writeFileSync(path, text);
    return readSuite(path, TOYS);
  };

  it('makes a component of each combination, labelled by its values', () => {
    const { backends, workloads } = read(`name: demo
workloads: [{workload: toy-load, name: short, events: {from: 10, to: 20, step: 10}}]
backends: [{backend: toy-fit, size: [32KiB, 64KiB], merge: false}]
`);
    expect(workloads.map(({ label }) => label)).toEqual(['short:events=10', 'short:events=20']);
    expect(workloads.map(({ parameters }) => parameters.events)).toEqual([10, 20]);
    expect(backends.map(({ label }) => label)).toEqual([
      'toy-fit:size=32KiB,merge=false',
      'toy-fit:size=64KiB,merge=false',
    ]);
    expect(backends[1]).toMatchObject({ swept: ['size'], parameters: { size: 65_536, merge: false } });
  });

  it.each([
    ['size: [32KiB, 64Kx]', ":5:19: size: '64Kx' is not a length"],
    ['size: {from: 4KiB, to: 1KiB}', ':5:11: size: no range'],
    ['merge: [true, 7]', ':5:19: merge: 7 is not acceptable'],
    ['sise: {from: 4KiB, to: 1KiB}', ":5:11: unknown parameter of backend 'toy-fit' 'sise'"],
  ])('says where %s is wrong', (line, message) => {
    const text = `name: demo\nworkloads: [toy-load]\nbackends:\n  - backend: toy-fit\n    ${line}\n`;
    expect(inputErrorOf(() => read(text))).toContain(message);
  });

  it('is refused where all cells together are too many', () => {
    const seeds = Array.from({ length: 50_001 }, (_, index) => index);
    expect(inputErrorOf(() => planSuite({ ...toySuite(), seeds }, TOYS, '1'))).toBe(
      '100002 cells (allowed: at most 100000)',
    );
  });
});

describe('a sweep on the command line', () => {
  it('has bars between the values', () => {
    const components = parseComponents(
      'backend',
      'toy-fit:size=32KiB|64KiB,policy=first|best',
      TOYS.backends,
      '/',
    );
    expect(components.map(({ label }) => label)).toEqual([
      'toy-fit:size=32KiB,policy=first',
      'toy-fit:size=32KiB,policy=best',
      'toy-fit:size=64KiB,policy=first',
      'toy-fit:size=64KiB,policy=best',
    ]);
    expect(typedFromText(SCHEMA, { names: 'a+b|c' })).toEqual({ names: [['a', 'b'], ['c']] });
    expect(inputErrorOf(() => parseComponents('backend', 'toy-fit:size=4KiB|x', TOYS.backends, '/'))).toBe(
      "-b size: 'x' is not a length (allowed: a length in bytes such as 4096, 0x1000, 64KiB or 1.5G, at most 2^53)",
    );
  });
});
