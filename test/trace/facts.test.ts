import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type KindFigures, traceStatistics } from '../../src/trace/statistics.js';
import { sharedPath } from '../support/shared.js';
import { importInto, temporaryFolder } from './support.js';

const folder = temporaryFolder();
const factsPath = sharedPath('traces/FACTS.json');

interface KindFacts {
  readonly [figure: string]: number | [number, number][];
}
type FileFacts = Readonly<Record<string, unknown>> & { readonly counts: [string, number][] };

const facts: Readonly<Record<string, FileFacts>> =
  factsPath === undefined ? {} : JSON.parse(readFileSync(factsPath, 'utf8'));
/** The reader of the facts names the union of our classes va and stackArea `vmap`. */
const KINDS = { kmem: 'kmem', vmap: 'va+stackArea', kstack: 'kstack', task: 'task', page: 'page' };

/** Our figures in the words of the facts: there, frees are those in the recording, not those in the trace. */
function inWordsOfFacts(figures: KindFigures): KindFacts {
  return {
    allocs: figures.allocs,
    frees: figures.frees - figures.allocOnLive + figures.freeUnknown,
    free_unknown: figures.freeUnknown,
    free_null: figures.freeNull,
    alloc_on_live: figures.allocOnLive,
    live_end: figures.liveAtEnd,
    bytes_end: figures.bytesAtEnd,
    peak_live: figures.peakLive,
    peak_bytes: figures.peakBytes,
    distinct_sizes: figures.distinctSizes,
  };
}

/** Sizes of equal frequency stand in no order in the facts, and the last frequency may be cut. */
function comparable(sizes: readonly (readonly [number, number])[]): string[] {
  const least = sizes.at(-1)?.[1] ?? 0;
  const sure = sizes.length < 10 ? sizes : sizes.filter(([, count]) => count > least);
  return sure.map(([size, count]) => `${size}x${count}`).sort();
}

describe.skipIf(factsPath === undefined)(
  'ftrace importer against the facts of an independent reader (needs ../shared)',
  () => {
    const files = Object.keys(facts);
    it.each(files)(
      '%s',
      async (file) => {
        const wanted = facts[file]!;
        const path = sharedPath(`traces/${file}`)!;
        // The facts count kmem objects by the slot of the slab (bytes_alloc).
        const options = { kmemSize: 'allocated' } as const;
        const { report, trace, skipped } = await importInto(folder.path('f.arrow'), { path }, { options });
        expect(report.events).toEqual(Object.fromEntries(wanted.counts));
        expect(skipped['unparsed-line'] ?? 0).toBe(wanted.unparsed);
        expect(skipped['lost-events'] ?? 0).toBe(wanted.lost_lines);
        expect(skipped['backward-stamp'] ?? 0).toBe(wanted.backwards_ts);
        expect(skipped['doubled-alloc/kmem'] ?? 0).toBe(wanted.dup_large_kmalloc);
        expect(skipped['free-of-zero-size/kmem'] ?? 0).toBe(wanted.zero_size_free);
        expect(trace.metadata.origin).toBe((wanted.t0 as number).toFixed(6));
        const figures = new Map(traceStatistics(trace).map((kind) => [kind.name, kind]));
        for (const [theirs, ours] of Object.entries(KINDS)) {
          const kind = wanted[theirs] as KindFacts | undefined;
          if (kind === undefined) continue;
          const found = figures.get(ours)!;
          // Tasks have no bytes in the facts and one byte each here.
          const { bytes_end, peak_bytes, distinct_sizes, ...counts } = inWordsOfFacts(found);
          expect(kind, theirs).toMatchObject(counts);
          if (theirs === 'task') continue;
          expect(kind, theirs).toMatchObject({ bytes_end, peak_bytes, distinct_sizes });
          expect(found.lifeUs).toEqual(kind.life_us);
          expect(comparable(found.topSizes)).toEqual(comparable(kind.top_sizes as [number, number][]));
        }
      },
      120_000,
    );

    it('adds up the bytes that clients asked for, too', async () => {
      const file = 'formats/capture1/ftrace.txt.gz';
      const { trace } = await importInto(folder.path('f.arrow'), { path: sharedPath(`traces/${file}`)! });
      let requested = 0;
      for (const { length, cls, op, size } of trace.blocks()) {
        for (let row = 0; row < length; row++) if (cls[row] === 0 && op[row] === 0) requested += size[row]!;
      }
      expect(requested).toBe((facts[file]!.kmem as KindFacts).req);
    });
  },
);
