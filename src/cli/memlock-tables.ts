import { formatBytes } from '../core/units.js';
import { type GuestDefinition, totalMemory, UNLIMITED } from '../memlock/guest-definition.js';
import type { MemlockLimit } from '../memlock/memlock-limit.js';
import type { RuleSet } from '../memlock/rule-sets.js';
import { alignedLines } from '../report/aligned-text.js';
import { wrapWords } from '../report/wrap-words.js';

/** A process after an event: bytes; see ProcessLimit. */
export interface ProcessState {
  readonly event: string;
  readonly limit: bigint;
  readonly needed: bigint;
  readonly original: bigint;
}

const TERM_ALIGNMENTS = ['left', 'right', 'left'] as const;
const EVENT_ALIGNMENTS = ['left', 'right', 'right', 'right', 'right'] as const;

/** What one rule set makes of a guest. */
export interface MemlockAnswer {
  readonly rules: RuleSet;
  readonly limit: MemlockLimit;
  /** After launch and each event; empty where none were asked for. */
  readonly states: readonly ProcessState[];
}

/** Limits by rule set, then terms of the `detailed` ones, then events, in lines of so many characters. */
export function memlockText(
  guest: GuestDefinition,
  answers: readonly MemlockAnswer[],
  detailed: readonly MemlockAnswer[],
  width: number,
): string {
  const rows = answers.map(({ rules, limit }) => [
    rules.name,
    amount(limit.bytes),
    limit.reason,
    rules.summary,
  ]);
  const table = alignedLines({
    rows: [['rules', 'limit, bytes', 'because of', 'what the rules brought'], ...rows],
    alignments: ['left', 'right', 'left', 'left'],
    gap: '  ',
    width,
  });
  const details = detailed.flatMap((answer) => detailLines(answer, width));
  return [...wrapWords(describe(guest), width), ...table, ...details, ''].join('\n');
}

function describe(guest: GuestDefinition): string {
  const facts: readonly (readonly [number, string])[] = [
    [guest.pciVfio, 'PCI with VFIO'],
    [guest.mdev, 'mediated'],
    [guest.nvmeDisks, 'NVMe disk'],
    [guest.vdpaInterfaces, 'vDPA interface'],
    [guest.vdpaDisks, 'vhost-vdpa disk'],
    [guest.phbs, 'PCI host bridge'],
  ];
  const devices = facts.filter(([count]) => count > 0).map(([count, name]) => `${count} ${name}`);
  const flags = [guest.isLocked ? 'locked' : '', guest.hasViommu ? 'vIOMMU' : ''].filter(
    (flag) => flag !== '',
  );
  const how = guest.isKvm ? 'KVM' : 'TCG';
  return [
    `${guest.arch} under ${how}`,
    `${totalMemory(guest)} KiB of memory at start`,
    ...flags,
    ...devices,
  ].join(', ');
}

function detailLines({ rules, limit, states }: MemlockAnswer, width: number): string[] {
  const terms = limit.terms.map(({ name, formula, kib }) => [`  ${name}`, String(kib), `KiB = ${formula}`]);
  const doubt = rules.doubt === undefined ? [] : [`doubtful: ${rules.doubt}`];
  const remarks = [...limit.overflows.map((text) => `OVERFLOW: ${text}`), ...doubt];
  return [
    '',
    `rules ${rules.name}: ${amount(limit.bytes)}`,
    ...(terms.length === 0
      ? []
      : alignedLines({ rows: terms, alignments: TERM_ALIGNMENTS, gap: '  ', width })),
    ...remarks.flatMap((text) => wrapWords(text, width - 2).map((line) => `  ${line}`)),
    ...eventLines(states, width),
  ];
}

function eventLines(states: readonly ProcessState[], width: number): string[] {
  if (states.length === 0) return [];
  const rows = states.map(({ event, limit, needed, original }) =>
    [`  ${event}`, limit, needed, original, excess(limit, needed)].map((field) =>
      typeof field === 'bigint' ? amount(field) : field,
    ),
  );
  const head = ['  event', 'limit', 'needed', 'saved', 'limit - needed'];
  return alignedLines({ rows: [head, ...rows], alignments: EVENT_ALIGNMENTS, gap: '  ', width });
}

/** What may be locked beyond the need; nothing can be said of an unlimited process. */
function excess(limit: bigint, needed: bigint): bigint | string {
  return limit === UNLIMITED ? '-' : limit - needed;
}

function amount(bytes: bigint): string {
  if (bytes === UNLIMITED) return 'unlimited';
  return bytes === 0n ? '0' : `${bytes} (${formatBytes(Number(bytes))})`;
}

/** The same for machines; integers as text, for they may exceed 2^53. */
export function memlockJson(guest: GuestDefinition, answers: readonly MemlockAnswer[]) {
  return {
    guest,
    answers: answers.map(({ rules, limit, states }) => ({
      rules: rules.name,
      ...(rules.doubt === undefined ? {} : { doubt: rules.doubt }),
      ...limit,
      isUnlimited: limit.bytes === UNLIMITED,
      states,
    })),
  };
}
