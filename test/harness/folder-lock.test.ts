import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { FolderLock, LOCK_FILE } from '../../src/harness/folder-lock.js';
import { inputErrorOf } from '../support/input-error.js';
import { temporaryFolder } from '../support/temporary-folder.js';

let folder: string;
let path: string;

beforeEach(() => {
  folder = temporaryFolder();
  path = join(folder, LOCK_FILE);
});

function leave(pid: number, host = hostname(), started = ''): void {
  writeFileSync(path, JSON.stringify({ pid, host, started }));
}

describe('FolderLock', () => {
  it('is held by one run at a time, and says by which', () => {
    const lock = FolderLock.take(folder);
    expect(inputErrorOf(() => FolderLock.take(folder))).toBe(
      `${folder}: process ${process.pid} is writing results here (allowed: another --out, or to wait for the end of that run)`,
    );
    lock.release();
    expect(readdirSync(folder)).toEqual([]);
    FolderLock.take(folder);
    lock.release();
    expect(existsSync(path), 'a released lock is not released again').toBe(true);
  });

  it('is taken over from a process that has ended', () => {
    leave(spawnSync(process.execPath, ['--version']).pid);
    FolderLock.take(folder);
    expect(JSON.parse(readFileSync(path, 'utf8'))).toMatchObject({ pid: process.pid });
    expect(readdirSync(folder)).toEqual([LOCK_FILE]);
  });

  it.skipIf(!existsSync('/proc/self'))(
    'is taken over where the number of a dead process is used again (needs /proc)',
    () => {
      leave(process.pid, hostname(), '1');
      FolderLock.take(folder);
      expect(JSON.parse(readFileSync(path, 'utf8')).started).not.toBe('1');
    },
  );

  it('is not taken over from another machine', () => {
    leave(1, 'elsewhere');
    expect(inputErrorOf(() => FolderLock.take(folder))).toBe(
      `${folder}: process 1 on 'elsewhere' is writing its results here (allowed: another --out, or, if that run is over, to delete ${path})`,
    );
  });

  it('without contents, belongs to a run that is just starting, and after some seconds to nobody', () => {
    writeFileSync(path, '');
    expect(inputErrorOf(() => FolderLock.take(folder))).toContain('a run that is starting');
    utimesSync(path, 0, 0);
    FolderLock.take(folder);
    expect(JSON.parse(readFileSync(path, 'utf8'))).toMatchObject({ pid: process.pid });
  });

  it('says in one message that the folder cannot be written', () => {
    expect(inputErrorOf(() => FolderLock.take(join(folder, 'missing')))).toContain(
      'cannot lock the folder: ENOENT',
    );
  });
});
