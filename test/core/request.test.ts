import { describe, expect, it } from 'vitest';
import {
  BROADER_CLASS,
  constraintTable,
  REQUEST_CLASS_NAMES,
  RequestClass,
  RequestOp,
} from '../../src/core/request.js';

describe('requests', () => {
  it('have class and operation numbers that traces rely on', () => {
    expect(RequestClass).toEqual({
      kmem: 0,
      kstack: 1,
      va: 2,
      guest: 3,
      page: 4,
      stackArea: 5,
      task: 6,
      malloc: 7,
      poolPage: 8,
      interrupt: 9,
      pageable: 10,
    });
    const broader = REQUEST_CLASS_NAMES.map((name, cls) => [name, REQUEST_CLASS_NAMES[BROADER_CLASS[cls]!]]);
    expect(broader.filter(([name, other]) => name !== other)).toEqual([
      ['malloc', 'kmem'],
      ['poolPage', 'va'],
      ['interrupt', 'va'],
      ['pageable', 'va'],
    ]);
    expect(RequestOp).toEqual({
      alloc: 0,
      free: 1,
      swapOut: 2,
      swapIn: 3,
      attach: 4,
      detach: 5,
      inflate: 6,
      deflate: 7,
      reclaim: 8,
    });
    REQUEST_CLASS_NAMES.forEach((name, number) => void expect(RequestClass[name]).toBe(number));
  });

  it('have constraints in columns, 0 where none is given', () => {
    const table = constraintTable([
      { align: 64, phase: 8 },
      { nocross: 4096, minAddress: 1, maxAddress: 9 },
    ]);
    expect(table.length).toBe(2);
    expect([...table.align, ...table.phase, ...table.nocross]).toEqual([64, 0, 8, 0, 0, 4096]);
    expect([...table.minAddress, ...table.maxAddress]).toEqual([0, 1, 0, 9]);
  });
});
