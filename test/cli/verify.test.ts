import { describe, expect, it } from 'vitest';
import { findCases, SHIPPED_CASES } from '../../src/harness/golden/find-cases.js';
import { CaseCopy, temporaryDirectory } from '../support/case-copy.js';
import { type CliResult, runCli } from '../support/run-cli.js';

const CASE = 'tiny-mixedpolicy';

/** Verifies a copy of a shipped case that was damaged. */
async function verifyDamaged(
  damage: (copy: CaseCopy) => CaseCopy,
): Promise<CliResult & { directory: string }> {
  const copy = damage(new CaseCopy(CASE));
  return { ...(await runCli(['verify', copy.directory])), directory: copy.directory };
}

describe('kvabench verify', () => {
  it('prints a line per case, the sum, and the same again', async () => {
    const first = await runCli(['verify']);
    expect(first.exitCode).toBe(0);
    const lines = first.stdout.trimEnd().split('\n');
    expect(lines.slice(0, -1)).toHaveLength(findCases(SHIPPED_CASES).length);
    for (const line of lines.slice(0, -1)) {
      expect(line).toMatch(/^(passed {2}[\w-]+\/[\w-]+: \d+ (operations|rows)|skipped [\w-]+\/[\w-]+: .+)$/);
    }
    expect(lines).toContain('passed  illumos-vmem/tiny-xalloc: 195 operations');
    expect(lines.at(-1)).toMatch(/^\d+ passed, 0 failed(, \d+ skipped)?$/);
    expect(await runCli(['verify'])).toEqual(first);
  });

  it('takes directories with cases at any depth', async () => {
    const { directory } = new CaseCopy(CASE);
    const { stdout } = await runCli(['verify', directory, `${SHIPPED_CASES}/illumos-vmem/tiny-bestfit`]);
    expect(stdout.split('\n')).toHaveLength(4);
    expect(stdout).toContain('2 passed, 0 failed');
  });

  it('skips oracles without a model, by name', async () => {
    const damaged = await verifyDamaged((copy) =>
      copy.edit('case.json', (text) => text.replace('illumos-vmem', 'plan9-pool')),
    );
    expect(damaged.stdout).toBe(
      `skipped plan9-pool/${CASE}: no model of plan9-pool yet\n0 passed, 0 failed, 1 skipped\n`,
    );
  });

  it('prints the tags after an operation', async () => {
    const { directory } = new CaseCopy(CASE);
    const { stdout, exitCode } = await runCli(['verify', directory, '--until', '2']);
    expect(exitCode).toBe(0);
    expect(stdout.split('\n').slice(0, 4)).toEqual([
      'arena t: 4 tags',
      '  span 0x10000 65536',
      '    alloc 0x10000 96',
      '    alloc 0x10060 467',
    ]);
    const start = await runCli(['verify', directory, '--until', '0']);
    expect(start.stdout).toContain('arena t: 2 tags');
  });
});

describe('the first difference is explained', () => {
  it('when a result differs: operation, wanted, got, tags around, command', async () => {
    const damaged = await verifyDamaged((copy) => copy.editField('ops.csv.gz', 3, 'result', '0x1b000'));
    expect(damaged.exitCode).toBe(2);
    expect(damaged.stderr).toBe('');
    const lines = damaged.stdout.trimEnd().split('\n');
    expect(lines.slice(0, 6)).toEqual([
      `FAILED  illumos-vmem/${CASE}`,
      '  first difference after operation 2: result',
      '    wanted 0x1b000',
      '    got    0x10060',
      '      1 alloc t id=0 size=96 flags=NOSLEEP|BESTFIT -> 0x10000',
      '    > 2 alloc t id=1 size=467 flags=NOSLEEP|FIRSTFIT|NEXTFIT -> 0x1b000',
    ]);
    expect(lines.some((line) => /^ +alloc 0x10060 467$/.test(line))).toBe(true);
    expect(lines.slice(-2)).toEqual([
      `  replay up to it: kvabench verify ${damaged.directory} --until 2`,
      '0 passed, 1 failed',
    ]);
    const replayed = await runCli(['verify', damaged.directory, '--until', '2']);
    expect(replayed.stdout).toContain('alloc 0x10060 467');
  });

  it('when a request was refused in the vector only', async () => {
    const damaged = await verifyDamaged((copy) => copy.editField('ops.csv.gz', 2, 'result', 'ENOMEM'));
    expect(damaged.exitCode).toBe(2);
    expect(damaged.stdout).toContain('wanted ENOMEM\n    got    0x10000\n');
  });

  it.each([
    ['checkpoints.csv', 'segments_sha256', 'operation 3: checkpoints.csv t segments_sha256'],
    ['checkpoints.csv', 'freelists_sha256', 'operation 3: checkpoints.csv t freelists_sha256'],
    ['checkpoints.csv', 'arenalist_sha256', 'operation 3: checkpoints.csv t arenalist_sha256'],
    ['checkpoints.csv', 'k_search', 'operation 3: checkpoints.csv t k_search'],
    ['segments.csv.gz', 'size', 'operation 180: segments.csv.gz row 4'],
    ['freelists.csv.gz', 'start', 'operation 180: freelists.csv.gz row 4'],
  ])('when %s differs in %s', async (file, column, expected) => {
    const damaged = await verifyDamaged((copy) => copy.editField(file, 5, column, '7'));
    expect(damaged.exitCode).toBe(2);
    expect(damaged.stdout).toContain(`first difference after ${expected}\n`);
    expect(damaged.stdout).toMatch(/ {4}wanted .*7/);
    expect(damaged.stdout).toContain('    > ');
  });

  it.each(['segments.csv.gz', 'freelists.csv.gz'])(
    'when a row is missing in or added to %s',
    async (file) => {
      const shorter = await verifyDamaged((copy) => copy.edit(file, (text) => text.replace(/[^\n]+\n$/, '')));
      expect([shorter.exitCode, shorter.stdout.includes('wanted (none)')]).toEqual([2, true]);
      const longer = await verifyDamaged((copy) => copy.edit(file, (text) => `${text}t,free,0x1,1\n`));
      expect([longer.exitCode, longer.stdout.includes('got    (none)')]).toEqual([2, true]);
    },
  );

  it('and does not keep the other cases from being verified', async () => {
    const wrong = new CaseCopy(CASE).editField('ops.csv.gz', 3, 'result', '0x1b000');
    const unreadable = new CaseCopy('tiny-xalloc').remove('ops.csv.gz');
    const right = new CaseCopy('tiny-bestfit');
    const { stdout, exitCode } = await runCli([
      'verify',
      wrong.directory,
      unreadable.directory,
      right.directory,
    ]);
    expect(exitCode).toBe(2);
    expect(stdout).toMatch(/^FAILED .*\nUNREADABLE .*\npassed .*\n1 passed, 2 failed\n$/s);
  });
});

type Damage = (copy: CaseCopy) => CaseCopy;

function description(from: string, to: string): Damage {
  return (copy) => copy.edit('case.json', (text) => text.replace(from, to));
}

function field(column: string, value: string, line = 2, file = 'ops.csv.gz'): Damage {
  return (copy) => copy.editField(file, line, column, value);
}

/** What each damage to the files is answered with, behind the path of the case. */
const UNREADABLE: readonly (readonly [string, Damage, string])[] = [
  ['operations that are cut off', (copy) => copy.truncate('ops.csv.gz'), 'ops.csv.gz: cannot be unpacked'],
  [
    'segments that are cut off',
    (copy) => copy.truncate('segments.csv.gz'),
    'segments.csv.gz: cannot be unpacked',
  ],
  [
    'checkpoints that are cut off',
    (copy) => copy.truncate('checkpoints.csv'),
    'checkpoints.csv: not a CSV table',
  ],
  ['no operations', (copy) => copy.remove('ops.csv.gz'), 'ops.csv.gz: file of the golden case is missing'],
  [
    'no checkpoints',
    (copy) => copy.remove('checkpoints.csv'),
    'checkpoints.csv: file of the golden case is missing',
  ],
  [
    'no segments',
    (copy) => copy.remove('segments.csv.gz'),
    'segments.csv.gz: file of the golden case is missing',
  ],
  ['empty checkpoints', (copy) => copy.edit('checkpoints.csv', () => ''), 'checkpoints.csv: no checkpoints'],
  ['bad JSON', (copy) => copy.truncate('case.json'), 'case.json: not JSON ('],
  ['JSON that is no case', (copy) => copy.edit('case.json', () => '[]'), 'case.json: Expected object'],
  [
    'a quantum in quotes',
    description('"quantum": 16', '"quantum": "16"'),
    'case.json: /arenas/0/quantum: Expected integer',
  ],
  [
    'a quantum of 3',
    description('"quantum": 16', '"quantum": 3'),
    'case.json: arenas: quantum is not a power of two',
  ],
  ['a base that is no address', description('0x10000', 'top'), 'case.json: /arenas/0/base: Expected string'],
  ['a base off the quantum', description('0x10000', '0x10001'), 'case.json: arenas: misaligned span'],
  ['a span at address 0', description('0x10000', '0x0'), 'case.json: arenas: bad span'],
  ['a span past 2^64', description('0x10000', '0xfffffffffffffff0'), 'case.json: arenas: bad address range'],
  [
    'an arena of negative size',
    description(': 65536', ': -65536'),
    'case.json: /arenas/0/size: Expected integer',
  ],
  [
    'an unknown arena flag',
    description('"flags": ""', '"flags": "FAST"'),
    "case.json: flags: unknown flag 'FAST'",
  ],
  ['an import from nowhere', description('"none"', '"vmem"'), "case.json: t: unknown source 'null'"],
  [
    'another header',
    (copy) => copy.edit('ops.csv.gz', (text) => `#${text}`),
    'ops.csv.gz:1: unexpected header',
  ],
  ['a field too many', field('size', '1,1'), 'ops.csv.gz:2: line: bad value 13 fields (allowed: 12 fields)'],
  [
    'an unknown operation',
    field('op', 'malloc', 7),
    "ops.csv.gz:7: op: unknown operation 'malloc' (allowed: alloc,",
  ],
  [
    'an unknown flag',
    field('flags', 'NOSLEEP|FAST', 7),
    "ops.csv.gz:7: flags: unknown flag 'FAST' (allowed: NOSLEEP,",
  ],
  ['an unknown arena', field('arena', 'heap'), "ops.csv.gz:2: arena: bad value 'heap' (allowed: t)"],
  ['no arena', field('arena', ''), "ops.csv.gz:2: arena: bad value '' (allowed: t)"],
  [
    'a negative size',
    field('size', '-1'),
    "ops.csv.gz:2: size: bad value '-1' (allowed: an integer from 0 to 2^53)",
  ],
  ['a size of 0', field('size', '0'), "ops.csv.gz:2: size: bad value '0' (allowed: more than 0 bytes)"],
  ['a size of NaN', field('size', 'NaN'), "ops.csv.gz:2: size: bad value 'NaN'"],
  [
    'a size above 2^53',
    field('size', '9007199254740993000'),
    "ops.csv.gz:2: size: bad value '9007199254740993000'",
  ],
  ['a fraction of a byte', field('size', '1.5'), "ops.csv.gz:2: size: bad value '1.5'"],
  ['a hexadecimal size', field('size', '0x10'), "ops.csv.gz:2: size: bad value '0x10'"],
  [
    'an allocation without id',
    field('id', ''),
    "ops.csv.gz:2: id: bad value '' (allowed: the id of an allocation)",
  ],
  [
    'a free of what is not live',
    field('id', '99', 5),
    "ops.csv.gz:5: id: bad value '99' of free, which is not allocated",
  ],
  ['a free with a result', field('result', '0x10000', 5), "ops.csv.gz:5: result: bad value '0x10000'"],
  ['an allocation without result', field('result', ''), "ops.csv.gz:2: result: bad value ''"],
  ['a result that is no address', field('result', 'top'), "ops.csv.gz:2: result: bad value 'top'"],
  ['a bound that is no address', field('minaddr', '12'), "ops.csv.gz:2: minaddr: bad value '12'"],
  [
    'a result far outside',
    field('result', '0x7777777777777777'),
    "ops.csv.gz:2: result: bad value '0x7777777777777777'",
  ],
  [
    'a sequence that runs back',
    field('seq', '1', 3),
    "ops.csv.gz:3: seq: bad value '1' (allowed: more than the 1",
  ],
  [
    'a checkpoint of no operation',
    field('seq', '999', 5, 'checkpoints.csv'),
    "checkpoints.csv:5: seq: no operation '999'",
  ],
  [
    'a checkpoint of no arena',
    field('arena', 'heap', 5, 'checkpoints.csv'),
    "checkpoints.csv:5: arena: unknown arena 'heap'",
  ],
];

describe('an unreadable case is one clear message and exit code 1', () => {
  it.each(UNREADABLE)('%s', async (_what, damage, message) => {
    const { exitCode, stdout, stderr, directory } = await verifyDamaged(damage);
    const [line, sum, ...rest] = stdout.split('\n');
    expect(line).toContain(`UNREADABLE ${directory}/${message}`);
    expect([sum, rest, stderr, exitCode]).toEqual(['0 passed, 1 failed', [''], '', 1]);
  });

  it('two arenas of one name', async () => {
    const { stdout, exitCode } = await verifyDamaged((copy) =>
      copy.edit('case.json', (text) => {
        const whole = JSON.parse(text);
        return JSON.stringify({ ...whole, arenas: [...whole.arenas, ...whole.arenas] });
      }),
    );
    expect(stdout).toContain("case.json: arenas: two arenas are named 't'");
    expect(exitCode).toBe(1);
  });
});

describe('bad usage of verify is one clear message and exit code 1', () => {
  const usage: readonly (readonly [string, (directory: string) => string[], string])[] = [
    [
      'a directory that is not there',
      (directory) => [`${directory}/none`],
      '/none: no such directory (allowed: ',
    ],
    ['a directory without cases', () => [temporaryDirectory()], ': no golden case at or below (allowed: '],
    [
      '--until without a case',
      () => ['--until', '3'],
      `kvabench: --until: ${findCases(SHIPPED_CASES).length} cases named (allowed: exactly one case)`,
    ],
    ['--until without a number', (directory) => [directory, '--until'], '--until: needs a value'],
    [
      '--until no number',
      (directory) => [directory, '--until', 'x'],
      "--until: 'x' (allowed: an operation from 0 to",
    ],
    [
      '--until a fraction',
      (directory) => [directory, '--until', '1.5'],
      "--until: '1.5' (allowed: an operation from 0",
    ],
    [
      '--until behind the end',
      (directory) => [directory, '--until', '181'],
      "'181' (allowed: an operation from 0 to 180)",
    ],
    ['an unknown option', (directory) => [directory, '--fast'], "unknown option '--fast'"],
  ];

  it.each(usage)('%s', async (_what, args, message) => {
    const { directory } = new CaseCopy(CASE);
    const { exitCode, stdout, stderr } = await runCli(['verify', ...args(directory)]);
    expect([exitCode, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/^kvabench: [^\n]*\n$/);
    expect(stderr).toContain(message);
  });

  it('a case whose case.json is missing', async () => {
    const { exitCode, stderr } = await verifyDamaged((copy) => copy.remove('case.json'));
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining('(allowed: directories with case.json)')]);
  });
});
