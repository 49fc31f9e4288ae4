import { EventEmitter } from 'node:events';
import { describe, expect, it } from 'vitest';
import { outliveReader } from '../../src/cli/closed-pipe.js';

const failure = (code: string): Error => Object.assign(new Error(`write ${code}`), { code });

describe('output whose reader has gone', () => {
  it('ends nothing', () => {
    const stream = new EventEmitter();
    outliveReader(stream);
    expect(stream.emit('error', failure('EPIPE'))).toBe(true);
  });

  it('is told from a disk that is full', () => {
    const stream = new EventEmitter();
    outliveReader(stream);
    expect(() => stream.emit('error', failure('ENOSPC'))).toThrow('write ENOSPC');
  });
});
