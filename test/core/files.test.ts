import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { InputError } from '../../src/core/errors.js';
import { GrowingFile, makeFolder, writeWhole } from '../../src/core/files.js';
import { temporaryFolder } from '../support/temporary-folder.js';

describe('writeWhole', () => {
  it('makes the folders and leaves nothing temporary', () => {
    const folder = temporaryFolder();
    writeWhole(join(folder, 'a/b/c.txt'), 'text');
    expect(readFileSync(join(folder, 'a/b/c.txt'), 'utf8')).toBe('text');
    expect(readdirSync(join(folder, 'a/b'))).toEqual(['c.txt']);
  });

  it('says in one message what cannot be written', () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'file'), '');
    expect(() => writeWhole(join(folder, 'file/x'), '')).toThrow(InputError);
  });

  it.skipIf(!existsSync('/proc/self'))('returns from folders that refuse every new one (needs /proc)', () => {
    expect(() => writeWhole('/proc/nothing/x', '')).toThrow(InputError);
    expect(() => makeFolder('/proc/nothing/deeper')).toThrow('ENOENT');
  });
});

describe('GrowingFile', () => {
  it('appears under its name only when it is complete', () => {
    const path = join(temporaryFolder(), 'x');
    const file = new GrowingFile(path);
    file.append('one ');
    file.append('two');
    expect(existsSync(path)).toBe(false);
    file.complete();
    expect(readFileSync(path, 'utf8')).toBe('one two');
  });
});
