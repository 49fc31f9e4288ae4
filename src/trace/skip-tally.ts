import type { SkippedEvents } from './trace.js';

const SAMPLES = 3;
const SAMPLE_BYTES = 160;

/** Counts what an import could not use, by reason and request class, with the first lines concerned. */
export class SkipTally {
  private readonly rowByKey = new Map<string, number>();
  private readonly rows: { reason: string; cls: string; count: number; samples: string[] }[] = [];
  private bytes: Uint8Array = new Uint8Array(0);
  private start = 0;
  private end = 0;

  /** Number of the row for a reason and a class ('' for none), for `add`. */
  row(reason: string, cls = ''): number {
    const key = `${reason}\n${cls}`;
    let row = this.rowByKey.get(key);
    if (row === undefined) {
      row = this.rows.push({ reason, cls, count: 0, samples: [] }) - 1;
      this.rowByKey.set(key, row);
    }
    return row;
  }

  /** Says which line is being worked on; samples are taken from it. The bytes are not kept. */
  atLine(bytes: Uint8Array, start: number, end: number): void {
    // Most lines lie in the same array, and a reference costs more to store than to compare.
    if (bytes !== this.bytes) this.bytes = bytes;
    this.start = start;
    this.end = end;
  }

  /** Adds `count` events to a row. */
  add(row: number, count = 1): void {
    const entry = this.rows[row]!;
    entry.count += count;
    if (entry.samples.length < SAMPLES) entry.samples.push(this.sample());
  }

  /** Rows that count something, by reason and class. */
  list(): SkippedEvents[] {
    const used = this.rows.filter(({ count }) => count > 0);
    return used.sort((a, b) => (`${a.reason}\n${a.cls}` < `${b.reason}\n${b.cls}` ? -1 : 1));
  }

  /** Empty where the line's memory has been given back: the reason is then about no line. */
  private sample(): string {
    if (this.bytes.length === 0) return '';
    const end = Math.min(this.end, this.start + SAMPLE_BYTES);
    return Buffer.from(this.bytes.subarray(this.start, end)).toString('utf8').trim();
  }
}
