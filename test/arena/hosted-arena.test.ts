import { describe, expect, it } from 'vitest';
import {
  type ArenaMetadata,
  HostedArena,
  MIN_SPARE_SEGMENTS,
} from '../../src/arena/illumos-kernel/hosted-arena.js';
import type { ArenaHost, ArenaSpec } from '../../src/arena/illumos-vmem/arena.js';
import { checkArena } from '../../src/arena/illumos-vmem/check.js';
import { VmFlag } from '../../src/arena/illumos-vmem/flags.js';
import { AllocSource, type SpanSource } from '../../src/arena/illumos-vmem/span-source.js';
import { type Address, AddressSpace, NO_ADDRESS } from '../../src/core/address.js';
import { InvariantError } from '../../src/core/errors.js';
import { LockTable } from '../../src/core/locks.js';

const PAGE = 4096;

/** Fills each arena up to the minimum while `plenty`, and never has memory for hash tables. */
class StubMetadata implements ArenaMetadata {
  plenty = true;

  populate(arena: HostedArena): boolean {
    if (this.plenty) arena.addSegments(MIN_SPARE_SEGMENTS - arena.spareSegments);
    return this.plenty;
  }

  allocSegmentTable(): Address {
    return NO_ADDRESS;
  }

  freeSegmentTable(): void {
    throw new InvariantError('no table was ever allocated');
  }
}

function arenaWith(metadata: ArenaMetadata, spec: Partial<ArenaSpec> = {}): HostedArena {
  const host: ArenaHost = {
    space: AddressSpace.canonical,
    locks: new LockTable(),
    work: { steps: 0 },
    createQuantumCache: () => {
      throw new InvariantError('no caches here');
    },
    requestReap: () => undefined,
  };
  const all = { name: 'test', quantum: PAGE, qcacheMax: 0, flags: 0, source: null, ...spec };
  return new HostedArena(all, host, metadata);
}

/** A source that does something before it answers an import. */
class WatchedSource extends AllocSource implements SpanSource {
  before: () => void = () => undefined;
  returned: string[] = [];

  override importSpan(size: number, align: number, flags: number): Address {
    this.before();
    return super.importSpan(size, align, flags);
  }

  override returnSpan(base: Address, size: number): void {
    this.returned.push(`${base} ${size}`);
    super.returnSpan(base, size);
  }
}

function watchedPair(granularity = 1) {
  const metadata = new StubMetadata();
  const heap = arenaWith(metadata, { name: 'heap' });
  heap.addSpan(2 ** 40, 2 ** 30);
  const source = new WatchedSource(heap, { granularity });
  const arena = arenaWith(metadata, { source });
  return { heap, arena, source, metadata };
}

describe('spare segment structures', () => {
  it('are filled up before an own span is added, and one is used per tag', () => {
    const arena = arenaWith(new StubMetadata());
    expect(arena.spareSegments).toBe(0);
    arena.addSpan(PAGE, 64 * PAGE);
    expect(arena.spareSegments).toBe(MIN_SPARE_SEGMENTS - 2);
    const address = arena.alloc(PAGE, VmFlag.NOSLEEP);
    expect(arena.spareSegments).toBe(MIN_SPARE_SEGMENTS - 1);
    arena.free(address, PAGE);
    expect(arena.spareSegments).toBe(MIN_SPARE_SEGMENTS);
  });

  it('are set aside during an import: as many as the import will use up, and no more', () => {
    const { arena, source } = watchedPair();
    const during = (size: number, align: number, phase: number) => {
      let spare = 0;
      source.before = () => {
        spare = arena.spareSegments;
      };
      arena.xalloc(size, align, phase, 0, 0, 0, VmFlag.NOSLEEP);
      return spare;
    };
    expect(during(PAGE, 0, 0)).toBe(MIN_SPARE_SEGMENTS - 2);
    expect(during(PAGE + 1, 0, 0)).toBe(MIN_SPARE_SEGMENTS - 3);
    expect(during(PAGE, 16 * PAGE, PAGE)).toBe(MIN_SPARE_SEGMENTS - 4);
  });

  it('are set aside for a cut where the import may bring more than was asked for', () => {
    const { arena, source } = watchedPair(64 * PAGE);
    let spare = 0;
    source.before = () => {
      spare = arena.spareSegments;
    };
    arena.alloc(PAGE, VmFlag.NOSLEEP);
    expect(spare).toBe(MIN_SPARE_SEGMENTS - 3);
  });

  it('fail the request when there are none, by every policy', () => {
    const { arena, metadata } = watchedPair();
    arena.addSpan(PAGE, 64 * PAGE);
    metadata.plenty = false;
    for (const policy of [0, VmFlag.BESTFIT, VmFlag.FIRSTFIT, VmFlag.NEXTFIT]) {
      expect(arena.alloc(PAGE, VmFlag.NOSLEEP | policy)).toBe(NO_ADDRESS);
    }
    // Next fit gives up before it counts anything.
    expect(arena.fails).toBe(3);
    checkArena(arena);
  });

  it('leave a hash table as it is when there is no memory for another', () => {
    const arena = arenaWith(new StubMetadata());
    arena.addSpan(PAGE, 4096 * PAGE);
    for (let count = 0; count < 1000; count++) arena.alloc(PAGE, VmFlag.NOSLEEP);
    arena.update();
    expect(arena.hashBuckets).toBe(16);
  });
});

describe('an import on whose behalf the same arena grew', () => {
  it('goes back if it is larger than the request', () => {
    const { heap, arena, source } = watchedPair(64 * PAGE);
    const nested = 2 ** 41;
    source.before = () => arena.addSpan(nested, 64 * PAGE);
    expect(arena.alloc(3 * PAGE, VmFlag.NOSLEEP)).toBe(nested);
    expect(source.returned).toEqual([`${2 ** 40} ${64 * PAGE}`]);
    expect(heap.inUseBytes).toBe(0);
    expect(arena.importBytes).toBe(0);
    source.before = () => undefined;
    arena.free(nested, 3 * PAGE);
    expect(source.returned).toHaveLength(1);
    checkArena(arena);
  });

  it('stays if it is no larger than the request', () => {
    const { arena, source } = watchedPair();
    source.before = () => arena.addSpan(2 ** 41, 64 * PAGE);
    expect(arena.alloc(3 * PAGE, VmFlag.NOSLEEP)).toBe(2 ** 40);
    expect(source.returned).toEqual([]);
    checkArena(arena);
  });

  it('does not fail the request by failing itself', () => {
    const { heap, arena, source } = watchedPair();
    source.before = () => {
      heap.alloc(2 ** 30, VmFlag.NOSLEEP);
      arena.addSpan(2 ** 41, 64 * PAGE);
    };
    expect(arena.alloc(3 * PAGE, VmFlag.NOSLEEP)).toBe(2 ** 41);
    expect(arena.fails).toBe(0);
    checkArena(arena);
  });
});
