import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { shippedSuites } from '../../src/harness/catalogue.js';
import { parseComponents } from '../../src/harness/component.js';
import { schemaProblem } from '../../src/harness/schema-check.js';
import { readSuite } from '../../src/harness/suite.js';
import { SUITE_SCHEMA } from '../../src/harness/suite-schema.js';
import { YamlSource } from '../../src/harness/yaml-source.js';
import { inputErrorOf } from '../support/input-error.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { TOYS } from '../support/toy.js';

const GOOD = `name: demo
workloads:
  - toy-load
  - workload: toy-load
    name: long
    events: 800
backends:
  - toy-fit
  - backend: toy-fit
    size: 64KiB
    merge: false
seeds: [1, 7]
samples: 10
`;

function suiteFile(text: string): string {
  const path = join(temporaryFolder(), 'suite.yaml');
  writeFileSync(path, text);
  return path;
}

describe('readSuite', () => {
  it('looks up names, fills in defaults and turns lengths into numbers', () => {
    const suite = readSuite(suiteFile(GOOD), TOYS);
    expect(suite).toMatchObject({ name: 'demo', seeds: [1, 7], samples: 10 });
    expect(suite.cpus).toBeUndefined();
    expect(suite.digest).toMatch(/^[0-9a-f]{64}$/);
    expect(suite.workloads.map(({ label }) => label)).toEqual(['toy-load', 'long']);
    expect(suite.workloads[1]!.parameters).toMatchObject({ events: 800, block: 64 });
    expect(suite.backends.map(({ label }) => label)).toEqual(['toy-fit', 'toy-fit:size=64KiB,merge=false']);
    expect(suite.backends[1]!.parameters).toEqual({
      size: 65_536,
      quantum: 16,
      policy: 'first',
      merge: false,
      base: '0x0',
    });
  });

  it('counts seeds from 1 where it has a number of runs', () => {
    const text = GOOD.replace('seeds: [1, 7]', 'runs: 3');
    expect(readSuite(suiteFile(text), TOYS).seeds).toEqual([1, 2, 3]);
  });

  it('takes all backends, seed 1 and 200 samples where it says nothing', () => {
    const suite = readSuite(suiteFile('name: demo\nworkloads: [toy-load]\n'), TOYS);
    expect(suite).toMatchObject({ seeds: [1], samples: 200 });
    expect(suite.backends.map(({ name }) => name)).toEqual(['toy-fit']);
  });

  it('resolves paths against the folder of the file', () => {
    const path = suiteFile('name: demo\nworkloads: [{workload: toy-load, note: sub/x.txt}]\n');
    const [workload] = readSuite(path, TOYS).workloads;
    expect(workload!.parameters.note).toBe(join(path, '..', 'sub/x.txt'));
    expect(workload!.label).toBe('x');
  });

  it.each([
    ['an unknown key', GOOD.replace('seeds:', 'sedes:'), ":12:1: unknown key 'sedes'; did you mean 'seeds'?"],
    ['a wrong type', GOOD.replace('samples: 10', 'samples: ten'), ':13:10: samples: "ten" is not acceptable'],
    ['the allowed range', GOOD.replace('samples: 10', 'samples: 0'), '(allowed: integer, at least 1'],
    ['a missing key', 'workloads: [toy-load]\n', "the key 'name' is missing"],
    ['a bad seed in a list', GOOD.replace('[1, 7]', '[1, x]'), ':12:12: seeds.1: "x" is not acceptable'],
    ['a seed given twice', GOOD.replace('[1, 7]', '[7, 7]'), ':12:8: seeds: '],
    ['seeds and runs', `${GOOD}runs: 3\n`, 'both runs and seeds (allowed: one of them)'],
    ['a list that is none', 'name: x\nworkloads: toy-load\n', ':2:12: workloads: "toy-load" is not'],
    ['an item that is no backend', GOOD.replace('  - toy-fit\n', '  - 5\n'), ':8:5: backends.0: 5 is not'],
    ['a mapping without name', GOOD.replace('backend: toy-fit', 'merg: 1'), "the key 'backend' is missing"],
    [
      'an unknown backend',
      GOOD.replace('- toy-fit', '- toy-fitt'),
      ":8:5: unknown backend 'toy-fitt'; did you",
    ],
    ['an unknown workload', GOOD.replace('- toy-load', '- load'), ':3:5: unknown workload'],
    [
      'an unknown parameter',
      GOOD.replace('merge:', 'merg:'),
      ":11:11: unknown parameter of backend 'toy-fit' 'merg'",
    ],
    [
      'the parameters there are',
      GOOD.replace('merge:', 'merg:'),
      '(allowed: size, quantum, policy, merge, base)',
    ],
    ['a length that is none', GOOD.replace('64KiB', '64Kx'), ":10:11: size: '64Kx' is not a length"],
    ['a length below the minimum', GOOD.replace('64KiB', '0'), ':10:11: size: 0 is not acceptable'],
    [
      'a parameter of a wrong type',
      GOOD.replace('false', 'maybe'),
      ':11:12: merge: "maybe" is not acceptable',
    ],
    [
      'a number that is not exact',
      GOOD.replace('size: 64KiB', 'base: 0xffffc90000000001'),
      ':10:11: base: 18446683600570024000 is above 2^53, so not exact (allowed: the number in quotes)',
    ],
    ['no YAML', 'name: [\n', ':2:1:'],
    ['a key given twice', 'name: a\nname: b\n', ':2:1: Map keys must be unique'],
    ['an empty file', '', 'null is not acceptable'],
  ])('says where it found %s', (_name, text, message) => {
    const path = suiteFile(text);
    const got = inputErrorOf(() => readSuite(path, TOYS));
    expect(got).toContain(message);
    expect(got.startsWith(`${path}:`)).toBe(true);
  });

  it('says that a file is missing', () => {
    expect(inputErrorOf(() => readSuite('nowhere/x.yaml', TOYS))).toMatch(
      /^nowhere\/x.yaml: cannot read the suite/,
    );
  });

  it('accepts what the published schema describes', async () => {
    const published = `${JSON.stringify(
      { $schema: 'http://json-schema.org/draft-07/schema#', ...SUITE_SCHEMA },
      null,
      2,
    )}\n`;
    await expect(published).toMatchFileSnapshot('../../workloads/suite.schema.json');
  });
});

describe('shipped suites', () => {
  it.each(shippedSuites().map(({ name, path }) => [name, path]))(
    '%s fits the schema and bears its name',
    (name, path) => {
      const { value } = new YamlSource(readFileSync(path, 'utf8'), path);
      expect(schemaProblem(SUITE_SCHEMA, value)).toBeUndefined();
      expect(value).toMatchObject({ name });
    },
  );
});

describe('parseComponents', () => {
  const parse = (text: string) => parseComponents('backend', text, TOYS.backends, '/')[0]!;

  it('reads values in the types of the parameters', () => {
    expect(parse('toy-fit')).toMatchObject({ label: 'toy-fit', parameters: { merge: true } });
    expect(parse('toy-fit:size=8KiB,merge=false,policy=best,quantum=0x20,base=0x10')).toMatchObject({
      label: 'toy-fit:size=8KiB,merge=false,policy=best,quantum=0x20,base=0x10',
      parameters: { size: 8192, merge: false, policy: 'best', quantum: 32, base: '0x10' },
    });
  });

  it('reads lists with a plus between the items', () => {
    const text = 'toy-load:classes=kmem+va,events=5';
    const [workload] = parseComponents('workload', text, TOYS.workloads, '/');
    expect(workload!.parameters).toMatchObject({ classes: ['kmem', 'va'], events: 5 });
  });

  it.each([
    ['toy-fir', "-b: unknown backend 'toy-fir'; did you mean 'toy-fit'?"],
    ['toy-fit:', "'' is no parameter"],
    ['toy-fit:size', "'size' is no parameter"],
    ['toy-fit:size=1,size=2', 'given twice'],
    ['toy-fit:sice=1', "unknown parameter of backend 'toy-fit' 'sice'; did you mean 'size'?"],
    ['toy-fit:policy=worst', '-b policy: "worst" is not acceptable (allowed: "first" or "best")'],
    ['toy-fit:size=-5', "'-5' is not a length"],
    ['toy-fit:merge=yes', '"yes" is not acceptable (allowed: boolean)'],
  ])('refuses %s', (text, message) => {
    expect(inputErrorOf(() => parse(text))).toContain(message);
  });
});
