import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteNames } from '../../src/trace/byte-names.js';
import {
  DEFAULT_IMPORT_OPTIONS,
  type EventSink,
  RecordedEvent,
  UnpurgedAreas,
} from '../../src/trace/importer.js';
import { ftraceImporter } from '../../src/trace/importers/ftrace.js';
import { SkipTally } from '../../src/trace/skip-tally.js';

/** What a parser made of a text: its events, the lines that it left out and the names that it counted. */
interface Reading {
  readonly events: object[];
  readonly skipped: Record<string, number>;
  readonly names: Record<string, number>;
}

function read(lines: readonly string[], kmemSize: 'requested' | 'allocated'): Reading {
  const events: object[] = [];
  const sites = new ByteNames();
  const event = new RecordedEvent();
  const skips = new SkipTally();
  const common = () => {
    const { timeNs, cpu, pid, space, cls, key, site } = event;
    return { timeNs, cpu, pid, space, cls, key, site: sites.names[site] };
  };
  const sink: EventSink = {
    event,
    allocated: () => {
      const { size, align, address, mayRepeat } = event;
      events.push({ ...common(), size, align, address, mayRepeat });
    },
    freed: () => events.push(common()),
  };
  const parser = ftraceImporter.start({
    sink,
    sites,
    skips,
    options: { ...DEFAULT_IMPORT_OPTIONS, kmemSize },
    unpurged: new UnpurgedAreas(),
    file: 'text',
    companions: [],
  });
  parser.push(Uint8Array.from(Buffer.from(`${lines.join('\n')}\n`, 'latin1')));
  const counted = Object.entries(parser.end().events).filter(([, count]) => count > 0);
  const skipped = Object.fromEntries(skips.list().map(({ reason, count }) => [reason, count]));
  return { events, skipped, names: Object.fromEntries(counted) };
}

/** Each line read by a parser that has seen no other but the first, which gives the clock its origin. */
function readOneByOne(lines: readonly string[], kmemSize: 'requested' | 'allocated'): Reading {
  const [first, ...others] = lines;
  const alone = read([first!], kmemSize);
  const all = { events: [...alone.events], skipped: { ...alone.skipped }, names: { ...alone.names } };
  for (const line of others) {
    const both = read([first!, line], kmemSize);
    all.events.push(...both.events.slice(alone.events.length));
    addDifference(all.skipped, both.skipped, alone.skipped);
    addDifference(all.names, both.names, alone.names);
  }
  return all;
}

function addDifference(
  sum: Record<string, number>,
  more: Record<string, number>,
  less: Record<string, number>,
): void {
  for (const [name, count] of Object.entries(more)) {
    const added = count - (less[name] ?? 0);
    if (added !== 0) sum[name] = (sum[name] ?? 0) + added;
  }
}

/** Has nothing in common with the others. */
const ORIGIN =
  '         init.sh-77      [003] .....    13.000000: kfree: call_site=o+0x1/0x2 ptr=ffff8b2888089f00';
/** Parts that differ in little where a line may be taken for one that was there before. */
const PARTS: readonly (readonly string[])[] = [
  ['          run.sh', '          <idle>', '   a-1 [000] b ', '       a: kfree'],
  ['-381     [001]', '-381     [000]', '-38      [001]', '-381     (  77) [001]'],
  [' .....', ' d..1.', ''],
  [
    '    14.000001:',
    '    14.000002:',
    '    15.000001:',
    '    14.0000019:',
    '    14:',
    '    14.x:',
    '    14.5',
  ],
  [' kmalloc:', ' kmem_cache_alloc:', ' kfree:', ' kmem_cache_free:', ' kmalloc_node:', ' x:'],
  [' call_site=f+0x1/0x2', ' call_site=f+0x3/0x2', ' call_site=g+0x1/0x2 [m]', ' call_site=', ' caller=f'],
  [
    ' ptr=ffff8b2888089f00',
    ' ptr=ffff8b2888089f08',
    ' ptr=0000000000000000',
    ' ptr=0000000000000010',
    ' ptr=(nil)',
    ' ptr=1 bytes_req=5 xx',
    ' ptr=ffff8b2888089f000',
    '',
  ],
  [
    ' bytes_req=64 bytes_alloc=64 gfp_flags=0',
    ' bytes_req=65 bytes_alloc=96 gfp_flags=0',
    ' bytes_req=0 bytes_alloc=0 gfp_flags=0',
    ' bytes_req=0x40 bytes_alloc=0x40 gfp_flags=0',
    ' bytes_req=0x80 bytes_alloc=0x80 gfp_flags=0',
    ' bytes_alloc=64 bytes_req=64',
    ' bytes_req=64',
    ' bytes_req= bytes_alloc=',
    ' name=filp',
    '',
  ],
];

/** A part, and which of its texts it has. */
const choice = fc
  .nat(PARTS.length - 1)
  .chain((part) => fc.tuple(fc.constant(part), fc.nat(PARTS[part]!.length - 1)));
/** The first text of each part, but for some that a whole recording has otherwise and some that one line has. */
const text = fc
  .tuple(fc.array(choice, { maxLength: 2 }), fc.array(fc.array(choice, { maxLength: 1 }), { maxLength: 20 }))
  .map(([everywhere, here]) => [
    ORIGIN,
    ...here.map((changes) => {
      const chosen = new Map([...everywhere, ...changes]);
      return PARTS.map((texts, part) => texts[chosen.get(part) ?? 0]!).join('');
    }),
  ]);

const withParts = (parts: Readonly<Record<number, string>>) =>
  PARTS.map((texts, part) => parts[part] ?? texts[0]!).join('');
const [PID, FLAGS, STAMP, NAME, SITE, POINTER, SIZES] = [1, 2, 3, 4, 5, 6, 7];

describe('a line that repeats what was in others', () => {
  it.each([
    [
      'a hexadecimal size',
      { [SIZES]: ' bytes_req=0x40 bytes_alloc=0x40 g=0' },
      { [SIZES]: ' bytes_req=0x80 bytes_alloc=0x80 g=0' },
    ],
    ['a size at the end of the line', { [SIZES]: ' bytes_req=64' }, { [SIZES]: ' bytes_req=640' }],
    ['a pointer with a field in it', {}, { [POINTER]: ' ptr=1 bytes_req=5 xx' }],
    ['a pointer of too many digits', {}, { [POINTER]: ' ptr=ffff8b2888089f000' }],
    ['another call site', {}, { [SITE]: ' call_site=f+0x3/0x2' }],
    ['a longer call site', {}, { [SITE]: ' call_site=g+0x1/0x2 [m]' }],
    ['another event of the same call site', {}, { [NAME]: ' kfree:' }],
    ['another process', {}, { [PID]: '-382     [001]' }],
    ['a process that begins alike', {}, { [PID]: '-3810    [001]' }],
    ['flags instead of none', { [FLAGS]: '' }, { [FLAGS]: ' dN.2.' }],
    ['a stamp that goes on', {}, { [STAMP]: '    14.000001x:' }],
    ['a stamp without its colon', {}, { [STAMP]: '    14.000001' }],
    ['a stamp with a letter for its colon', {}, { [STAMP]: '    14.000001x' }],
    ['a stamp in integers', { [STAMP]: '    14:' }, { [STAMP]: '    15:' }],
    ['a line that is cut in the stamp', {}, { [STAMP]: '    14.' }],
  ])('is read as if it were the only one: %s', (_what, usual, other) => {
    const often = Array.from({ length: 9 }, () => withParts(usual));
    const lines = [ORIGIN, ...often, withParts({ ...usual, ...other }), ...often];
    for (const size of ['requested', 'allocated'] as const) {
      expect(read(lines, size)).toEqual(readOneByOne(lines, size));
    }
  });

  it('is of the call site that stands in it, whichever was expected', () => {
    const sites = ['f+0x1/0x2', 'f+0x1/0x2', 'f+0x3/0x2', 'g+0x1/0x2 [m]', 'f+0x1/0x2', 'h', 'f+0x1/0x2'];
    const order = [...sites, ...sites, ...sites.toReversed(), ...sites];
    const lines = order.map((site) => withParts({ [SITE]: ` call_site=${site}` }));
    const { events } = read(lines, 'requested');
    expect(events).toMatchObject(order.map((site) => ({ site, size: 64, key: 8878730475249408 })));
  });

  it('is read as if it were the only one, whatever it is', () => {
    const property = fc.property(
      text,
      fc.constantFrom('requested' as const, 'allocated' as const),
      (lines, size) => {
        expect(read(lines, size)).toEqual(readOneByOne(lines, size));
      },
    );
    fc.assert(property, { numRuns: 2000 });
  });
});
