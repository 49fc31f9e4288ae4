import { readFileSync, writeFileSync } from 'node:fs';
import { gunzipSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InputError } from '../../src/core/errors.js';
import { IMPORTER_NAMES } from '../../src/trace/importers/registry.js';
import { runCli } from '../support/run-cli.js';
import { eventsOf, fixture, importInto, temporaryFolder, zstdBomb } from './support.js';

const folder = temporaryFolder();
const MEBIBYTE = 1 << 20;

/** A recording of a few events, and what belongs to it. */
interface Sample {
  readonly lines: readonly string[];
  readonly companions?: Readonly<Record<string, string>>;
  /** A line of the format whose time lies before all others; absent where there is none, or where any order will do. */
  readonly early?: string;
}

const OPENB = 'name,cpu_milli,memory_mib,num_gpu,creation_time,deletion_time';
const DLRM = 'instance_sn,role,memory_request,creation_time,deletion_time';
const perf = (at: number, event: string) => `perf  77 [001] ${at}.000001: kmem:${event}`;
const ftrace = (at: number, event: string) => `            bash-77      [001] ..... ${at}.000001: ${event}`;
const bpf = (at: number, event: string) => `${at}000001000 1 77 bash ${event}`;
const json = (text: string) => `{"type": "printf", "data": "${text}\\n"}`;
const alloc = (n: number) => `kmalloc: call_site=a+0x1 ptr=ffff888000${n}00000 bytes_req=100 bytes_alloc=128`;
const free = (n: number) => `kfree: call_site=b+0x2 ptr=ffff888000${n}00000`;
const four = (line: (at: number, event: string) => string) => [
  line(101, alloc(1)),
  line(102, alloc(2)),
  line(103, free(1)),
  line(104, free(2)),
];
const bpfFour = [
  bpf(101, 'kmalloc 0xffff888000100000 100 128'),
  bpf(102, 'kmalloc 0xffff888000200000 100 128'),
  bpf(103, 'kfree 0xffff888000100000'),
  bpf(104, 'kfree 0xffff888000200000'),
];
const bpfEarly = bpf(11, 'kfree 0xffff888000900000');

/** For each format four events: two allocations and their frees. */
const SAMPLES: Readonly<Record<string, Sample>> = {
  'trace-cmd': { lines: ['cpus=2', ...four(ftrace)], early: ftrace(11, free(9)) },
  ftrace: { lines: ['# tracer: nop', ...four(ftrace)], early: ftrace(11, free(9)) },
  'perf-script': { lines: four(perf), early: perf(11, free(9)) },
  bpftrace: { lines: ['Attaching 2 probes...', ...bpfFour], early: bpfEarly },
  'bpftrace-json': { lines: bpfFour.map(json), early: json(bpfEarly) },
  mtrace: {
    lines: [
      '= Start',
      '@ a:[0x1] + 0x1000 0x64',
      '@ a:[0x1] + 0x2000 0x64',
      '@ b:[0x2] - 0x1000',
      '@ b:[0x2] - 0x2000',
    ],
  },
  'azure-v1': {
    lines: ['600 a,|,', '900 a,|,'],
    companions: { life: '600 U0,|,\n900 U0,|,\n', flavours: '1,1 a\n', bins: '0 0\n300 1\n600 1\n' },
  },
  'alibaba-openb': { lines: [OPENB, 'a,1,1024,0,5,9', 'b,1,1024,0,7,12'] },
  'alibaba-dlrm': { lines: [DLRM, 'a,HN,1.0,5.0,9.0', 'b,HN,1.0,7.0,12.0'] },
  csv: {
    lines: [
      'time,op,object,size',
      '101.1,alloc,1,100',
      '102.1,alloc,2,100',
      '103.1,free,1,',
      '104.1,free,2,',
    ],
    early: '11.1,free,9,',
  },
};
const FORMATS = Object.keys(SAMPLES);

function importBytes(format: string, bytes: string | Buffer) {
  const companions = Object.entries(SAMPLES[format]!.companions ?? {}).map(([name, text]) => {
    writeFileSync(folder.path(name), text);
    return folder.path(name);
  });
  return importInto(folder.path('t.arrow'), { text: bytes }, { format, companions });
}

/** What becomes of a text: operations and sizes of its events, and what was left out. */
async function outcome(format: string, lines: readonly string[], end = '\n') {
  const { trace, skipped, report } = await importBytes(format, lines.join(end) + end);
  return { events: eventsOf(trace).map(({ op, size }) => [op, size]), skipped, lines: report.lines };
}

/** The lines with some others between the last two. */
function withBetween(lines: readonly string[], ...others: string[]): string[] {
  return [...lines.slice(0, -1), ...others, ...lines.slice(-1)];
}

it('has a sample of each format', () => {
  expect(FORMATS).toEqual(IMPORTER_NAMES);
});

describe.each(FORMATS)('%s', (format) => {
  const { lines } = SAMPLES[format]!;

  it('reads lines that end in CR LF as others', async () => {
    const usual = await outcome(format, lines);
    expect(usual.events.map(([op]) => op).sort()).toEqual([0, 0, 1, 1]);
    expect(usual.skipped).toEqual({});
    expect(await outcome(format, lines, '\r\n')).toEqual(usual);
  });

  it('makes no event of a last line that is cut anywhere', async () => {
    const whole = await outcome(format, lines.slice(0, -1));
    const last = lines.at(-1)!;
    for (let length = 1; length < last.length; length++) {
      const text = `${lines.slice(0, -1).join('\n')}\n${last.slice(0, length)}`;
      const { trace, skipped } = await importBytes(format, text);
      expect(eventsOf(trace).map(({ op, size }) => [op, size])).toEqual(whole.events);
      expect(Object.values(skipped).reduce((sum, count) => sum + count)).toBeGreaterThan(0);
    }
  });

  it.each([
    ['another tool', '[   14.66] usb 1-1: new device'],
    [
      'binary garbage',
      Buffer.from(Array.from({ length: 200 }, (_, at) => 128 + (at % 100))).toString('latin1'),
    ],
    ['a million characters', 'x'.repeat(1_000_000)],
    ['a million digits', '7'.repeat(1_000_000)],
    ['beginnings of a task', '-1 ('.repeat(250_000)],
    ['beginnings of a message', 'PERF_RECORD_LOST '.repeat(60_000)],
    ['numbers', '1 1.'.repeat(250_000)],
    ['commas', ','.repeat(1_000_000)],
    ['quotes', `"${',"'.repeat(500_000)}`],
    ['more than a mebibyte', '-'.repeat(MEBIBYTE + 1)],
  ])('counts a line between the others: %s', async (_what, line) => {
    // Azure's two files go line by line: what stands between lacks its lifetimes, and shifts the next.
    if (format === 'azure-v1') {
      const { skipped } = await outcome(format, [...lines, line]);
      expect(Object.keys(skipped)).toHaveLength(1);
      return;
    }
    const usual = await outcome(format, lines);
    const found = await outcome(format, withBetween(lines, line));
    expect(found).toMatchObject({ events: usual.events, lines: usual.lines + 1 });
    expect(Object.values(found.skipped)).toEqual([1]);
  });

  it('makes a sound trace of any changed bytes, or refuses them with one message', async () => {
    const text = Buffer.from(`${[...lines, ...lines.slice(1)].join('\n')}\n`);
    const change = fc.record({
      at: fc.nat(text.length - 1),
      removed: fc.nat(20),
      put: fc.oneof(
        fc.constantFrom(
          '9007199254740992',
          '99999999999999999999',
          '0',
          '-',
          '\n',
          'ffffffffffffffff',
          ' ',
          ',"',
          '1e400',
        ),
        fc.string({ maxLength: 5 }),
      ),
    });
    const property = fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 4 }), async (changes) => {
      const bytes = changes.reduce(
        (before, { at, removed, put }) =>
          Buffer.concat([before.subarray(0, at), Buffer.from(put), before.subarray(at + removed)]),
        text,
      );
      await importBytes(format, bytes).catch((error: unknown) => expect(error).toBeInstanceOf(InputError));
    });
    await fc.assert(property, { numRuns: 20 });
  });
});

describe('a time that goes back', () => {
  const stamped = FORMATS.filter((format) => SAMPLES[format]!.early !== undefined);

  it.each(stamped)('is counted and taken for the last one: %s', async (format) => {
    const { lines, early } = SAMPLES[format]!;
    const { trace, skipped } = await importBytes(format, `${withBetween(lines, early!).join('\n')}\n`);
    expect(skipped).toEqual({ 'backward-stamp': 1, 'free-of-unknown/kmem': 1 });
    expect(eventsOf(trace).map(({ timeNs }) => timeNs / 1e9)).toEqual([0, 1, 2, 3]);
  });
});

describe('what is no recording', () => {
  const junk: Readonly<Record<string, Buffer>> = {
    'no bytes': Buffer.alloc(0),
    'a line of a million characters': Buffer.concat([Buffer.alloc(1_000_000, 'x'), Buffer.from('\n')]),
    'a line of three million digits': Buffer.alloc(3_000_000, '7'),
    'binary garbage': Buffer.from(
      Array.from({ length: 100_000 }, (_, at) => Math.imul(at, 0x9e3779b1) >>> 24),
    ),
    'a gzip bomb of zeros': gzipSync(Buffer.alloc(8 * MEBIBYTE)),
    'a gzip bomb of line ends': gzipSync(Buffer.alloc(2 * MEBIBYTE, '\n')),
    'a zstd bomb': zstdBomb(8 * MEBIBYTE),
    'a cut gzip file': readFileSync(fixture('boot-kmem.txt.gz')).subarray(0, -20),
    'lines of another tool': Buffer.from('Linux version 6.12\nnothing to see here\n'.repeat(50)),
  };

  describe.each(Object.entries(junk))('%s', (_what, bytes) => {
    it.each([undefined, ...IMPORTER_NAMES])(
      'is refused with one message and no file as %s',
      async (format) => {
        writeFileSync(folder.path('junk'), bytes);
        const before = folder.names();
        const words = format === undefined ? [] : ['--format', format];
        const out = folder.path('never.arrow');
        const result = await runCli(['trace', 'import', folder.path('junk'), '--out', out, ...words]);
        expect(result).toMatchObject({ exitCode: 1, stdout: '' });
        expect(result.stderr).toMatch(/^kvabench: [^\n]+\n$/);
        expect(folder.names()).toEqual(before);
      },
    );
  });
});

describe('a recording of another format than said', () => {
  /** Formats whose lines are one another's. */
  const RELATED = ['trace-cmd', 'ftrace'];
  const pairs = FORMATS.flatMap((format) => FORMATS.map((said) => [format, said] as const));
  const foreign = pairs.filter(([a, b]) => a !== b && !(RELATED.includes(a) && RELATED.includes(b)));

  it.each(foreign)('%s as %s is refused', async (format, said) => {
    const text = `${SAMPLES[format]!.lines.join('\n')}\n`;
    await expect(importBytes(said, text)).rejects.toThrow(InputError);
  });

  it('is told by its first lines', async () => {
    const text = gunzipSync(readFileSync(fixture('boot-kmem.txt.gz')));
    await expect(importBytes('mtrace', text)).rejects.toThrow(
      /holds no event that can be used: \d+ unparsed-line/,
    );
  });
});
