import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli } from '../support/run-cli.js';
import { repositoryRoot } from '../support/shared.js';

const CASES = join(repositoryRoot, 'test/golden/cases/illumos-vmem');
const KERNEL_TREE = join(CASES, 'kernel-tree');

let scratch = '';

beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'kvabench-kernel-tree-'));
});

afterAll(() => rmSync(scratch, { recursive: true }));

/** A copy of a case with the text of one file edited. */
function altered(name: string, file: string, edit: (text: string) => string): string {
  const copy = join(mkdtempSync(join(scratch, 'case-')), name);
  cpSync(join(CASES, name), copy, { recursive: true });
  const path = join(copy, file);
  const packed = file.endsWith('.gz');
  const text = (packed ? gunzipSync(readFileSync(path)) : readFileSync(path)).toString('utf8');
  const edited = edit(text);
  expect(edited).not.toBe(text);
  writeFileSync(path, packed ? gzipSync(edited) : edited);
  return copy;
}

describe('the golden kernel tree', () => {
  it('is reproduced: start-up, every address, every column, every slab structure', async () => {
    const { exitCode, stdout } = await runCli(['verify', KERNEL_TREE]);
    expect(stdout).toContain('1 passed, 0 failed\n');
    expect(exitCode).toBe(0);
  });

  it.each([
    ['initial_segments.csv.gz', /^kmem_log,alloc,0x200000040010,112$/m, 'kmem_log,alloc,0x200000040010,120'],
    ['checkpoints.csv', /^(0,vmem_seg,.*),12$/m, '$1,13'],
    ['slabs.csv.gz', /0x200000032f38$/m, '0x200000032f40'],
    ['freelists.csv.gz', /^heap,12,0x200001d3c000,4096$/m, 'heap,12,0x200001d3d000,4096'],
  ])('is not reproduced once %s differs', async (file, from, to) => {
    const copy = altered('kernel-tree', file, (text) => text.replace(from, to));
    const { exitCode, stdout } = await runCli(['verify', copy]);
    expect(stdout).toContain(`: ${file}`);
    expect(exitCode).toBe(2);
  });

  it.each([
    ['does not say where the heap is', '"kernel_heap"', '"kernel_heaps"'],
    ['makes the heap too small', '"size": 68719476736', '"size": 68719'],
  ])('is refused when case.json %s', async (_what, from, to) => {
    const copy = altered('kernel-tree', 'case.json', (text) => text.replace(from, to));
    const { exitCode, stdout } = await runCli(['verify', copy]);
    expect(stdout).toContain('kernel_heap: not the description of a heap');
    expect(exitCode).toBe(1);
  });

  it('shows the arena behind kmem_alloc among the tags', async () => {
    const { stdout, exitCode } = await runCli(['verify', KERNEL_TREE, '--until', '3']);
    expect(exitCode).toBe(0);
    expect(stdout).toContain('arena kmem_default: ');
  });
});

describe('an ordinary case, replayed on a kernel tree as well', () => {
  it.each([
    ['tiny-nextfit', 'checkpoints.csv', /^(40,t,.*),\d+$/m, '$1,99', 'checkpoints.csv t nsegfree'],
    ['segkp-heap', 'slabs.csv.gz', /0x200000032f38$/m, '0x200000032f80', 'slabs.csv.gz row 1'],
  ])('notices in %s a wrong %s that the model without metadata cannot know', async (...row) => {
    const [name, file, from, to, what] = row;
    const copy = altered(name, file, (text) => text.replace(from, to));
    const { exitCode, stdout } = await runCli(['verify', copy]);
    expect(stdout).toContain(`illumos-vmem on a kernel tree: ${what}`);
    expect(exitCode).toBe(2);
  });
});
