import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { BACKENDS } from '../../src/backend/registry.js';
import { runCommandWith } from '../../src/cli/commands/run.js';
import {
  backendFileReference,
  loadBackendFile,
  withBackendFiles,
  withSameFile,
} from '../../src/harness/backend-files.js';
import { sha256 } from '../../src/harness/digest.js';
import { REGISTRIES } from '../../src/harness/registries.js';
import { mixedLoad } from '../support/mixed-load.js';
import { type CliResult, runCli } from '../support/run-cli.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { BROKEN_BACKENDS, userBackendFile } from '../support/user-backend.js';

const LOAD = ['-w', 'mixed-load', '--samples', '5', '--workers', '0'];

let folder: string;
let out: string;

beforeEach(() => {
  folder = temporaryFolder();
  out = join(folder, 'out');
});

function run(...argv: string[]): Promise<CliResult> {
  const registries = { ...REGISTRIES, workloads: [...REGISTRIES.workloads, mixedLoad] };
  return runCli(['run', ...argv, '--out', out], '', [runCommandWith(registries)]);
}

/** Runs a file of this text as backend and expects one message. */
async function refusal(source: string): Promise<string> {
  const path = join(folder, 'my-backend.js');
  writeFileSync(path, source);
  const message = failureOf(await run(...LOAD, '-b', path), path);
  expect(existsSync(out)).toBe(false);
  return message;
}

/** What a run says of the file `path`, without what it says of the cell. */
function failureOf(result: CliResult, path: string): string {
  expect(result).toMatchObject({ exitCode: 1, stdout: '' });
  expect(result.stderr.startsWith(`kvabench: ${path}`)).toBe(true);
  const message = result.stderr.slice(`kvabench: ${path}`.length);
  return message.replace(/ \(cell .*\)\nkvabench: 1 of 1 cells failed: see [^\n]*\n$/, '\n');
}

describe('a backend file', () => {
  it('runs beside backends that are shipped, with parameters, and its digest is in the configuration', async () => {
    const path = userBackendFile(folder);
    const result = await run(...LOAD, '-b', `${path}:size=2GiB`, '-b', 'first-fit-map');
    expect(result).toMatchObject({ exitCode: 0, stderr: '' });
    const { cells } = JSON.parse(readFileSync(join(out, 'run.json'), 'utf8'));
    expect(cells[0].configuration.backend).toEqual({
      name: 'my-backend',
      parameters: { size: 2 ** 31 },
      file: 'my-backend.js',
      sha256: sha256(readFileSync(path)),
    });
    expect(cells[1].configuration.backend).not.toHaveProperty('file');
    expect(readFileSync(join(out, 'summary.csv'), 'utf8')).toContain('my-backend:size=2GiB');
  });

  it('may be named in a suite by a path that starts at its folder', async () => {
    mkdirSync(join(folder, 'sub'));
    userBackendFile(join(folder, 'sub'));
    const suite = join(folder, 'suite.yaml');
    const backends = '[./sub/my-backend.js, {backend: sub/my-backend.js, name: small, size: 1GiB}]';
    writeFileSync(
      suite,
      `name: mine\nworkloads: [{workload: churn, operations: 500}]\nbackends: ${backends}\n`,
    );
    const result = await run(suite, '--workers', '0');
    expect(result).toMatchObject({ exitCode: 0, stderr: '' });
    expect(result.stdout).toMatch(/\nmy-backend .*\nsmall /);
  });

  it('is loaded anew when it has been changed, and a worker refuses it then', async () => {
    const path = userBackendFile(folder);
    const { file } = await loadBackendFile(path);
    userBackendFile(folder, 'my-backend.js', ["'first fit", "'next fit"]);
    expect((await loadBackendFile(path)).summary).toContain('next fit');
    await expect(withSameFile(REGISTRIES, file!)).rejects.toThrow('the file has been changed during the run');
  });

  it('may export `backend` by name, and leave out parameters, footprint and work', async () => {
    const path = join(folder, 'plain.mjs');
    writeFileSync(
      path,
      `export const backend = { name: 'plain', summary: 'never gives back', create() {
        let next = 4096;
        return {
          serves: [0, 2],
          range: { base: 4096, size: 2 ** 40 },
          alloc: (_cls, size) => (next + size > 2 ** 40 + 4096 ? -1 : (next += size) - size),
          free() {},
        };
      } };`,
    );
    const result = await run('-w', 'churn:class=kmem,operations=500', '-b', path, '--workers', '0');
    expect(result).toMatchObject({ exitCode: 1, stdout: '' });
    expect(result.stderr).toMatch(
      /: backend 'plain', operation \d+ at \d+ ns: after everything was freed, and a reap, it refuses kmem 1099511627776/,
    );
  });

  it('is named by a path that ends in .js or .mjs', () => {
    expect(backendFileReference('./a.js')).toEqual({ name: './a.js', pairs: undefined });
    expect(backendFileReference('../b/a.mjs:x=1,y=c.js')).toEqual({
      name: '../b/a.mjs',
      pairs: 'x=1,y=c.js',
    });
    expect(backendFileReference('buddy:x=1')).toBeUndefined();
  });
});

describe('a file that is no backend', () => {
  const created = (result: string) =>
    `export default { name: 'x', summary: 's', create: () => (${result}) };\n`;
  const parts = 'serves: [0], range: { base: 0, size: 4096 }, alloc: () => -1, free() {}';

  it.each([
    ['is empty', '', ': export: is missing (allowed: export default { name, summary, create }'],
    ['exports a number', 'export default 5;', ': export: 5 is not acceptable'],
    ['has no name', 'export default {};', ': name: is missing (allowed: lower-case words'],
    ['has a bad name', "export default { name: 'No' };", ": name: 'No' is not acceptable"],
    ['has no summary', "export default { name: 'x' };", ': summary: is missing (allowed: one line'],
    [
      'has no create',
      "export default { name: 'x', summary: 's' };",
      ': create: is missing (allowed: a function',
    ],
    [
      'has the name of another',
      "export default { name: 'buddy', summary: 's', create() {} };",
      ": name: 'buddy' is the name of a backend that is shipped (allowed: another name)",
    ],
    [
      'has a parameter without default',
      "export default { name: 'x', summary: 's', parameters: { a: { type: 'number' } }, create() {} };",
      ': parameters.a.default: is missing (allowed: text, a number or a boolean)',
    ],
    ['creates nothing', created('undefined'), ': create: result: is missing (allowed: { serves'],
    ['serves nothing', created('{ alloc() {}, free() {} }'), ': create: serves: is missing (allowed: a list'],
    [
      'serves what is not',
      created(`{ ${parts}, serves: [0, 99] }`),
      ': create: serves: 99 is not acceptable',
    ],
    ['serves tasks', created(`{ ${parts}, serves: [6] }`), ': create: serves: 6 is not acceptable'],
    ['has no alloc', created(`{ ${parts}, alloc: 1 }`), ': create: alloc: 1 is not acceptable'],
    ['has a reap that is none', created(`{ ${parts}, reap: 1 }`), ': create: reap: 1 is not acceptable'],
    [
      'has neither range nor arenas',
      created(`{ ${parts}, range: undefined }`),
      ': create: range: is missing',
    ],
    [
      'has an empty range',
      created(`{ ${parts}, range: { base: 0, size: 0 } }`),
      ': create: range: { base: 0,',
    ],
    ['has no arena', created(`{ ${parts}, arenas: [] }`), ': create: arenas: [] is not acceptable'],
    [
      'has a bad arena',
      created(`{ ${parts}, arenas: [{}] }`),
      ': arenas: name: is missing (allowed: a name)',
    ],
  ])('is refused when it %s', async (_what, source, message) => {
    expect(await refusal(source)).toContain(message);
  });

  it('is refused with the line of what it throws', async () => {
    expect(await refusal('const a = 1;\n\n  throw new RangeError("no");\n')).toMatch(
      /^:\d+:\d+: cannot be loaded: RangeError: no\n$/,
    );
    expect(await refusal(created('(() => { throw new Error("small") })()'))).toContain(
      'create: Error: small',
    );
  });

  it('is refused when it is missing', async () => {
    const path = join(folder, 'none.js');
    const { exitCode, stderr } = await run(...LOAD, '-b', path);
    expect(exitCode).toBe(1);
    expect(stderr).toContain(`${path}: cannot read the backend: ENOENT`);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
  });

  it('is refused where the syntax is wrong', async () => {
    expect(await refusal('export default {\n  name "x" };\n')).toContain('cannot be loaded: ');
  });

  it('does not hide a name that is unknown', async () => {
    const { stderr } = await run(...LOAD, '-b', 'budy');
    expect(stderr).toContain(`unknown backend 'budy'; did you mean 'buddy'?`);
    expect(stderr).toContain(BACKENDS.map(({ name }) => name).join(', '));
  });
});

describe('a backend of the user’s that breaks its contract', () => {
  const MESSAGES: Readonly<Record<string, RegExp>> = {
    throws:
      /^:\d+:\d+: backend 'my-backend', operation 8 at \d+ ns: alloc \w+ \d+ on CPU \d.*: TypeError: no room\n$/,
    'throws in free': /: free \w+ \d+ at 0x\w+ on CPU \d: TypeError: Cannot read properties of null/,
    'throws no error': /: alloc \w+ \d+ on CPU \d: 5 was thrown\n$/,
    overlaps: /answered 0x\w+: it overlaps .*the live \w+ \d+ at 0x\w+ of operation \d+\n$/,
    'overlaps with footprints': /it overlaps \(with its footprint of \d+ bytes\) the live \w+/,
    misaligns: /with align=\d+.* answered 0x\w+: modulo \d+ it is \d+, not \d+\n$/,
    'leaks some':
      /after everything was freed, and a reap, it refuses \w+ \d+, which a new one grants: it leaks/,
    'leaks all':
      /after everything was freed, and a reap, it refuses \w+ \d+, which a new one grants: it leaks, or its reap keeps what nobody uses\n$/,
    'answers nothing': /answered undefined: that is no address, nor NO_ADDRESS \(-1\)\n$/,
    'answers fractions': /answered \d+\.5: that is no address, nor NO_ADDRESS \(-1\)\n$/,
    'leaves its range': /answered 0x\w+: that is not within 0x10000000000\.\.0x20000000000\n$/,
    'has a footprint below the request':
      /: footprint of \w+ \d+ is \d+ \(allowed: an integer from \d+ up\)\n$/,
  };

  it.each(Object.entries(BROKEN_BACKENDS))('is refused when it %s', async (what, change) => {
    const path = userBackendFile(folder, 'my-backend.js', change);
    expect(failureOf(await run(...LOAD, '-b', path), path)).toMatch(MESSAGES[what]!);
  });

  it('is called by its path from the current folder where it lies below that', async () => {
    const path = userBackendFile(folder, 'my-backend.js', BROKEN_BACKENDS.throws!);
    const { stderr } = await run(...LOAD, '-b', relative(process.cwd(), path));
    expect(stderr).toContain(path);
  });
});

/** A bump allocator over an array of its own, with an arena of its own; `figures`, `view` and `backend` are laid over it. */
function ownArena(figures: string, view = '', backend = ''): string {
  return `export default { name: 'own', summary: 'with an arena', create() {
    let next = 4096, inUse = 0, count = 0;
    const arena = {
      name: 'own', source: null, quantum: 1, caches: [],
      get figures() {
        return { totalBytes: 2 ** 40, inUseBytes: inUse, importBytes: 0, spanTags: 0, freeTags: 0, allocTags: 0,
          allocs: count, frees: 0, fails: 0, waits: 0, lookups: 0, searches: count, splits: 0, merges: 0, imports: 0,
          releases: 0, hashBuckets: 0, reachBytes: next - 4096, ${figures} };
      },
      largestFree: () => 0, freeBytes: () => 2 ** 40 - inUse, metadataBytes: () => 0, walk() {}, check() {}, ${view}
    };
    return {
      serves: [0], arenas: [arena],
      ${backend}
      alloc(_cls, size) {
        if (next + size > 2 ** 40) return -1;
        next += size; inUse += size; count++;
        return next - size;
      },
      free(_cls, _address, size) { inUse -= size; },
    };
  } };`;
}

describe('a backend of the user’s with arenas of its own', () => {
  const CHURN = ['-w', 'churn:class=kmem,operations=500', '--samples', '5', '--workers', '0'];

  it.each([
    [
      'a figure that is missing',
      ownArena('searches: undefined'),
      "arena 'own': figures.searches: is missing",
    ],
    ['a figure that is none', ownArena('allocs: NaN'), "arena 'own': figures.allocs: NaN is not acceptable"],
    [
      'a view that throws',
      ownArena('', 'walk() { throw new Error("lost"); }'),
      "arena 'own': walk: Error: lost",
    ],
    [
      'bytes that are none',
      ownArena('', 'freeBytes: () => -1'),
      "arena 'own': freeBytes: -1 is not acceptable",
    ],
    ['a method that is missing', ownArena('', 'check: 1'), "arena 'own': check: 1 is not acceptable"],
    [
      'bytes that stay in use',
      ownArena('inUseBytes: count'),
      /after everything was freed, and a reap, arena 'own' has \d+ bytes in use, 0 at the start: it leaks/,
    ],
    [
      'a check that says no',
      ownArena('', 'check() { throw new Error("bad"); }'),
      "arena 'own': check: Error: bad",
    ],
  ])('is refused for %s', async (_what, source, message) => {
    const path = join(folder, 'own.js');
    writeFileSync(path, source);
    expect(failureOf(await run(...CHURN, '-b', path), path)).toMatch(message);
  });
});

describe('a backend file that never finishes loading', () => {
  it.each([
    ['waits for ever', 'await new Promise(() => {});', 'it waits for what never comes, or ends the process'],
    ['computes for ever', 'for (;;);', 'given up after 0.3 s'],
  ])('is refused with one message: it %s', async (_what, source, problem) => {
    const path = join(folder, 'endless.js');
    writeFileSync(path, source);
    const loading = withBackendFiles(REGISTRIES, [path], problem.startsWith('given') ? 300 : 60_000);
    await expect(loading).rejects.toThrow(`endless.js: does not finish loading: ${problem}`);
  });
});
