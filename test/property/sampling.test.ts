import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ArenaView, TagType } from '../../src/arena/view.js';
import type { Backend, BackendDefinition } from '../../src/backend/contract.js';
import { BACKENDS } from '../../src/backend/registry.js';
import { Client } from '../../src/conformance/client.js';
import { type Constraint, RequestClass, UNCONSTRAINED } from '../../src/core/request.js';
import { KIB, MIB } from '../../src/core/units.js';
import { sampleArena } from '../../src/probe/arena-columns.js';
import { rootsOf } from '../../src/probe/arenas.js';
import { sampleProbes, TABLE_PROBES } from '../../src/probe/registry.js';
import { RequestFigures } from '../../src/probe/request-figures.js';

/** The slow reference: of its tags the arena tells nothing but its walk. */
function walkedOnly(arena: ArenaView): ArenaView {
  const freeSizes = (): number[] => {
    const sizes: number[] = [];
    arena.walk((type, _start, size) => {
      if (type === TagType.free) sizes.push(size);
    });
    return sizes;
  };
  return {
    name: arena.name,
    source: arena.source,
    quantum: arena.quantum,
    figures: arena.figures,
    get caches() {
      return arena.caches;
    },
    ...(arena.mapEntries === undefined ? {} : { mapEntries: arena.mapEntries }),
    ...(arena.spareTags === undefined ? {} : { spareTags: arena.spareTags }),
    largestFree: () => Math.max(0, ...freeSizes()),
    freeBytes: () => freeSizes().reduce((sum, size) => sum + size, 0),
    metadataBytes: () => arena.metadataBytes(),
    walk: (visit) => arena.walk(visit),
    check: () => arena.check(),
  };
}

/** Everything that a sample point records. */
function sampleOf(client: Client, backend: Backend, requests: RequestFigures): unknown {
  const run = { simulation: client.simulation, backend, requests };
  return {
    probes: sampleProbes(run),
    arenas: backend.arenas.map(sampleArena),
    tables: TABLE_PROBES.filter(({ when }) => when === 'sample').map((probe) => probe.rows(run)),
  };
}

const ROWS: readonly Constraint[] = [{ align: 64 * KIB }, { align: 8 * KIB, phase: 4 * KIB }];

const operationArbitrary = fc.record({
  kind: fc.constantFrom('alloc', 'alloc', 'alloc', 'free', 'free', 'sample', 'reap'),
  pick: fc.nat(),
  /** Some are longer than 64 quanta and no bound of a bucket. */
  size: fc.oneof(
    fc.integer({ min: 1, max: 600 }),
    fc.integer({ min: 1, max: 200 * KIB }),
    fc.integer({ min: MIB, max: 4 * MIB }),
  ),
  row: fc.integer({ min: UNCONSTRAINED, max: ROWS.length - 1 }),
});

function sampledAsWalked(definition: BackendDefinition, runs: number): void {
  const operations = fc.array(operationArbitrary, { maxLength: 200, size: 'max' });
  const property = fc.property(operations, (steps) => {
    const client = new Client(definition, {}, ROWS);
    const { backend } = client;
    const slow: Backend = Object.create(backend, {
      arenas: { value: backend.arenas.map(walkedOnly) },
      rootsOf: { value: (cls: number) => rootsOf(backend, cls).map(walkedOnly) },
    });
    const requests = new RequestFigures();
    for (const { kind, pick, size, row } of steps) {
      const cls = backend.serves[pick % backend.serves.length]!;
      if (kind === 'reap') backend.reap();
      else if (kind === 'sample')
        expect(sampleOf(client, backend, requests)).toEqual(sampleOf(client, slow, requests));
      else if (kind === 'alloc') {
        requests.sizes.record(cls, size);
        client.alloc(cls, size, cls === RequestClass.va ? row : UNCONSTRAINED);
      } else if (client.live.length > 0) client.free(client.live[pick % client.live.length]!);
    }
    client.check();
    client.freeAll();
    expect(sampleOf(client, backend, requests)).toEqual(sampleOf(client, slow, requests));
    client.check();
  });
  fc.assert(property, { numRuns: runs, seed: 20250104 });
}

describe.each(BACKENDS.map((definition) => [definition.name, definition] as const))('%s', (_, definition) => {
  it('is sampled as if every tag were walked', () => {
    sampledAsWalked(definition, 40);
  });
});
