import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { traceFacts } from '../../src/trace/facts.js';
import { traceStatistics } from '../../src/trace/statistics.js';
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
    it.each(files)('%s', async (file) => {
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
      const found = traceFacts(trace.metadata, traceStatistics(trace));
      expect(found.events).toBe(wanted.events);
      for (const name of ['kmem', 'vmap', 'kstack', 'task', 'page']) {
        const kind = wanted[name] as KindFacts | undefined;
        if (kind === undefined) continue;
        // Tasks have no bytes in the facts and one byte each here.
        const { bytes_end, peak_bytes, distinct_sizes, top_sizes, ...counts } = found.classes[name]!;
        expect(kind, name).toMatchObject(counts);
        if (name === 'task') continue;
        expect(kind, name).toMatchObject({ bytes_end, peak_bytes, distinct_sizes });
        expect(comparable(top_sizes)).toEqual(comparable(kind.top_sizes as [number, number][]));
      }
    });

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
