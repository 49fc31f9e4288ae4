import { describe, expect, it } from 'vitest';
import { constraintTable, REQUEST_CLASS_NAMES, RequestClass } from '../../src/core/request.js';

describe('requests', () => {
  it('have class numbers that traces rely on', () => {
    expect(RequestClass).toEqual({ kmem: 0, kstack: 1, va: 2, guest: 3, page: 4, stackArea: 5, task: 6 });
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
