import { AddressSpace, NO_ADDRESS } from '../core/address.js';
import { InputError } from '../core/errors.js';
import type { RecordingMiss, RecordingVerdict } from '../harness/recording/verify-recording.js';

/** Share of allocations, in percent. */
interface Shares {
  /** Predicted with the events in printed order. */
  readonly strict: number;
  /** Predicted in an order that the record permits. */
  readonly withOverlaps: number;
}

/** The shares of allocations that the model predicts, in percent. */
export function sharesOf({ allocations, misses }: RecordingVerdict): Shares {
  const unexplained = misses.filter(({ overlap }) => overlap === undefined).length;
  const percent = (missed: number) => (100 * (allocations - missed)) / allocations;
  return { strict: percent(misses.length), withOverlaps: percent(unexplained) };
}

/** A share such as `99.8%` or `99.8`, in percent. @throws InputError if it is none. */
export function percentOption(option: string, text: string): number {
  const value = /^\d{1,3}(\.\d+)?%?$/.test(text) ? Number.parseFloat(text) : Number.NaN;
  if (value <= 100) return value;
  throw new InputError(`'${text}' is not acceptable`, {
    field: `--${option}`,
    allowed: 'a share from 0% to 100%',
  });
}

/** What a verdict says, for people. */
export function verdictText(verdict: RecordingVerdict): string {
  const { strict, withOverlaps } = sharesOf(verdict);
  const { allocations, frees, purges, cpus, nodes, misses } = verdict;
  const processors = `${cpus} ${cpus === 1 ? 'CPU' : 'CPUs'}`;
  const groups = `${nodes} ${nodes === 1 ? 'node' : 'nodes'}`;
  const shown = misses.filter(({ around }) => around !== '');
  const more = misses.length - shown.length;
  return [
    `${verdict.file}: ${allocations} allocations, ${frees} frees, ${purges} purges; ${processors}, ${groups}`,
    startText(verdict),
    `  strict         ${shareText(strict, allocations, misses.length)}`,
    `  with overlaps  ${shareText(withOverlaps, allocations, unexplainedCount(misses))}`,
    ...shown.map(missText),
    ...(more > 0 ? [`  and ${more} more`] : []),
    '',
  ].join('\n');
}

/** The verdict with its shares, addresses as the kernel prints them. */
export function verdictJson(verdict: RecordingVerdict): string {
  const misses = verdict.misses.map(({ event, row, wanted, got, overlap }) => ({
    event,
    number: row + 1,
    wanted: AddressSpace.canonical.format(wanted),
    got: got === NO_ADDRESS ? null : AddressSpace.canonical.format(got),
    overlap: overlap ?? null,
  }));
  const { strict, withOverlaps } = sharesOf(verdict);
  return `${JSON.stringify({ ...verdict, strictPercent: strict, withOverlapsPercent: withOverlaps, misses }, null, 2)}\n`;
}

function unexplainedCount(misses: readonly RecordingMiss[]): number {
  return misses.filter(({ overlap }) => overlap === undefined).length;
}

function startText({
  snapshotAreas,
  contradictedAreas,
  inferredAreas,
  inferredTags,
}: RecordingVerdict): string {
  if (snapshotAreas + inferredAreas === 0) return '  begins with nothing allocated';
  return [
    `  begins with ${snapshotAreas} areas of the snapshot, less ${contradictedAreas} that were gone; the recording itself`,
    `  showed ${inferredAreas} more areas, and another node than assumed for ${inferredTags}`,
  ].join('\n');
}

/** Rounded down, so that only what is complete prints as 100 %. */
function shareText(percent: number, allocations: number, missed: number): string {
  return `${(Math.floor(percent * 1000) / 1000).toFixed(3)} %  (${allocations - missed} of ${allocations})`;
}

function missText({ event, wanted, got, overlap, around }: RecordingMiss): string {
  return [
    `  miss: ${event}`,
    `    wanted ${AddressSpace.canonical.format(wanted)}`,
    `    got    ${got === NO_ADDRESS ? 'no room' : AddressSpace.canonical.format(got)}`,
    `    ${overlap === undefined ? 'no order of events that the record permits explains it' : `explained: ${overlap}`}`,
    ...around.split('\n').map((line) => `    ${line}`),
  ].join('\n');
}
