import { describe, expect, it } from 'vitest';
import { InputError, InvariantError, MisuseError } from '../../src/core/errors.js';
import { unknownName } from '../../src/core/suggest.js';

describe('errors say where and what', () => {
  it('prints the parts of a place that are known', () => {
    const place = { file: 'a.yaml', line: 3, column: 7, field: 'size', allowed: '1 to 9' };
    expect(new InputError('0 is too small', place).message).toBe(
      'a.yaml:3:7: size: 0 is too small (allowed: 1 to 9)',
    );
    expect(new InputError('no such file', { file: 'a.yaml' }).message).toBe('a.yaml: no such file');
    expect(new InputError('0 is too small', { field: 'size' }).message).toBe('size: 0 is too small');
    expect(new InputError('bad').message).toBe('bad');
  });

  it('prints every argument of a misuse', () => {
    const error = new MisuseError('double free', { address: 4096, size: Number.NaN });
    expect(error.message).toBe('double free [address=4096 size=NaN]');
    expect(error).toBeInstanceOf(RangeError);
  });

  it('keeps the dump of a broken invariant', () => {
    expect(new InvariantError('lost a tag', 'tag 1').message).toBe('lost a tag\ntag 1');
    expect(new InvariantError('lost a tag').dump).toBe('');
  });
});

describe('unknown names', () => {
  const known = ['illumos-vmem', 'first-fit-map'];

  it('suggests what a slip of the keys may have meant', () => {
    expect(unknownName('backend', 'ilumos-vmem', known).message).toBe(
      "unknown backend 'ilumos-vmem'; did you mean 'illumos-vmem'? (allowed: illumos-vmem, first-fit-map)",
    );
  });

  it('suggests nothing where nothing is near', () => {
    expect(unknownName('backend', 'buddy', known).message).not.toContain('did you mean');
    expect(unknownName('backend', 'buddy', []).message).not.toContain('did you mean');
  });
});
