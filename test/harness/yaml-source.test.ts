import { describe, expect, it } from 'vitest';
import { YamlSource } from '../../src/harness/yaml-source.js';
import { inputErrorOf } from '../support/input-error.js';

/** Nine times the part before, five times over. */
const LAUGHS = [
  'a: &a [x, x]',
  ...['ab', 'bc', 'cd', 'de', 'ef'].map(
    ([from, to]) => `${to}: &${to} [${Array.from({ length: 9 }, () => `*${from}`).join(', ')}]`,
  ),
].join('\n');

describe('a YAML document that is harmful', () => {
  it.each([
    ['lists in lists without end', '['.repeat(100_000), /^f\.yaml:1:\d+: nests too deep$/],
    ['aliases that would fill the memory', LAUGHS, /^f\.yaml:1:1: Excessive alias count/],
    ['an alias of nothing', 'a: [*b]', /^f\.yaml:1:\d+: .*[Aa]lias/],
  ])('%s: is bad input with its place', (_what, text, message) => {
    expect(inputErrorOf(() => new YamlSource(text, 'f.yaml'))).toMatch(message);
  });
});
