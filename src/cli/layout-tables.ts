import { formatBytes } from '../core/units.js';
import { hexAddress, isSound, type Layout } from '../layout/layout.js';
import { alignedLines } from '../report/aligned-text.js';
import { csvText } from '../report/csv.js';
import { wrapWords } from '../report/wrap-words.js';

/** Bytes for people; below zero with a sign. */
export function shortSize(bytes: bigint): string {
  return bytes < 0n ? `-${formatBytes(Number(-bytes))}` : formatBytes(Number(bytes));
}

/** One layout as a table, high addresses above as in the kernel's own pictures, with its findings below;
 * `width` is the characters of a line. */
export function layoutTable(layout: Layout, width: number): string {
  const { platform, revision, physmem, segments } = layout;
  const rows = [...segments]
    .reverse()
    .map(({ name, base, size, rule }) => [name, hexAddress(base), shortSize(size), rule]);
  const lines = alignedLines({
    rows: [['segment', 'base', 'size', 'rule'], ...rows],
    alignments: ['left', 'right', 'right', 'left'],
    gap: '  ',
    width,
  });
  return [
    `${platform}, ${revision}, ${shortSize(physmem)} of RAM`,
    ...lines,
    ...findingLines(layout).flatMap((line) => wrapWords(line, width)),
    '',
  ].join('\n');
}

/** Several layouts of one platform, a row each; `!` marks those that do not work. */
export function sweepTable(layouts: readonly Layout[], width: number): string {
  const names = new Set(layouts.flatMap(({ segments }) => segments.map(({ name }) => name)));
  const shown = ['red zone', 'segkpm', 'segkp', 'segkvmm', 'segzio'].filter((name) => names.has(name));
  const rows = layouts.map((layout) => [
    isSound(layout) ? '' : '!',
    shortSize(layout.physmem),
    ...shown.map((name) => baseOf(layout, name)),
    hexAddress(layout.heap.base),
    shortSize(layout.heap.size),
    (Number(layout.heap.size) / Number(layout.physmem)).toFixed(3),
  ]);
  const head = [
    '',
    'RAM',
    ...shown.map((name) => (name === 'red zone' ? 'kernelbase' : name)),
    'heap base',
    'heap',
    'heap/RAM',
  ];
  const alignments = head.map(() => 'right' as const);
  const lines = alignedLines({ rows: [head, ...rows], alignments, gap: '  ', keys: 2, width });
  const problems = layouts.flatMap((layout) =>
    layout.findings
      .filter(({ kind }) => kind !== 'note')
      .map(({ kind, text }) => `${shortSize(layout.physmem)}: ${kind}: ${text}`),
  );
  return [
    `${layouts[0]!.platform}, ${layouts[0]!.revision}`,
    ...lines,
    ...problems.flatMap((line) => wrapWords(line, width)),
    '',
  ].join('\n');
}

/** Every segment of every layout, a row each; addresses in hex, sizes in bytes. */
export function layoutCsv(layouts: readonly Layout[]): string {
  const head = [
    'platform',
    'revision',
    'physmem',
    'segment',
    'kind',
    'base',
    'size',
    'end',
    'rule',
    'problems',
  ];
  const rows = layouts.flatMap((layout) =>
    layout.segments.map((segment) => [
      layout.platform,
      layout.revision,
      String(layout.physmem),
      segment.name,
      segment.kind,
      hexAddress(segment.base),
      // As text, a size below zero would get the apostrophe that keeps spreadsheets from running formulas.
      Number(segment.size),
      hexAddress(segment.base + segment.size),
      segment.rule,
      problemsOf(layout).join('; '),
    ]),
  );
  return csvText([head, ...rows]);
}

/** A layout for machines: addresses in hex, sizes as decimal text, for they may exceed 2^53. */
export function layoutJson(layout: Layout) {
  return {
    platform: layout.platform,
    revision: layout.revision,
    physmem: String(layout.physmem),
    sound: isSound(layout),
    segments: layout.segments.map(({ name, kind, base, size, rule }) => ({
      name,
      kind,
      base: hexAddress(base),
      size: String(size),
      rule,
    })),
    findings: layout.findings,
  };
}

function baseOf({ segments }: Layout, name: string): string {
  const segment = segments.find((candidate) => candidate.name === name);
  return segment === undefined ? '-' : hexAddress(segment.base);
}

function findingLines({ findings }: Layout): string[] {
  return findings.map(({ kind, text }) => `${kind === 'note' ? 'note' : kind.toUpperCase()}: ${text}`);
}

function problemsOf({ findings }: Layout): string[] {
  return findings.filter(({ kind }) => kind !== 'note').map(({ kind, text }) => `${kind}: ${text}`);
}
