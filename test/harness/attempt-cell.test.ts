import { describe, expect, it } from 'vitest';
import { InputError, InvariantError } from '../../src/core/errors.js';
import { attemptCell, failureOf } from '../../src/harness/attempt-cell.js';
import { planSuite } from '../../src/harness/plan.js';
import { TOYS } from '../support/toy.js';
import { toyComponent, toySuite } from '../support/toy-suite.js';

describe('attemptCell', () => {
  it('gives the result of a cell, or why there is none', () => {
    const workloads = [toyComponent('workload', 'toy-load'), toyComponent('workload', 'broken-load')];
    const { cells } = planSuite({ ...toySuite(), workloads }, TOYS, '1');
    expect(attemptCell(cells[0]!, TOYS)).toMatchObject({ result: { id: cells[0]!.id } });
    const answer = attemptCell(cells[2]!, TOYS);
    expect(answer).toMatchObject({ failure: { message: expect.stringContaining("workload 'broken-load'") } });
  });
});

describe('failureOf', () => {
  it('keeps the dump of a contradiction in a model, and says its first line with its class', () => {
    const { message, detail } = failureOf(new InvariantError('tags overlap', 'tag 1\ntag 2'));
    expect(message).toBe('InvariantError: tags overlap');
    expect(detail).toMatch(/tag 1\n\s*tag 2[\s\S]* at .*attempt-cell\.test/);
  });

  it.each([
    [new InputError('size 0', { field: 'size' }), 'size: size 0'],
    [new TypeError('x is not a function'), 'TypeError: x is not a function'],
    ['a text', 'a text'],
    [undefined, 'undefined'],
  ])('puts %s in one line', (error, message) => {
    expect(failureOf(error).message).toBe(message);
  });
});
