import { EventEmitter } from 'node:events';
import { describe, expect, it, vi } from 'vitest';
import { outliveReader } from '../../src/cli/closed-pipe.js';

const failure = (code: string): Error => Object.assign(new Error(`write ${code}`), { code });

describe('output whose reader has gone', () => {
  it('ends nothing', () => {
    const [stream, giveUp] = [new EventEmitter(), vi.fn()];
    outliveReader(stream, giveUp);
    expect(stream.emit('error', failure('EPIPE'))).toBe(true);
    expect(giveUp).not.toHaveBeenCalled();
  });

  it('is told from a disk that is full', () => {
    const [stream, giveUp] = [new EventEmitter(), vi.fn()];
    outliveReader(stream, giveUp);
    stream.emit('error', failure('ENOSPC'));
    expect(giveUp).toHaveBeenCalledExactlyOnceWith(failure('ENOSPC'));
  });
});
