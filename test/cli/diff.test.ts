import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Type } from '@sinclair/typebox';
import { describe, expect, it } from 'vitest';
import { BACKENDS } from '../../src/backend/registry.js';
import { diffCommandWith } from '../../src/cli/commands/diff.js';
import type { Registries } from '../../src/harness/registries.js';
import type { WorkloadDefinition } from '../../src/workload/definition.js';
import { ReplayWorkload } from '../../src/workload/replay.js';
import { type CliResult, runCli } from '../support/run-cli.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { TOYS } from '../support/toy.js';
import { type TraceRow, traceOf } from '../support/trace.js';

/** Two holes, of 8 and of 4 KiB: first fit takes the lower one for 4 KiB, best fit the smaller one. */
const TWO_HOLES: readonly TraceRow[] = [
  [10, 0, 'alloc', 'va', 0, 8192],
  [20, 0, 'alloc', 'va', 1, 4096],
  [30, 0, 'alloc', 'va', 2, 4096],
  [40, 1, 'alloc', 'va', 3, 4096],
  [50, 0, 'free', 'va', 0, 8192],
  [60, 1, 'free', 'va', 2, 4096],
  [70, 1, 'alloc', 'va', 4, 4096],
  [80, 1, 'free', 'va', 4, 4096],
];

const twoHoles: WorkloadDefinition = {
  name: 'two-holes',
  summary: 'two holes',
  parameters: Type.Object({}),
  create() {
    const trace = traceOf(TWO_HOLES);
    const metadata = { ...trace.metadata, sites: ['\u001b[2J<script>'] };
    const blocks = function* () {
      for (const block of trace.blocks()) yield { ...block, site: new Int32Array(block.length) };
    };
    return new ReplayWorkload({ ...trace, metadata, blocks });
  },
};

const HAND_MADE: Registries = { workloads: [twoHoles], backends: BACKENDS };

function diff(registries: Registries, ...argv: string[]): Promise<CliResult> {
  return runCli(['diff', ...argv], '', [diffCommandWith(registries)]);
}

describe('kvabench diff', () => {
  it('finds the first allocation that first fit and best fit place apart, and shows both arenas', async () => {
    const { exitCode, stdout, stderr } = await diff(
      HAND_MADE,
      '-w',
      'two-holes',
      '-b',
      'first-fit-map',
      '-b',
      'best-fit-map',
    );
    expect({ exitCode, stderr }).toEqual({ exitCode: 2, stderr: '' });
    expect(stdout).toBe(
      [
        'two-holes, seed 1: first-fit-map against best-fit-map',
        'first difference: allocation 5 (request 7) at 70 ns, comparing addresses',
        '  alloc va 4096 bytes object 4 CPU 1 from \ufffd[2J<script>',
        '  first-fit-map  0xffffc90000000000',
        '  best-fit-map   0xffffc90000003000',
        'requests before it:',
        '  1 alloc va 8192 bytes object 0 CPU 0 from \ufffd[2J<script> -> 0xffffc90000000000',
        '  2 alloc va 4096 bytes object 1 CPU 0 from \ufffd[2J<script> -> 0xffffc90000002000',
        '  3 alloc va 4096 bytes object 2 CPU 0 from \ufffd[2J<script> -> 0xffffc90000003000',
        '  4 alloc va 4096 bytes object 3 CPU 1 from \ufffd[2J<script> -> 0xffffc90000004000',
        '  5 free object 0 CPU 0',
        '  6 free object 2 CPU 1',
        'first-fit-map: arena kernel, 7 tags',
        '  span 0xffffc90000000000 35184372088832',
        '    alloc 0xffffc90000000000 4096  <- first-fit-map',
        '    free 0xffffc90000001000 4096',
        '    alloc 0xffffc90000002000 4096',
        '    free 0xffffc90000003000 4096  <- best-fit-map',
        '    alloc 0xffffc90000004000 4096',
        '    free 0xffffc90000005000 35184372068352',
        'best-fit-map: arena kernel, 4 tags',
        '  span 0xffffc90000000000 35184372088832',
        '    free 0xffffc90000000000 8192  <- first-fit-map',
        '    alloc 0xffffc90000002000 12288  <- best-fit-map',
        '    free 0xffffc90000005000 35184372068352',
        '',
      ].join('\n'),
    );
  });

  it('has the same as JSON', async () => {
    const { exitCode, stdout } = await diff(
      HAND_MADE,
      '-w',
      'two-holes',
      '-b',
      'first-fit-map',
      '-b',
      'best-fit-map',
      '--json',
    );
    expect(exitCode).toBe(2);
    const found = JSON.parse(stdout);
    expect(found).toMatchObject({ same: false, requests: 7, allocations: 5, compared: 5 });
    expect(found.difference).toMatchObject({
      allocation: 5,
      request: 7,
      timeNs: 70,
      op: 'alloc',
      class: 'va',
      size: 4096,
      site: '\u001b[2J<script>',
      answers: ['0xffffc90000000000', '0xffffc90000003000'],
    });
    expect(found.difference.history).toHaveLength(6);
    expect(found.difference.arenas.map(([arena]: [{ arena: string }]) => arena.arena)).toEqual([
      'kernel',
      'kernel',
    ]);
  });

  it('exits 0 where all answers agree', async () => {
    const same = await diff(TOYS, '-w', 'toy-load', '-b', 'toy-fit', '-b', 'toy-fit:policy=best');
    expect(same).toMatchObject({ exitCode: 0, stderr: '' });
    expect(same.stdout).toMatch(
      /^the same addresses for all \d+ allocations that both serve \(\d+ allocations, 400 requests\)$/m,
    );
  });

  it('shows only the last requests, and a refusal as a difference', async () => {
    const { exitCode, stdout } = await diff(
      TOYS,
      ...['-w', 'toy-load', '-b', 'toy-fit', '-b', 'toy-fit:size=16KiB'],
    );
    expect(exitCode).toBe(2);
    expect(stdout).toMatch(/^ {2}toy-fit +0x[0-9a-f]+\n {2}toy-fit:size=16KiB {2}refused$/m);
    expect(stdout.match(/^ {2}\d+ (alloc|free) /gm)!.length).toBeLessThanOrEqual(8);
    expect(stdout).toContain('\ntoy-fit:size=16KiB: arena toy, ');
  });

  it('compares kernels of different bases by distances', async () => {
    const argv = [
      '-w',
      'two-holes',
      '-b',
      'first-fit-map',
      '-b',
      'first-fit-map:arena_base=0xffffd00000000000',
    ];
    const addresses = await diff(HAND_MADE, ...argv);
    expect(addresses.stdout).toContain('first difference: allocation 1 (request 1)');
    const distances = await diff(HAND_MADE, ...argv, '--relative');
    expect(distances).toMatchObject({ exitCode: 0 });
    expect(distances.stdout).toContain('the same distances from the first object of its class for all 5');
  });

  it('refuses what it cannot compare with one message', async () => {
    const messages = [
      [['-w', 'toy-load', '-b', 'toy-fit'], /--backend: 1 backend chosen \(allowed: exactly two/],
      [
        ['nonsense', '-b', 'toy-fit', '-b', 'toy-fit:quantum=32'],
        /unknown suite, trace or workload 'nonsense'/,
      ],
      [
        ['-w', 'toy-load', '-b', 'toy-fit', '-b', 'toy-fit'],
        /--backend: both are 'toy-fit' \(allowed: two that differ/,
      ],
      [
        ['-w', 'toy-load', '--seed', '1', '--seed', '2', '-b', 'toy-fit', '-b', 'toy-fit:quantum=32'],
        /1 workload and 2 seeds chosen/,
      ],
    ] as const;
    for (const [argv, message] of messages) {
      const { exitCode, stdout, stderr } = await diff(TOYS, ...argv);
      expect({ exitCode, stdout, lines: stderr.split('\n').length }).toEqual({
        exitCode: 1,
        stdout: '',
        lines: 2,
      });
      expect(stderr).toMatch(message);
    }
  });

  it('refuses backends without a class in common', async () => {
    const { exitCode, stderr } = await diff(
      HAND_MADE,
      ...['-w', 'two-holes', '-b', 'bhyve-reservoir', '-b', 'first-fit-map'],
    );
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(
      /nothing to compare: the workload asks for va; backend 'bhyve-reservoir' serves guest/,
    );
  });

  it('takes a suite of one workload', async () => {
    const suite = join(temporaryFolder(), 'one.yaml');
    writeFileSync(
      suite,
      'name: one\nworkloads: [toy-load]\nbackends: [toy-fit, {backend: toy-fit, quantum: 64}]\n',
    );
    const { exitCode, stdout } = await diff(TOYS, suite);
    expect(exitCode).toBe(2);
    expect(stdout).toContain('toy-load, seed 1: toy-fit against toy-fit:quantum=64');
  });
});
