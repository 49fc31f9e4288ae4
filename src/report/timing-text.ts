import { visibleText } from '../core/visible-text.js';
import type { ClockName } from '../harness/timing/clocks.js';
import type { CellTiming } from '../harness/timing/timing-statistics.js';
import { ratio } from '../probe/column.js';
import { alignedLines } from './aligned-text.js';
import { wrapWords } from './wrap-words.js';

/** The clock that is shown: it does not count the turns of other programs. */
const SHOWN: ClockName = 'cpu';

const HEAD = ['backend', 'off', '95 % interval', 'on', '95 % interval', 'on/off', 'replays'];
const ALIGNMENTS = ['left' as const, ...HEAD.slice(1).map(() => 'right' as const)];

/** Timings of one exact cell, without and with metrics; undefined where that failed. */
interface Pair {
  off?: CellTiming;
  on?: CellTiming;
}

/** The medians for people in lines of so many characters: a block per workload and seed, a line per backend. */
export function timingText(timings: readonly CellTiming[], width: number): string {
  const blocks = new Map<string, Map<string, Pair>>();
  for (const timing of timings) {
    if (timing.clock !== SHOWN) continue;
    const { workload, seed, backend } = timing.cell.plan;
    const title = `${workload.label}, seed ${seed}: CPU nanoseconds per event, metrics off and on`;
    const block = blocks.get(title) ?? new Map<string, Pair>();
    blocks.set(title, block);
    block.set(backend.label, {
      ...block.get(backend.label),
      [timing.cell.metrics ? 'on' : 'off']: timing,
    });
  }
  return [...blocks]
    .map(
      ([title, block]) => `${wrapWords(visibleText(title), width).join('\n')}\n${blockText(block, width)}\n`,
    )
    .join('\n');
}

function blockText(block: ReadonlyMap<string, Pair>, width: number): string {
  const rows = [...block].map(([backend, { off, on }]) => [
    backend,
    ...medianFields(off),
    ...medianFields(on),
    off === undefined || on === undefined
      ? '-'
      : formatted(ratio(on.interval.median, off.interval.median), 2),
    `${off?.samples ?? 0}+${on?.samples ?? 0}`,
  ]);
  return alignedLines({ rows: [HEAD, ...rows], alignments: ALIGNMENTS, gap: '  ', width }).join('\n');
}

function medianFields(timing: CellTiming | undefined): string[] {
  if (timing === undefined) return ['-', '-'];
  const { interval, cell } = timing;
  const [median, low, high] = [interval.median, interval.low, interval.high].map((ns) =>
    formatted(ratio(ns, cell.events), 1),
  );
  return [median!, `${low}–${high}`];
}

function formatted(value: number, digits: number): string {
  return Number.isFinite(value) ? value.toFixed(digits) : '-';
}
