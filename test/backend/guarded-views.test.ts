import { describe, expect, it } from 'vitest';
import type { Backend, BackendDefinition } from '../../src/backend/contract.js';
import { firstFitMap } from '../../src/backend/first-fit-map.js';
import { freebsdKstackSingle } from '../../src/backend/freebsd-kstack-single.js';
import { freebsdVmem } from '../../src/backend/freebsd-vmem.js';
import { completeDefinition } from '../../src/backend/user-backend.js';
import { Client } from '../../src/conformance/client.js';
import { RequestClass, RequestOp } from '../../src/core/request.js';
import { KIB } from '../../src/core/units.js';
import type { RunView } from '../../src/probe/contract.js';
import { kstackProbe } from '../../src/probe/kstack.js';
import { RequestFigures } from '../../src/probe/request-figures.js';
import { superpagesTable } from '../../src/probe/superpages.js';
import { swapTable } from '../../src/probe/swap.js';

/** A shipped backend as a file of the user's would export it, with some of its members changed. */
function asUsers(shipped: BackendDefinition, changes: object = {}): BackendDefinition {
  const definition = {
    name: 'my-backend',
    summary: 'a shipped one in disguise',
    heldBy: [],
    parameters: shipped.parameters,
    create: (...given: Parameters<BackendDefinition['create']>) =>
      Object.assign(Object.create(shipped.create(...given)) as Backend, changes),
  };
  return completeDefinition(definition, 'my-backend.js');
}

/** Forty stacks of which half are swapped out and some come back, and some heap where the backend serves it. */
function load(definition: BackendDefinition): Client {
  const client = new Client(definition, definition.parameters.properties.memory ? { launder_after: 8 } : {});
  const stacks = Array.from({ length: 40 }, () => client.alloc(RequestClass.kstack, 16 * KIB)!);
  for (const [index, { cls, address, size }] of stacks.entries()) {
    if (index % 2 === 0) client.backend.act?.(RequestOp.swapOut, cls, address, size, size, 0);
    if (index % 6 === 0) client.backend.act?.(RequestOp.swapIn, cls, address, size, size, 0);
  }
  if (client.backend.serves.includes(RequestClass.kmem)) client.alloc(RequestClass.kmem, 100 * KIB);
  return client;
}

function recorded({ simulation, backend }: Client) {
  const run: RunView = { simulation, backend, requests: new RequestFigures() };
  const row = new Float64Array(kstackProbe.columns.length);
  kstackProbe.sample(run, row, 0);
  return { stacks: [...row], swap: swapTable.rows(run), superpages: superpagesTable.rows(run) };
}

describe('stacks and extents of a file of the user’s', () => {
  it('are recorded as those of a shipped backend are', () => {
    const stacks = recorded(load(asUsers(freebsdKstackSingle)));
    expect(stacks).toEqual(recorded(load(freebsdKstackSingle)));
    expect(stacks.swap[0]![0]).toBeGreaterThan(0);
    const extents = recorded(load(asUsers(freebsdVmem)));
    expect(extents).toEqual(recorded(load(freebsdVmem)));
    expect(extents.superpages).toHaveLength(1);
  });

  it('are not there where the backend has none, nor are actions', () => {
    const { stacks, extents, act } = load(asUsers(firstFitMap)).backend;
    expect([stacks, extents, act]).toEqual([undefined, undefined, undefined]);
  });

  it.each([
    ['a method is none', { stacks: {} }, 'create: stacks.stackFigures'],
    ['stacks are null', { stacks: null }, 'create: stacks.stackFigures'],
    ['actions are none', { act: 5 }, 'create: act'],
    ['a figure is missing', { stacks: { stackFigures: () => ({ objects: 1 }) } }, 'objectBytes'],
    ['there are no figures', { stacks: { stackFigures: () => undefined } }, 'stackFigures: objects'],
    [
      'it throws',
      {
        stacks: {
          stackFigures: () => {
            throw new RangeError('far');
          },
        },
      },
      'RangeError: far',
    ],
    [
      'an extent is a half',
      { extents: { extentFigures: () => ({ extents: 0.5 }) }, serves: [RequestClass.kmem] },
      'extentFigures of kmem: extents',
    ],
    [
      'an action throws',
      {
        act: () => {
          throw new TypeError('no swap');
        },
      },
      'swapOut kstack 16384 at',
    ],
  ])('are refused when %s', (_what, changes, problem) => {
    const attempt = () => {
      const client = new Client(asUsers(freebsdKstackSingle, changes));
      if ('act' in changes) client.backend.act!(RequestOp.swapOut, RequestClass.kstack, 0, 16 * KIB, 0, 0);
      recorded(client);
    };
    expect(attempt).toThrow(problem);
    expect(attempt).toThrow('my-backend.js');
  });
});
