import {
  constraintTable,
  REQUEST_CLASS_NAMES,
  type RequestClass,
  RequestOp,
} from '../../src/core/request.js';
import type { Trace, TraceBlock } from '../../src/trace/trace.js';

/** An event of a trace in memory: [time in ns, cpu, op, class, object, size, constraint]. */
export type TraceRow = readonly [
  timeNs: number,
  cpu: number,
  op: keyof typeof RequestOp,
  cls: keyof typeof RequestClass,
  object: number,
  size: number,
  constraint?: number,
];

/** A trace in memory with blocks of `blockLength` events. Its two constraint rows align to 64 and to 128 bytes. */
export function traceOf(rows: readonly TraceRow[], blockLength = 3): Trace {
  const allocations: Record<string, number> = {};
  for (const [, , op, cls] of rows) if (op === 'alloc') allocations[cls] = (allocations[cls] ?? 0) + 1;
  return {
    path: 'some/where/tiny.arrow',
    constraints: constraintTable([{ align: 64 }, { align: 128 }]),
    metadata: {
      formatVersion: 1,
      name: 'tiny',
      provenance: {
        source: 'tiny.txt',
        sourceDigest: 'feed',
        importer: 'test',
        options: {},
        capture: '',
        licence: '',
        tool: '0',
      },
      origin: '0',
      clock: '',
      eventCount: rows.length,
      durationNs: rows.at(-1)?.[0] ?? 0,
      objectLimit: 10,
      cpuCount: 2,
      allocations,
      skipped: [],
      digest: 'beef',
      sites: [],
      constraints: [{ align: 64 }, { align: 128 }],
    },
    *blocks() {
      for (let from = 0; from < rows.length; from += blockLength)
        yield blockOf(rows.slice(from, from + blockLength));
    },
  };
}

function blockOf(rows: readonly TraceRow[]): TraceBlock {
  return {
    length: rows.length,
    timeNs: Float64Array.from(rows, (row) => row[0]),
    cpu: Uint16Array.from(rows, (row) => row[1]),
    op: Uint8Array.from(rows, (row) => RequestOp[row[2]]),
    cls: Uint8Array.from(rows, (row) => REQUEST_CLASS_NAMES.indexOf(row[3])),
    object: Uint32Array.from(rows, (row) => row[4]),
    size: Float64Array.from(rows, (row) => row[5]),
    constraint: Int32Array.from(rows, (row) => row[6] ?? -1),
    site: new Int32Array(rows.length).fill(-1),
    address: new Float64Array(rows.length).fill(-1),
  };
}
