import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { describe, expect, it } from 'vitest';
import { repositoryRoot } from '../support/shared.js';
import { figuresAreOfTables } from '../support/text-figures.js';

type Rows = readonly Record<string, string>[];

/**
 * Every figure in the text of results/reference/freebsd-kstack, computed from the tables that another test holds byte for
 * byte. A phrase of the text is written down here with its figures computed, and what is left of the text when all phrases
 * are taken out may have no number but those that say what was run.
 */
const folder = join(repositoryRoot, 'results/reference');
const text = readFileSync(join(folder, 'freebsd-kstack/README.md'), 'utf8')
  .replace(/```[\s\S]*?```/g, '')
  .replace(/\s+/g, ' ');
const summary = table('freebsd-kstack/summary.csv');
const swap = table('freebsd-kstack/swap.csv');
const superpages = table('freebsd-superpages/superpages.csv');

const OBJECT = 'freebsd-kstack-per-object';
const SINGLE = 'freebsd-kstack-single';
const DENSE = 'freebsd-kstack-dense';
const UNIT = 'dense-unit';
const SHARED = [SINGLE, DENSE];

function table(file: string): Rows {
  return parse(readFileSync(join(folder, file), 'utf8'), { columns: true });
}

/** A figure of the last row of a cell: that at the end of the run. */
function at(rows: Rows, key: Record<string, string>, column: string): number {
  const row = rows.findLast((each) => Object.entries(key).every(([name, value]) => each[name] === value));
  if (row?.[column] === undefined) throw new Error(`no ${column} of ${JSON.stringify(key)}`);
  return Number(row[column]);
}

function of(workload: string, backend: string, column: string): number {
  return at(summary, { workload, backend }, column);
}

/** A figure of superpages.csv. */
function extents(backend: string, cls: string, column: string): number {
  return at(superpages, { backend, class: cls }, column);
}

/** A figure of swap.csv when `swapping` ends. */
function swapped(backend: string, column: string): number {
  return at(swap, { workload: 'swapping', backend }, column);
}

/** 979032 as 979 032; up to four digits stay together, but for those of a table of longer ones. */
function grouped(value: number, least = 5): string {
  const digits = String(value);
  return digits.length < least ? digits : digits.replace(/\B(?=(\d{3})+$)/g, ' ');
}

function percent(share: number, digits = 0): string {
  return `${(100 * share).toFixed(digits)} %`;
}

function fewer(from: number, to: number): string {
  return percent(1 - to / from);
}

function emptyShare(backend: string): string {
  const holes = of('fork-storms', backend, 'stack_index_holes');
  return percent(holes / of('fork-storms', backend, 'stack_index_span'));
}

function memoryRows(): string[] {
  const threads = ['100', '2000', '20000'];
  return threads.map((count) => {
    const bytes = [OBJECT, SINGLE, DENSE, UNIT].map((backend) =>
      grouped(of(`threads-${count}`, backend, 'stack_object_bytes'), 4),
    );
    return `| ${[grouped(Number(count)), ...bytes].join(' | ')} |`;
  });
}

function memoryPhrases(): string[] {
  const bytes = (backend: string) => of('threads-20000', backend, 'stack_object_bytes');
  const stacks = of('threads-20000', OBJECT, 'stack_objects');
  const each = (backend: string) => (bytes(backend) / stacks).toFixed(0);
  const mega = (backend: string) => `${(bytes(backend) / 1e6).toFixed(1)} MB`;
  const taken = (of('threads-20000', OBJECT, 'peak_live_bytes') / 2 ** 20).toFixed(0);
  return [
    ...memoryRows(),
    `costs ${each(OBJECT)} bytes per stack, a single one ${each(SINGLE)}, a dense one ${each(DENSE)}`,
    `**${mega(OBJECT)} become ${mega(SINGLE)} or ${mega(DENSE)}** for 20 000 threads, of ${taken} MiB`,
  ];
}

function fillPhrases(): string[] {
  const figure = (backend: string, column: string) => of('threads-20000', backend, column);
  const fill = (backend: string) => percent(figure(backend, 'stack_reservation_fill'), 1);
  const full = (backend: string) => figure(backend, 'stack_reservations_full');
  const all = (backend: string) => figure(backend, 'stack_reservations');
  const holes = (backend: string) => grouped(figure(backend, 'stack_index_holes'));
  const span = (backend: string) => grouped(figure(backend, 'stack_index_span'));
  const share = figure(DENSE, 'stack_index_holes') / figure(DENSE, 'stack_index_span');
  const stormFill = (backend: string) => percent(of('fork-storms', backend, 'stack_reservation_fill'));
  expect(full(SINGLE)).toBe(0);
  return [
    `**${fill(SINGLE)}, and not one of ${all(SINGLE)} is full**`,
    `**${fill(DENSE)}, and ${full(DENSE)} of ${all(DENSE)} are**`,
    `${full(UNIT)} of ${all(UNIT)} are full, and ${fill(UNIT)} is filled`,
    `(${holes(SINGLE)} of ${span(SINGLE)}, one per guard page), ${percent(share)} for \`dense\` (${holes(DENSE)} of ${span(DENSE)}:`,
    `${emptyShare(SINGLE)} of the span is empty in \`single\`, ${emptyShare(DENSE)} in \`dense\`, ${emptyShare(UNIT)} by unit number`,
    `filled to ${[SINGLE, DENSE, UNIT]
      .map(stormFill)
      .join(', ')
      .replace(/, (?=[^,]*$)/, ' and ')}`,
  ];
}

function contiguityPhrases(): string[] {
  const share = (workload: string) => percent(of(workload, OBJECT, 'stack_contiguous'));
  const longest = (backend: string) => of('pools', backend, 'stack_run_longest');
  const live = of('threads-2000', UNIT, 'live_objects');
  expect(of('threads-20000', OBJECT, 'stack_contiguous')).toBe(0);
  expect(of('threads-2000', UNIT, 'stack_contiguous')).toBe((live - 1) / live);
  return [
    `(0 of 20 000; ${share('pools')} in \`pools\`, ${share('linux612-forkstorm')} on the recorded fork storm of a Linux 6.12 kernel, ${share('swapping')} after swapping)`,
    `(by unit number all but one of ${live}, once)`,
    `a run of ${grouped(of('threads-20000', OBJECT, 'stack_run_longest'))}.`,
    `longest run is ${longest(OBJECT)} pages, that of \`single\` ${longest(SINGLE)} (the largest`,
    `that of \`dense\` ${longest(DENSE)};`,
  ];
}

function swapPhrases(): string[] {
  const figure = (backend: string, column: string) => of('swapping', backend, `stack_${column}`);
  const writes = (backend: string) => figure(backend, 'swap_writes');
  const pages = (backend: string) => figure(backend, 'cluster_pages').toFixed(1);
  const waiting = 'dense-many-wait';
  const kilo = (backend: string) => `${(swapped(backend, 'swap_metadata_bytes') / 1e3).toFixed(0)} kB`;
  const blocks = (backend: string) => swapped(backend, 'swap_metadata_blocks');
  expect([writes(SINGLE), pages(SINGLE)]).toEqual([writes(OBJECT), pages(OBJECT)]);
  const reads = [OBJECT, SINGLE, DENSE].map((backend) => figure(backend, 'swap_reads'));
  const space = [OBJECT, SINGLE, DENSE].map((backend) => swapped(backend, 'swap_blocks'));
  expect([new Set(reads).size, new Set(space).size]).toEqual([1, 1]);
  return [
    `**the same clusters: ${writes(OBJECT)} writes of ${pages(OBJECT)} pages**`,
    `writes ${writes(DENSE)} of ${pages(DENSE)}, **${fewer(writes(OBJECT), writes(DENSE))} fewer**`,
    `clusters of ${pages(waiting)} pages when 4096 wait`,
    `${writes(waiting)} writes, and ${figure(waiting, 'swap_reads')} reads for ${reads[0]}`,
    `The ${space[0]} pages of swap space`,
    `need ${kilo(OBJECT)} of metadata with an object each, ${kilo(SINGLE)} with one and ${kilo(DENSE)} with`,
    `${blocks(OBJECT)}, ${blocks(SINGLE)} and ${blocks(DENSE)} of them`,
  ];
}

function lockAndSpacePhrases(): string[] {
  const locks = (workload: string, backend: string) => of(workload, backend, 'stack_object_locks');
  const [before, after] = [locks('pools', OBJECT), locks('pools', SINGLE)];
  const swapLocks = [locks('swapping', OBJECT), locks('swapping', SINGLE)] as const;
  expect(swapLocks[1] - swapLocks[0]).toBe(of('swapping', SINGLE, 'stack_swap_reads'));
  const space = (workload: string, backend: string) => of(workload, backend, 'va_per_peak_live');
  const times = space('threads-100', DENSE) / space('threads-100', OBJECT);
  const more = space('threads-20000', DENSE) / space('threads-20000', OBJECT) - 1;
  expect(times).toBe(3);
  return [
    `with \`pools\` ${grouped(before)} with an object each and ${grouped(after)} with one, **${fewer(before, after)} fewer**`,
    `With swapping ${swapLocks[0]} become ${swapLocks[1]}`,
    `(${space('threads-100', DENSE).toFixed(1)} times the live bytes for ${space('threads-100', OBJECT).toFixed(1)}), at 20 000 ${percent(more)} more`,
  ];
}

function superpagePhrases(): string[] {
  const stacks = (backend: string, cls: string) => percent(extents(backend, cls, 'stack_share'));
  const rows = ['own', 'kernel', 'domain'].map((backend) => {
    const counts = ['kmem', 'va'].flatMap((cls) =>
      ['extents', 'with_stacks'].map((column) => extents(backend, cls, column)),
    );
    return `| \`${backend}\` | ${counts.join(' | ')} |`;
  });
  const whole = ['own', 'kernel', 'domain'].map((backend) => extents(backend, 'kmem', 'whole'));
  expect(extents('own', 'va', 'with_stacks')).toBe(0);
  return [
    ...rows,
    `**${stacks('kernel', 'va')} of the ranges' extents**, or ${stacks('domain', 'kmem')} of the heap's`,
    `none of the ranges' and ${stacks('own', 'kmem')} of the heap's`,
    `${whole[0]}, ${whole[1]} and ${whole[2]}.`,
  ];
}

const PHRASES = [
  memoryPhrases,
  fillPhrases,
  contiguityPhrases,
  swapPhrases,
  lockAndSpacePhrases,
  superpagePhrases,
];

/** Numbers that are no results: years and commits, the machine and the load, sizes in the kernel, plain arithmetic. */
const GIVEN = [
  'April 2020|of 2020|in 2024|of 2024|since 2024|, 2024|, 2020',
  'f13fa9df05|7a79d06697',
  'Stacks of 4 pages|4 CPUs, 1 GiB|4096 pages of files|of which 4 are|until 4096 have|otherwise 256|\\(256 pages\\)',
  '100 (?=threads)|20 000 threads|2000 threads|5 of 1000 threads',
  'of 264 bytes|nodes of 144|of 136 bytes for 16 indices',
  'window of 512 indices|at most 410 pages|one index in five is a guard page: 80 %|one slot of 512',
  'imports are of 10 MiB|for 4 MiB more|2 MiB extents',
];

describe('the text on kernel stacks', () => {
  figuresAreOfTables(text, PHRASES, GIVEN);

  it('is right that reservations make stacks contiguous, and the index does not', () => {
    const workloads = [...new Set(summary.map(({ workload }) => workload!))];
    expect(workloads).toHaveLength(7);
    for (const workload of workloads) {
      for (const backend of [...SHARED, 'dense-many-wait']) {
        expect(of(workload, backend, 'stack_contiguous'), `${workload} ${backend}`).toBe(1);
      }
      const alike = ['dense-noreserv', 'unit-noreserv'].map((backend) =>
        ['contiguous', 'run_mean', 'run_longest'].map((column) => of(workload, backend, `stack_${column}`)),
      );
      expect(alike[0]).toEqual(alike[1]);
    }
  });
});
