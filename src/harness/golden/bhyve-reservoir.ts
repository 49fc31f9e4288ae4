import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { Type } from '@sinclair/typebox';
import { parse } from 'csv-parse/sync';
import { NO_REGION, type Region, Reservoir } from '../../arena/bhyve-reservoir/reservoir.js';
import type { SpanSet } from '../../arena/bhyve-reservoir/span-set.js';
import { InputError } from '../../core/errors.js';
import { checkedJson, type RowCheck, type RowOracle } from './row-oracle.js';

type Row = Readonly<Record<string, string>>;

const CaseFile = Type.Object({
  oracle: Type.Literal('bhyve-reservoir'),
  limit_bytes: Type.Integer({ minimum: 1 }),
  page_size_in_oracle: Type.Integer({ minimum: 1 }),
});

const NAME = 'bhyve-reservoir';
const OPERATIONS = 'ops.csv.gz';
const CHECKPOINTS = 'checkpoints.csv';
const SEGMENTS = 'segments.csv.gz';

/** The memory reservoir of bhyve, recorded from the kernel's own code: each region's spans, counters, span lists. */
export const bhyveReservoirOracle: RowOracle = {
  name: NAME,
  unit: 'operations',
  claims: (path) => {
    const file = join(path, 'case.json');
    return existsSync(file) && new RegExp(`"oracle":\\s*"${NAME}"`).test(readFileSync(file, 'utf8'));
  },
  caseName: (path) => basename(path),
  rows: (path) => new ReservoirCase(path).rows(),
};

class ReservoirCase {
  private readonly reservoir: Reservoir;
  private readonly regions = new Map<string, Region>();

  constructor(private readonly path: string) {
    const { limit_bytes: limit, page_size_in_oracle: pageSize } = checkedJson(
      CaseFile,
      join(path, 'case.json'),
    );
    this.reservoir = new Reservoir({ limit, pageSize, spanBytes: 0 });
  }

  /** A row per operation, in which the checkpoint after it is compared as well; the last one has the span lists. */
  *rows(): Generator<RowCheck> {
    const operations = this.table(OPERATIONS);
    const checkpoints = new Map(this.table(CHECKPOINTS).map((row) => [row.seq!, row]));
    const segments = this.table(SEGMENTS).map(({ set, start, size }) => `${set},${start},${size}`);
    for (const [index, row] of operations.entries()) {
      const got = this.apply(row, index);
      const checkpoint = checkpoints.get(row.seq!);
      const isLast = index === operations.length - 1;
      yield {
        label: `operation ${row.seq}, ${row.op} ${row.id} ${row.size}`,
        wanted: {
          result: row.result!,
          spans: row.spans!,
          ...checkpoint,
          ...(isLast ? { segments: segments.join('\n') } : {}),
        },
        got: {
          ...got,
          ...(checkpoint === undefined ? {} : { seq: row.seq!, ...this.figures() }),
          ...(isLast ? { segments: this.segments() } : {}),
        },
        context: () =>
          `free spans:\n${spanText(this.reservoir.free)}empty spans:\n${spanText(this.reservoir.empty)}`,
      };
    }
  }

  private apply({ op, id, size }: Row, index: number): { result: string; spans: string } {
    const bytes = Number(size);
    switch (op) {
      case 'add':
        return { result: this.reservoir.add(bytes, false) ? 'ok' : 'ENOSPC', spans: '' };
      case 'remove':
        return { result: this.reservoir.remove(bytes, false) ? 'ok' : 'ENOSPC', spans: '' };
      case 'alloc':
      case 'alloc_transient':
        return this.alloc(id!, bytes, op === 'alloc_transient');
      case 'free':
        this.reservoir.release(this.regions.get(id!) ?? NO_REGION);
        this.regions.delete(id!);
        return { result: 'ok', spans: '' };
      default:
        throw new InputError(`unknown operation '${op}'`, {
          file: join(this.path, OPERATIONS),
          line: index + 2,
          field: 'op',
          allowed: 'add, remove, alloc, alloc_transient, free',
        });
    }
  }

  private alloc(id: string, size: number, isTransient: boolean): { result: string; spans: string } {
    const region = this.reservoir.alloc(size, isTransient);
    if (region === NO_REGION) return { result: 'ENOSPC', spans: '' };
    this.regions.set(id, region);
    const { start, size: length, next } = this.reservoir.spans;
    const parts: string[] = [];
    let offset = 0;
    for (let span = region; span !== NO_REGION; span = next[span]!) {
      parts.push(`0x${offset.toString(16)}@0x${start[span]!.toString(16)}:${length[span]}`);
      offset += length[span]!;
    }
    return { result: 'ok', spans: parts.join(';') };
  }

  private figures(): Row {
    const { reservoir } = this;
    const { free, empty } = reservoir;
    const counts = {
      free_bytes: reservoir.freeReservedBytes,
      alloc_bytes: reservoir.allocBytes,
      free_transient_bytes: reservoir.freeTransientBytes,
      alloc_transient_bytes: reservoir.allocTransientBytes,
      empty_bytes: empty.bytes,
      free_spans: free.count,
      empty_spans: empty.count,
      largest_free: free.longest,
    };
    return {
      ...Object.fromEntries(Object.entries(counts).map(([name, value]) => [name, String(value)])),
      empty_last: `0x${reservoir.last.toString(16)}`,
      free_sha256: digest(spanText(free)),
      empty_sha256: digest(spanText(empty)),
    };
  }

  private segments(): string {
    const lines: string[] = [];
    for (const name of ['free', 'empty'] as const) {
      this.reservoir[name].walk((start, size) => lines.push(`${name},0x${start.toString(16)},${size}`));
    }
    return lines.join('\n');
  }

  /** @throws InputError where the file is missing or no table. */
  private table(name: string): Row[] {
    const file = join(this.path, name);
    if (!existsSync(file)) throw new InputError('file of the golden case is missing', { file });
    const bytes = readFileSync(file);
    try {
      return parse(name.endsWith('.gz') ? gunzipSync(bytes) : bytes, { columns: true }) as Row[];
    } catch (error) {
      throw new InputError(`not a table (${(error as Error).message})`, { file });
    }
  }
}

function spanText(set: SpanSet): string {
  let text = '';
  set.walk((start, size) => {
    text += `0x${start.toString(16)},${size}\n`;
  });
  return text;
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
