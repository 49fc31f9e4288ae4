import { readFileSync, writeFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { runCli } from '../support/run-cli.js';
import { repositoryRoot, sharedPath } from '../support/shared.js';
import { fixture, temporaryFolder } from '../trace/support.js';

const folder = temporaryFolder();
const BOOT = fixture('boot-vmap.txt.gz');
const MIXED = fixture('mixed-vmap.txt.gz');
const SNAPSHOT = fixture('mixed-vmallocinfo.gz');

function changed(file: string, change: (text: string) => string): string {
  const path = folder.path('changed.txt');
  writeFileSync(path, change(gunzipSync(readFileSync(file)).toString('latin1')));
  return path;
}

async function verdictOf(...args: string[]): Promise<Record<string, unknown> & { misses: never[] }> {
  return JSON.parse((await runCli(['verify', '--json', '--recording', ...args])).stdout);
}

describe('kvabench verify --recording', () => {
  it('predicts a boot but for one address, and explains that one', async () => {
    const { stdout, exitCode } = await runCli(['verify', '--recording', BOOT, '--at-least', '99.8%']);
    expect(exitCode).toBe(0);
    expect(stdout.split('\n').slice(0, 8).join('\n').replaceAll(BOOT, 'BOOT')).toBe(
      [
        'BOOT: 785 allocations, 305 frees, 550 purges; 2 CPUs, 2 nodes',
        '  begins with nothing allocated',
        '  strict         99.872 %  (784 of 785)',
        '  with overlaps  100.000 %  (785 of 785)',
        '  miss: allocation 1554 (11.716184 s, CPU 1)',
        '    wanted 0xffffd0f540701000',
        '    got    0xffffd0f54075c000',
        '    explained: the pass that purge 1555 (11.721556 s, CPU 0) closes came before',
      ].join('\n'),
    );
    expect(stdout).toContain('    0xffffd0f540701000 372736 pool node 1\n');
    expect(await runCli(['verify', '--recording', BOOT])).toEqual({ exitCode: 0, stdout, stderr: '' });
  });

  it('starts from a snapshot, and counts what the recording itself had to tell', async () => {
    const verdict = await verdictOf(MIXED, '--initial', SNAPSHOT);
    expect(verdict).toMatchObject({
      allocations: 278,
      snapshotAreas: 471,
      contradictedAreas: 2,
      inferredAreas: 4,
      strictPercent: (100 * 277) / 278,
      withOverlapsPercent: 100,
    });
    const without = await verdictOf(MIXED);
    expect(without.misses.length).toBeGreaterThan(100);
  });

  it('notices a wrong address, a purge that is missing, and another alignment', async () => {
    const wrong = changed(BOOT, (text) => text.replace('18446692350492180480', '18446692350492147712'));
    const result = await runCli(['verify', '--recording', wrong, '--at-least', '99.8%']);
    expect(result.exitCode).toBe(2);
    expect(result.stdout).toContain('no order of events that the record permits explains it');
    const purges = changed(BOOT, (text) =>
      text.replace(/^.*purge_vmap_area_lazy.*num_purged=[^0].*\n/gm, ''),
    );
    expect((await verdictOf(purges)).misses.length).toBeGreaterThan(50);
    const aligned = changed(BOOT, (text) => text.replaceAll('align=16384', 'align=4096'));
    expect((await verdictOf(aligned)).misses.length).toBeGreaterThan(20);
  });

  it('takes the probes of a kernel without tracepoints, which has no nodes', async () => {
    const verdict = await verdictOf(fixture('kprobe-kva.txt'));
    expect(verdict).toMatchObject({ nodes: 1, purges: 0 });
    const text = await runCli(['verify', '--recording', fixture('kprobe-kva.txt')]);
    expect(text.stdout).toMatch(/; \d+ CPUs?, 1 node\n/);
  });

  it.each([
    ['an imported trace', ['workloads/traces/linux612-mixed.arrow'], /is an imported trace/],
    ['a recording of kmem', [fixture('boot-kmem.txt.gz')], /holds no allocation of kernel address space/],
    ['no snapshot', [BOOT, '--initial', 'README.md'], /README\.md:1: is no line of vmallocinfo/],
    [
      'a snapshot of another boot',
      [BOOT, '--initial', SNAPSHOT],
      /has \d+ of \d{3} areas in the recording's main range/,
    ],
    ['a share above all', [BOOT, '--at-least', '101%'], /--at-least: '101%' is not acceptable/],
    ['a directory as well', [BOOT, 'test'], /--recording: stands alone/],
  ])('refuses %s with one message', async (_what, args, message) => {
    const paths = args.map((arg) => (/^(workloads|README)/.test(arg) ? `${repositoryRoot}/${arg}` : arg));
    const { exitCode, stderr, stdout } = await runCli(['verify', '--recording', ...paths]);
    expect([exitCode, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(message);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
  });

  it('refuses requests without a window, and a recording of modules alone', async () => {
    const windowless = changed(BOOT, (text) => text.replaceAll(/ vstart=\S+/g, ''));
    expect((await runCli(['verify', '--recording', windowless])).stderr).toContain('within which window');
    const modules = changed(BOOT, (text) => text.replaceAll(/^.*alloc.*vstart=0xffffd0.*\n/gm, ''));
    expect((await runCli(['verify', '--recording', modules])).stderr).toContain(
      'no request for the main range',
    );
  });

  it('refuses its options without a recording', async () => {
    const { exitCode, stderr } = await runCli(['verify', '--initial', SNAPSHOT]);
    expect([exitCode, stderr]).toEqual([
      1,
      'kvabench: --initial: goes with a recording only (allowed: --recording)\n',
    ]);
  });
});

/** Share of the whole recordings that the model predicts: strict misses and unexplained ones. */
const WHOLE: readonly (readonly [name: string, strict: number, unexplained: number])[] = [
  ['linux612-boot-kva', 1, 0],
  ['linux612-forkstorm-kva', 1, 0],
  ['linux612-modules-kva', 30, 30],
  ['linux612-mixed-kva', 106, 101],
  ['linux612-stressng-kva', 205, 201],
  ['linux61-kprobe-kva', 6, 6],
];

describe.skipIf(sharedPath('traces') === undefined)('whole recordings (needs ../shared)', () => {
  it.each(WHOLE)(
    '%s: %i addresses not in printed order, %i unexplained',
    async (name, strict, unexplained) => {
      const recording = sharedPath(`traces/${name}.ftrace.txt.gz`)!;
      const snapshot = name.includes('boot') ? [] : ['--initial', sharedPath(`traces/${name}.meta.tar.gz`)!];
      const { misses } = await verdictOf(recording, ...snapshot);
      expect(misses).toHaveLength(strict);
      expect(misses.filter(({ overlap }) => overlap === null)).toHaveLength(unexplained);
    },
  );
});
