import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, relative, sep } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { BACKENDS } from '../src/backend/registry.js';
import { WORKLOADS } from '../src/workload/registry.js';
import { repositoryRoot } from './support/shared.js';

/**
 * What each layer may import besides itself: the layers to its left in the README's order
 * core ← trace, arena ← workload, backend ← probe, conformance ← harness ← report ← study ← cli.
 */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  core: [],
  trace: ['core'],
  arena: ['core'],
  layout: ['core'],
  memlock: ['core'],
  workload: ['core', 'trace'],
  backend: ['core', 'arena', 'layout'],
  conformance: ['core', 'arena', 'backend'],
  probe: ['core', 'arena', 'memlock', 'trace', 'workload', 'backend'],
  harness: ['core', 'layout', 'memlock', 'arena', 'trace', 'workload', 'backend', 'probe', 'conformance'],
  report: ['core', 'arena', 'trace', 'workload', 'backend', 'probe', 'harness'],
  study: ['core', 'arena', 'trace', 'workload', 'backend', 'probe', 'harness', 'report'],
  cli: [
    'core',
    'arena',
    'trace',
    'workload',
    'backend',
    'conformance',
    'probe',
    'harness',
    'report',
    'study',
    'layout',
    'memlock',
  ],
};

/** Layers whose results must not depend on the machine, the clock or chance. */
const EXACT_LAYERS = ['core', 'trace', 'arena', 'layout', 'memlock', 'workload', 'backend', 'probe'];

const LONGEST_FUNCTION = 60;
const LONGEST_FILE = 500;
const MEDIAN_FUNCTION = 18;

/** Words that name nothing. */
const EMPTY_NAMES = /(^|-)(utils?|helpers?|misc|common|stuff|manager|impl)(-|\.|$)/;

/** Kernel words; a file of a model is found by them. */
const KEBAB = /^[a-z0-9]+(-[a-z0-9]+)*(\.test)?\.ts$/;

interface SourceFile {
  /** From the repository's root, with slashes. */
  readonly path: string;
  readonly text: string;
  readonly layer: string;
}

const sources = filesBelow(join(repositoryRoot, 'src')).map(load);
const tests = filesBelow(join(repositoryRoot, 'test'))
  .filter((path) => path.endsWith('.ts'))
  .map(load);

function load(path: string): SourceFile {
  const fromRoot = relative(repositoryRoot, path).split(sep).join('/');
  const layer = fromRoot.split('/')[1]!;
  return { path: fromRoot, text: readFileSync(path, 'utf8'), layer };
}

function filesBelow(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .sort();
}

function importedLayers(file: SourceFile): string[] {
  const specifiers = [...file.text.matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)].map(
    (match) => match[1]!,
  );
  return specifiers
    .map((specifier) => join(dirname(file.path), specifier).split(sep).join('/').split('/')[1]!)
    .filter((layer) => layer !== file.layer);
}

/** Lines of every function with a name of its own. */
function functionLengths(file: SourceFile): { name: string; lines: number }[] {
  const tree = ts.createSourceFile(file.path, file.text, ts.ScriptTarget.Latest, true);
  const found: { name: string; lines: number }[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isFunctionLike(node) && 'body' in node && node.body !== undefined) {
      const [from, to] = [node.getStart(tree), node.getEnd()].map(
        (at) => tree.getLineAndCharacterOfPosition(at).line,
      );
      const name = 'name' in node && node.name !== undefined ? node.name.getText(tree) : '(anonymous)';
      found.push({ name: `${file.path} ${name}`, lines: to! - from! + 1 });
    }
    ts.forEachChild(node, visit);
  };
  visit(tree);
  return found;
}

describe('layers', () => {
  it('are known', () => {
    const layers = new Set(
      sources.filter(({ path }) => path.split('/').length > 2).map(({ layer }) => layer),
    );
    expect([...layers].filter((layer) => !(layer in MAY_IMPORT))).toEqual([]);
  });

  it('import one way only', () => {
    const wrong = sources
      .filter(({ layer }) => layer in MAY_IMPORT)
      .flatMap((file) =>
        importedLayers(file)
          .filter((layer) => !MAY_IMPORT[file.layer]!.includes(layer))
          .map((layer) => `${file.path} imports ${layer}`),
      );
    expect(wrong).toEqual([]);
  });

  it('keep clock and chance out of what must be exact', () => {
    const banned = /\bDate\b|Math\.random|performance\.now|hrtime/;
    const code = (text: string) => text.replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '');
    const wrong = sources.filter(
      ({ layer, text }) => EXACT_LAYERS.includes(layer) && banned.test(code(text)),
    );
    expect(wrong.map(({ path }) => path)).toEqual([]);
  });
});

describe('names', () => {
  it('are kebab-case and say something', () => {
    const names = [...sources, ...tests]
      .filter(({ path }) => path.endsWith('.ts'))
      .map(({ path }) => basename(path));
    expect(names.filter((name) => !KEBAB.test(name) || EMPTY_NAMES.test(name))).toEqual([]);
  });

  it('lead from a registry to a file and its test', () => {
    for (const { name } of BACKENDS) {
      expect(existsSync(join(repositoryRoot, `src/backend/${name}.ts`)), `src/backend/${name}.ts`).toBe(true);
      const test = tests.some(
        ({ path, text }) => path.startsWith('test/backend/') && text.includes(`'${name}'`),
      );
      expect(test, `test of ${name}`).toBe(true);
    }
    for (const { name } of WORKLOADS) {
      expect(existsSync(join(repositoryRoot, `src/workload/${name}.ts`)), `src/workload/${name}.ts`).toBe(
        true,
      );
      expect(existsSync(join(repositoryRoot, `test/workload/${name}.test.ts`)), `test of ${name}`).toBe(true);
    }
    expect(BACKENDS.map(({ name }) => name)).toEqual(BACKENDS.map(({ name }) => name).sort());
  });

  it('cite sources that docs/sources.md resolves', () => {
    const known = readFileSync(join(repositoryRoot, 'docs/sources.md'), 'utf8');
    const cited = sources.flatMap(({ text }) =>
      [...text.matchAll(/\[([a-z]+@[0-9a-f]{7,})\]/g)].map((m) => m[1]!),
    );
    expect(cited.length).toBeGreaterThan(10);
    expect([...new Set(cited)].filter((key) => !known.includes(key))).toEqual([]);
  });
});

describe('sizes', () => {
  const lengths = sources.flatMap(functionLengths);

  it(`no function is longer than ${LONGEST_FUNCTION} lines`, () => {
    expect(lengths.filter(({ lines }) => lines > LONGEST_FUNCTION)).toEqual([]);
  });

  it(`half of the functions have at most ${MEDIAN_FUNCTION} lines`, () => {
    const sorted = lengths.map(({ lines }) => lines).sort((a, b) => a - b);
    expect(sorted[sorted.length >> 1]).toBeLessThanOrEqual(MEDIAN_FUNCTION);
  });

  it(`no file is longer than ${LONGEST_FILE} lines`, () => {
    const long = sources.filter(({ text }) => text.split('\n').length > LONGEST_FILE + 1);
    expect(long.map(({ path }) => path)).toEqual([]);
  });
});

describe('leftovers', () => {
  it('there are no notes to oneself', () => {
    const wrong = sources.filter(({ text }) => /\b(TODO|FIXME|XXX)\b/.test(text));
    expect(wrong.map(({ path }) => path)).toEqual([]);
  });

  it('every file that ARCHITECTURE.md names exists', () => {
    const text = readFileSync(join(repositoryRoot, 'ARCHITECTURE.md'), 'utf8');
    const named = [...text.matchAll(/`((?:src|test|workloads|docs|results)\/[^`*<>\s]+)`/g)].map(
      (match) => match[1]!,
    );
    expect(named.length).toBeGreaterThan(20);
    expect(named.filter((path) => !existsSync(join(repositoryRoot, path)))).toEqual([]);
  });
});
