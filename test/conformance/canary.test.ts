import { describe, expect, it } from 'vitest';
import { EntryMap } from '../../src/arena/entry-map/entry-map.js';
import type { Backend, BackendDefinition } from '../../src/backend/contract.js';
import { firstFitMap } from '../../src/backend/first-fit-map.js';
import { Client } from '../../src/conformance/client.js';
import { CONTRACT } from '../../src/conformance/contract-tests.js';
import { holdsForBackend } from '../../src/conformance/properties.js';
import type { Address } from '../../src/core/address.js';
import { type ConstraintTable, UNCONSTRAINED } from '../../src/core/request.js';
import type { Bytes } from '../../src/core/units.js';
import { holdsOnAllHistories, holdsOnHistories, type MakeMap } from '../property/entry-map-properties.js';
import { drawnEntryMap } from '../support/entry-map-picture.js';
import { at } from '../support/picture.js';

/** first-fit-map with some of its methods replaced. */
function broken(change: (backend: Backend) => Partial<Backend>): BackendDefinition {
  return {
    ...firstFitMap,
    name: 'broken',
    create(parameters, environment) {
      const backend = firstFitMap.create(parameters, environment);
      const proxy: Backend = {
        serves: backend.serves,
        arenas: backend.arenas,
        alloc: (cls, size, constraint, cpu) => backend.alloc(cls, size, constraint, cpu),
        free: (cls, address, size, constraint, cpu) => backend.free(cls, address, size, constraint, cpu),
        footprint: (cls, size) => backend.footprint(cls, size),
        reap: () => backend.reap(),
        check: () => backend.check(),
      };
      return { ...proxy, ...change(backend) };
    },
  };
}

function failedTests(definition: BackendDefinition): string[] {
  const failed: string[] = [];
  for (const { name, run } of CONTRACT) {
    try {
      run((rows = []) => new Client(definition, {}, rows));
    } catch {
      failed.push(name);
    }
  }
  return failed;
}

/** Gives a live range out a second time at every 50th request. */
function overlapping(backend: Backend): Partial<Backend> {
  let count = 0;
  let last: Address = -1;
  return {
    alloc(cls, size, constraint, cpu) {
      const address = backend.alloc(cls, size, constraint, cpu);
      if (++count % 50 === 0 && last >= 0) return last;
      last = address;
      return address;
    },
  };
}

let instances = 0;

/** What each deliberate mistake must be caught by. */
const MISTAKES: readonly (readonly [string, BackendDefinition, string])[] = [
  ['an overlapping answer', broken(overlapping), 'live ranges of all classes never overlap'],
  [
    'a constraint that is ignored',
    broken((backend) => ({
      alloc: (cls, size, _constraint, cpu) => backend.alloc(cls, size, UNCONSTRAINED, cpu),
    })),
    'constraints of va requests are met',
  ],
  [
    'a free that is forgotten',
    broken((backend) => ({
      free(cls, address, size, constraint, cpu) {
        if (address % 3 !== 0) backend.free(cls, address, size, constraint, cpu);
      },
    })),
    'after everything is freed only caches hold anything',
  ],
  [
    'a footprint below the request',
    broken((backend) => ({ footprint: (cls, size) => backend.footprint(cls, size) / 2 })),
    'a footprint is no smaller than its request and does not depend on what is live',
  ],
  [
    'state that instances share',
    broken((backend) => {
      const shift = instances++ % 7;
      return {
        alloc(cls, size, constraint, cpu) {
          if (constraint === UNCONSTRAINED && size < 4096)
            return backend.alloc(cls, size + shift * 512, constraint, cpu);
          return backend.alloc(cls, size, constraint, cpu);
        },
        free: () => {},
      };
    }),
    'the same history gives the same addresses and figures',
  ],
];

describe('the conformance suite', () => {
  it.each(MISTAKES)('notices %s', (_mistake, definition, test) => {
    expect(failedTests(definition)).toContain(test);
  });

  it('passes the same backend without a mistake', () => {
    expect(failedTests(broken(() => ({})))).toEqual([]);
  });
});

/** Maps with a mistake each, to hold the property suite to its word. */
class LastFitMap extends EntryMap {
  override alloc(size: Bytes): Address {
    const address = super.alloc(size);
    const second = super.alloc(size);
    if (second < 0) return address;
    super.free(address, size);
    return second;
  }
}

class UnboundedMap extends EntryMap {
  override xalloc(size: Bytes, constraints: ConstraintTable, row: number): Address {
    return super.xalloc(size, { ...constraints, maxAddress: constraints.maxAddress.map(() => 0) }, row);
  }
}

class LeakyMap extends EntryMap {
  override free(address: Address, size: Bytes): void {
    super.free(address, this.figures.frees % 5 === 4 ? this.quantum : size);
  }
}

const BROKEN_MAPS: readonly (readonly [string, MakeMap, boolean])[] = [
  ['no coalescing of entries', (options) => new EntryMap({ ...options, merge: false }), true],
  ['a fit that is not the lowest', (options) => new LastFitMap(options), true],
  ['an upper bound that is ignored', (options) => new UnboundedMap(options), false],
  ['a free of too little', (options) => new LeakyMap(options), false],
];

describe('the pictures', () => {
  it('notice a fit that is not the lowest', () => {
    expect(() => drawnEntryMap('[#..#..]', true, LastFitMap).alloc(1, at(1))).toThrow();
  });

  it('notice entries that do not coalesce', () => {
    const joined = () => drawnEntryMap('[##..]', false).alloc(1, at(2)).expect('[aaa.]');
    expect(joined).toThrow();
  });
});

describe('the property suites', () => {
  it('notice an overlapping answer of a backend', () => {
    expect(() => holdsForBackend(broken(overlapping), { histories: 60, shrink: false })).toThrow();
  });

  it.each(BROKEN_MAPS)('notices %s', (_mistake, make, isSmall) => {
    expect(() => holdsOnHistories(make, 300, false)).toThrow();
    if (isSmall) expect(() => holdsOnAllHistories(make, 5, 3)).toThrow();
  });
});
