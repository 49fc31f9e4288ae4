import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { describe, expect, it } from 'vitest';
import { RULE_SETS } from '../../src/memlock/rule-sets.js';
import { repositoryRoot } from '../support/shared.js';
import { figuresAreOfTables } from '../support/text-figures.js';

/**
 * Every figure in the text of results/reference/memlock, computed from the table that another test holds byte for byte.
 * A phrase of the text is written down here with its figures computed, and what is left of the text when all phrases are
 * taken out may have no number but those that say what was run.
 */
const folder = join(repositoryRoot, 'results/reference/memlock');
const text = readFileSync(join(folder, 'README.md'), 'utf8')
  .replace(/```[\s\S]*?```/g, '')
  .replace(/\s+/g, ' ');
const rows: readonly Record<string, string>[] = parse(readFileSync(join(folder, 'memlock.csv'), 'utf8'), {
  columns: true,
});

const WORKLOADS = ['x86', 'x86-viommu', 'x86-mdev', 'x86-nvme', 'x86-vdpa', 'ppc64le'] as const;
type Workload = (typeof WORKLOADS)[number];
const NAMES = RULE_SETS.map(({ name }) => name);
const SEEDS = ['1', '2', '3'];

/** A column added up over the seeds: three weeks. */
function total(workload: Workload, rules: string, column: string): bigint {
  const found = rows.filter((row) => row.workload === workload && row.rules === rules);
  expect(found.map(({ seed }) => seed)).toEqual(SEEDS);
  return found.reduce((sum, row) => sum + BigInt(row[column]!), 0n);
}

const tebi = (byteHours: bigint): number => Number(byteHours) / 2 ** 40;

/** Byte-hours in TiB·h, as the text has them. */
function hours(workload: Workload, rules: string, what: string): string {
  return tebi(total(workload, rules, `${what}_byte_hours`)).toFixed(1);
}

function percent(share: number): string {
  return `${(100 * share).toFixed(0)} %`;
}

/** Whether the rules do not count such devices at all. */
function knowsNothing(workload: Workload, rules: string): boolean {
  return total(workload, rules, 'refused_attaches') === total(workload, rules, 'attaches');
}

function excessRows(): string[] {
  return NAMES.map((rules) => {
    const cells = WORKLOADS.map((workload) =>
      knowsNothing(workload, rules) ? '–' : hours(workload, rules, 'excess'),
    );
    return `| ${rules} | ${cells.join(' | ')} |`;
  });
}

function refusalRows(): string[] {
  const kinds = ['starts', 'attaches', 'plugs'];
  const cell = (workload: Workload, rules: string, prefix: string) =>
    kinds.map((kind) => total(workload, rules, `${prefix}${kind}`)).join(' / ');
  return [
    `| of | ${WORKLOADS.map((workload) => cell(workload, 'posted', '')).join(' | ')} |`,
    ...NAMES.map((rules) => {
      const cells = WORKLOADS.map((workload) => {
        const refused = cell(workload, rules, 'refused_');
        return refused === '0 / 0 / 0' ? '0' : refused;
      });
      return `| ${rules} | ${cells.join(' | ')} |`;
    }),
  ];
}

function x86Phrases(): string[] {
  const before = total('x86', '1.3.0', 'excess_byte_hours');
  const after = total('x86', '1.3.1', 'excess_byte_hours');
  const idle = (rules: string) => hours('x86', rules, 'idle_excess');
  expect(idle('1.3.0')).toBe(hours('x86', '1.3.0', 'excess'));
  for (const name of ['2015-11-11', 'posted']) expect(total('x86', name, 'excess_byte_hours')).toBe(before);
  const times =
    tebi(total('x86', '1.3.0', 'limit_byte_hours')) / tebi(total('x86', '1.3.0', 'locked_byte_hours'));
  return [
    `**${hours('x86', '1.3.0', 'excess')} TiB·h** of excess in three weeks`,
    `${times.toFixed(1)} times what was locked`,
    `**1.3.1 took ${percent(1 - Number(after) / Number(before))} of it away**`,
    `left ${hours('x86', '1.3.1', 'excess')}`,
    `rolled-back attaches of 5.8.0 a little more (${hours('x86', '5.8.0', 'excess')})`,
    `since 7.2.0 it is ${hours('x86', '7.2.0', 'excess')}, of which ${idle('7.2.0')}`,
  ];
}

function deviceKindPhrases(): string[] {
  const today = NAMES.at(-1)!;
  const behind = (what: string) => hours('x86-viommu', today, what);
  const refused = (kind: string) => total('x86-viommu', '1.3.1', `refused_${kind}`);
  const all = (kind: string) => total('x86-viommu', '1.3.1', kind);
  expect(total('x86-viommu', '8.7.0', 'refused_attaches')).toBe(0n);
  return [
    `refuse ${refused('attaches')} of ${all('attaches')} attaches and ${refused('plugs')} of ${all('plugs')} plugs`,
    `cost ${behind('excess')} TiB·h of excess for ${hours('x86-viommu', '7.2.0', 'excess')}`,
    `${behind('idle_excess')} of it without a device`,
    `Mediated devices cost ${hours('x86-mdev', '5.8.0', 'excess')}`,
    `vDPA ${hours('x86-vdpa', today, 'excess')} with up to two of them`,
    `refused ${total('x86-nvme', '6.0.0', 'refused_attaches')} of ${total('x86-nvme', '6.0.0', 'attaches')} NVMe attaches`,
    `none since 9.4.0, with ${hours('x86-nvme', today, 'excess')} TiB·h, ${hours('x86-nvme', today, 'idle_excess')} of it without a device`,
  ];
}

function ppc64Phrases(): string[] {
  const of = (rules: string) => hours('ppc64le', rules, 'excess');
  const starts = total('ppc64le', '2015-11-11', 'refused_starts');
  expect(of('7.2.0')).toBe(of(NAMES.at(-1)!));
  expect(total('ppc64le', '5.8.0', 'excess_byte_hours')).toBe(0n);
  expect(total('ppc64le', '6.0.0', 'excess_byte_hours')).toBe(0n);
  return [
    `refused ${starts} of ${total('ppc64le', '2015-11-11', 'starts')} starts`,
    `as posted left ${of('posted')} TiB·h; as merged in 1.3.0, without the fourth patch, ${of('1.3.0')}`,
    `5.8.0 and 6.0.0 left nothing at all`,
    `**since 7.2.0 ${of('7.2.0')} TiB·h**`,
  ];
}

const PHRASES = [excessRows, refusalRows, x86Phrases, deviceKindPhrases, ppc64Phrases];

/** Numbers that are no results: releases and dates, the load, what libvirt computes, plain names. */
const GIVEN = [
  'x86|ppc64le|ppc64|aarch64|s390x|East-1',
  'since 2015|of 2015|2015-11-18|2015-11-11|2026',
  'seeds 1 to 3|three weeks|512 GiB|64 KiB|1 GiB|2 %|10 %|1 TiB|2 MiB',
  '\\d+\\.\\d+\\.\\d+',
];

describe('the text on locked memory', () => {
  figuresAreOfTables(text, PHRASES, GIVEN);

  it('is right that each rule set sees the same life', () => {
    for (const workload of WORKLOADS) {
      for (const column of ['starts', 'attaches', 'detaches', 'plugs', 'unplugs', 'locked_byte_hours']) {
        expect(new Set(NAMES.map((rules) => total(workload, rules, column))).size, column).toBe(1);
      }
    }
  });
});
