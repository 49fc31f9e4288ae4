import { describe, expect, it } from 'vitest';
import type { Parameters } from '../../src/backend/contract.js';
import { illumosSegkvmm } from '../../src/backend/illumos-segkvmm.js';
import { Client } from '../../src/conformance/client.js';
import { RequestClass } from '../../src/core/request.js';
import { GIB, MIB } from '../../src/core/units.js';
import { GUEST_MUTANTS } from '../support/guest-mutants.js';
import { StaleMutantError } from '../support/mutation.js';

/** What a client sees of guests that come and go: offsets in MiB, and the figures at the end. */
function observe(parameters: Parameters): unknown {
  const client = new Client(illumosSegkvmm, { physmem: 8 * GIB, overprovision: 2, ...parameters }, [
    { align: 8 * MIB },
  ]);
  const base = client.alloc(RequestClass.guest, MIB)!.address;
  const offsets: number[] = [];
  const ask = (size: number, row = -1): void => {
    const live = client.alloc(RequestClass.guest, size, row);
    offsets.push(live === undefined ? -1 : (live.address - base) / MIB);
  };
  for (const size of [3 * GIB, 5 * MIB, 2 * MIB + 1, MIB / 2, 700 * MIB]) ask(size);
  const [, low, small] = client.live;
  client.free(low!);
  client.free(small!);
  for (const size of [MIB, 3 * MIB, 2 * GIB, 4 * GIB]) ask(size);
  ask(MIB, 0);
  client.check();
  const fillers = [64 * MIB, MIB / 2].map((size) => {
    let granted = 0;
    while (client.alloc(RequestClass.guest, size) !== undefined) granted++;
    return granted;
  });
  const { requests, refusedMemory, refusedLength, refusedSpace, segmentBytes, pageTables } =
    client.backend.guests!.guestFigures();
  return { offsets, fillers, requests, refusedMemory, refusedLength, refusedSpace, segmentBytes, pageTables };
}

const PARAMETERS: readonly Parameters[] = [
  { policy: 'best' },
  { policy: 'next' },
  { guest_page: '2MiB' },
  { guest_page: '1GiB' },
];

/** All that is seen, in words; what breaks down is seen as well. */
function sight(): string {
  const seen = PARAMETERS.map((parameters) => {
    try {
      return observe(parameters);
    } catch (error) {
      if (error instanceof StaleMutantError) throw error;
      return String(error);
    }
  });
  return JSON.stringify(seen);
}

describe('guest segments with a mistake are noticed', () => {
  const right = sight();

  it('where there is none, by nothing', () => {
    expect(sight()).toBe(right);
    expect(JSON.parse(right)).toMatchInlineSnapshot(`
      [
        {
          "fillers": [
            20,
            118,
          ],
          "offsets": [
            1,
            3073,
            3078,
            3081,
            3082,
            1,
            2,
            5,
            3782,
            2056,
          ],
          "pageTables": [
            4126,
            9,
            1,
          ],
          "refusedLength": 0,
          "refusedMemory": 2,
          "refusedSpace": 0,
          "requests": 151,
          "segmentBytes": 8652849152,
        },
        {
          "fillers": [
            20,
            118,
          ],
          "offsets": [
            1,
            3073,
            3078,
            3081,
            3082,
            3782,
            3783,
            3786,
            5834,
            8,
          ],
          "pageTables": [
            4127,
            10,
            1,
          ],
          "refusedLength": 0,
          "refusedMemory": 2,
          "refusedSpace": 0,
          "requests": 151,
          "segmentBytes": 8652849152,
        },
        {
          "fillers": [
            20,
            102,
          ],
          "offsets": [
            2,
            3074,
            3080,
            1,
            3084,
            1,
            2,
            6,
            3784,
            2056,
          ],
          "pageTables": [
            53,
            9,
            1,
          ],
          "refusedLength": 0,
          "refusedMemory": 2,
          "refusedSpace": 0,
          "requests": 135,
          "segmentBytes": 8643411968,
        },
        {
          "fillers": [
            36,
            114,
          ],
          "offsets": [
            1024,
            2,
            8,
            1,
            4096,
            1,
            2,
            5120,
            -1,
            4800,
          ],
          "pageTables": [
            59,
            4,
            1,
          ],
          "refusedLength": 0,
          "refusedMemory": 3,
          "refusedSpace": 0,
          "requests": 163,
          "segmentBytes": 8649703424,
        },
      ]
    `);
  });

  it.each(GUEST_MUTANTS.map((mutant) => [mutant.mistake, mutant] as const))('%s', (_mistake, { apply }) => {
    const undo = apply();
    try {
      expect(sight()).not.toBe(right);
    } finally {
      undo();
    }
  });
});
