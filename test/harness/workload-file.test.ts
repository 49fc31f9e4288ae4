import { readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { shippedSuites, shippedTraces, shippedWorkloads } from '../../src/harness/catalogue.js';
import { runCell } from '../../src/harness/cell.js';
import { onlyComponent, parseComponents } from '../../src/harness/component.js';
import { sha256 } from '../../src/harness/digest.js';
import { createWorkload, planSuite } from '../../src/harness/plan.js';
import { REGISTRIES } from '../../src/harness/registries.js';
import { schemaProblem } from '../../src/harness/schema-check.js';
import { readSuite } from '../../src/harness/suite.js';
import { isWorkloadFile, parseWorkloads } from '../../src/harness/workload-file.js';
import { WORKLOAD_SCHEMA } from '../../src/harness/workload-schema.js';
import { YamlSource } from '../../src/harness/yaml-source.js';
import { inputErrorOf } from '../support/input-error.js';
import { runCli } from '../support/run-cli.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { TOYS } from '../support/toy.js';
import { toySuite } from '../support/toy-suite.js';

const SINGLE = `name: mine
workload: toy-load
events: 80
note: sub/x.txt
`;

const PARTS = `name: both
description: two
parts:
  - workload: toy-load
    start: [1us, 5us]
    stop: 9us
    events: 20
  - workload: toy-load
    name: other
    start: 250
    keep: true
    note: x
`;

function file(text: string): string {
  const path = join(temporaryFolder(), 'w.yaml');
  writeFileSync(path, text);
  return path;
}

const parse = (text: string) => onlyComponent(parseWorkloads(text, TOYS.workloads, '/'), {});

describe('a workload file', () => {
  it('of one workload is that workload with its parameters, under the name of the file', () => {
    const path = file(SINGLE);
    expect(parse(path)).toMatchObject({
      name: 'toy-load',
      label: 'mine',
      parameters: { events: 80, note: join(dirname(path), 'sub/x.txt') },
      workloadFile: { name: 'mine', sha256: sha256(SINGLE) },
    });
  });

  it('of one workload takes other parameters from whoever names it', () => {
    const path = file(SINGLE);
    const component = parse(`${path}:events=7,note=y.txt`);
    expect(component).toMatchObject({
      label: 'mine:events=7,note=y.txt',
      parameters: { events: 7, note: '/y.txt' },
    });
    expect(inputErrorOf(() => parse(`${path}:evens=7`))).toContain(
      "-w evens: unknown parameter of workload 'toy-load'",
    );
  });

  it('of several workloads has parts with times', () => {
    const component = parse(file(PARTS));
    expect(component).toMatchObject({ name: 'combination', label: 'both', parameters: {} });
    expect(component.parts!.map(({ component, phases, keep }) => [component.label, phases, keep])).toEqual([
      [
        'toy-load',
        [
          { start: 1000, stop: 9000 },
          { start: 5000, stop: 9000 },
        ],
        false,
      ],
      ['other', [{ start: 250 }], true],
    ]);
    expect(structuredClone(component)).toEqual(component);
    expect(inputErrorOf(() => parse(`${file(PARTS)}:events=7`))).toContain(
      "-w events: workload 'both' is a combination, it has no parameters",
    );
  });

  it('may be named in a suite, relative to its folder', () => {
    const path = file(PARTS);
    const suite = join(dirname(path), 'suite.yaml');
    writeFileSync(suite, 'name: s\nworkloads:\n  - w.yaml\n  - workload: w.yaml\n    name: again\n');
    expect(readSuite(suite, TOYS).workloads.map(({ label }) => label)).toEqual(['both', 'again']);
    writeFileSync(suite, 'name: s\nworkloads:\n  - workload: w.yaml\n    events: 7\n');
    expect(inputErrorOf(() => readSuite(suite, TOYS))).toContain('suite.yaml:4:13: workload');
  });

  it.each([
    ['an unknown key', PARTS.replace('description', 'descripton'), ":2:1: unknown key 'descripton'"],
    ['a missing name', 'workload: toy-load\n', "the key 'name' is missing"],
    [
      'an unknown workload',
      SINGLE.replace('toy-load', 'toy-lod'),
      ":2:11: unknown workload 'toy-lod'; did you",
    ],
    [
      'an unknown part',
      PARTS.replace('- workload: toy-load', '- workload: x'),
      ":4:15: unknown workload 'x'",
    ],
    [
      'an unknown parameter',
      SINGLE.replace('events', 'evens'),
      ":3:8: unknown parameter of workload 'toy-load'",
    ],
    ['an unknown parameter of a part', PARTS.replace('note', 'nte'), ':12:10: unknown parameter of workload'],
    ['a wrong value', PARTS.replace('events: 20', 'events: x'), ':7:13: events: "x" is not acceptable'],
    ['a time that is none', PARTS.replace('5us', 'soon'), ":5:18: start: 'soon' is not a duration"],
    [
      'too many stops',
      PARTS.replace('stop: 9us', 'stop: [2us, 6us, 9us]'),
      ':6:11: stop: 3 times to stop for 2',
    ],
    ['no parts', 'name: x\nparts: []\n', ':2:8: parts: [] is not acceptable'],
    ['no YAML', 'name: [\n', ':2:1:'],
  ])('is refused for %s, with line and column', (_name, text, message) => {
    const path = file(text);
    const got = inputErrorOf(() => parse(path));
    expect(got).toContain(message);
    expect(got.startsWith(`${path}:`)).toBe(true);
  });

  it('that is missing is named', () => {
    expect(inputErrorOf(() => parse('/nowhere/x.yaml'))).toMatch(
      /^\/nowhere\/x.yaml: cannot read the workload/,
    );
  });

  it('is told from a suite', () => {
    expect(
      [SINGLE, PARTS, 'name: s\nworkloads: [x]\n', '5'].map((text) => isWorkloadFile(file(text))),
    ).toEqual([true, true, false, false]);
  });

  it('has the published schema', async () => {
    const published = `${JSON.stringify({ $schema: 'http://json-schema.org/draft-07/schema#', ...WORKLOAD_SCHEMA }, null, 2)}\n`;
    await expect(published).toMatchFileSnapshot('../../workloads/workload.schema.json');
  });

  it('reserves no key that a workload uses as a parameter', () => {
    const reserved = ['workload', 'name', 'description', 'parts', 'start', 'stop', 'keep'];
    for (const { name, parameters } of REGISTRIES.workloads) {
      expect(
        Object.keys(parameters.properties).filter((key) => reserved.includes(key)),
        name,
      ).toEqual([]);
    }
  });
});

describe('cells of a combination', () => {
  const cells = (text: string) => {
    const workloads = parseWorkloads(file(text), TOYS.workloads, '/');
    return planSuite({ ...toySuite(), workloads }, TOYS, '1').cells;
  };

  it('have a configuration without folders that every change changes', () => {
    const [one, again] = [cells(PARTS)[0]!, cells(PARTS)[0]!];
    expect(one.configurationDigest).toBe(again.configurationDigest);
    const changed = [
      PARTS,
      PARTS.replace('9us', '8us'),
      PARTS.replace('keep: true', 'keep: false'),
      PARTS.replace('20', '21'),
    ];
    expect(new Set(changed.map((text) => cells(text)[0]!.configurationDigest)).size).toBe(4);
    expect(JSON.stringify(one.configuration)).toContain(sha256(PARTS));
  });

  it('have the same result when they are sent to a worker', () => {
    const [cell] = cells(PARTS);
    expect(runCell(structuredClone(cell!), TOYS)).toEqual(runCell(cell!, TOYS));
  });

  it('name the part that cannot be built', () => {
    const text = 'name: x\nparts: [{workload: kstack, ramp: 2s, duration: 1s}]\n';
    const component = onlyComponent(parseWorkloads(file(text), REGISTRIES.workloads, '/'), {});
    expect(inputErrorOf(() => createWorkload(component, 1, REGISTRIES))).toContain(
      "workload 'x': part 'kstack': ramp: the population is never reached",
    );
  });
});

describe('shipped workloads', () => {
  it('have names that mean nothing else', () => {
    const names = [
      ...[shippedSuites(), shippedTraces(), shippedWorkloads()].flat().map(({ name }) => name),
      ...REGISTRIES.workloads.map(({ name }) => name),
    ];
    expect(names.filter((name, index) => names.indexOf(name) < index)).toEqual([]);
  });

  it.each(shippedWorkloads().map(({ name, path }) => [name, path]))(
    '%s fits the schema and runs',
    async (name, path) => {
      const { value } = new YamlSource(readFileSync(path, 'utf8'), path);
      expect(schemaProblem(WORKLOAD_SCHEMA, value)).toBeUndefined();
      expect(value).toMatchObject({ name: basename(path, '.yaml'), description: expect.any(String) });
      const suite = {
        ...toySuite(),
        workloads: parseWorkloads(name, REGISTRIES.workloads, '/'),
        backends: parseComponents('backend', 'first-fit-map', REGISTRIES.backends, '/'),
      };
      const [cell] = planSuite(suite, REGISTRIES, '1').cells;
      const direct = runCell(cell!, REGISTRIES);
      expect(direct.placementDigest).toMatch(/^[0-9a-f]{16}$/);
      const out = join(temporaryFolder(), 'x.arrow');
      expect((await runCli(['trace', 'generate', name, '--out', out])).exitCode).toBe(0);
      const workloads = parseWorkloads(`replay:trace=${out}`, REGISTRIES.workloads, '/');
      const [replayed] = planSuite({ ...suite, workloads }, REGISTRIES, '1').cells;
      expect(runCell(replayed!, REGISTRIES).placementDigest).toBe(direct.placementDigest);
    },
  );
});
