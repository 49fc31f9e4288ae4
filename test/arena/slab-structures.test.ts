import { describe, expect, it } from 'vitest';
import { type CacheHost, KmemCache } from '../../src/arena/illumos-kmem/cache.js';
import { slabGeometry } from '../../src/arena/illumos-kmem/slab-geometry.js';
import type { CacheMetadata } from '../../src/arena/illumos-kmem/slab-structures.js';
import { type Address, NO_ADDRESS } from '../../src/core/address.js';
import { LockTable } from '../../src/core/locks.js';

const PAGE = 4096;

/** Writes down what is taken and given, and refuses what it is told to. */
class RecordingMetadata implements CacheMetadata {
  readonly log: string[] = [];
  /** Number of the request that fails, from 0; none by default. */
  failing = -1;
  magazines = true;
  private next = 0;

  allocSlab(): Address {
    return this.take('slab');
  }

  freeSlab(address: Address): void {
    this.log.push(`-slab ${address}`);
  }

  allocBufctl(): Address {
    return this.take('bufctl');
  }

  freeBufctl(address: Address): void {
    this.log.push(`-bufctl ${address}`);
  }

  allocMagazine(): Address {
    return this.magazines ? this.take('magazine') : NO_ADDRESS;
  }

  freeMagazine(address: Address): void {
    this.log.push(`-magazine ${address}`);
  }

  allocBufctlTable(): Address {
    return 1;
  }

  freeBufctlTable(): void {}

  private take(what: string): Address {
    const address = this.next++;
    if (address === this.failing) return NO_ADDRESS;
    this.log.push(`+${what} ${address}`);
    return address;
  }
}

/** A cache of 1 KiB buffers, four to a page, over an endless source. */
function hashedCache(metadata: RecordingMetadata): KmemCache {
  let pages = 0;
  const source = {
    name: 'pages',
    alloc: () => ++pages * PAGE,
    free: (address: Address) => {
      metadata.log.push(`-page ${address / PAGE}`);
    },
  };
  const host: CacheHost = {
    cpu: 0,
    cpus: 1,
    locks: new LockTable(),
    metadata,
    slabCreated: (_cache, _base, _first, structure) => structure,
  };
  return new KmemCache('buffers', 1024, slabGeometry(1024, 64, PAGE), source, host);
}

describe('structures of a hashed slab', () => {
  it('are taken in the order slab, then bufctls from the low end', () => {
    const metadata = new RecordingMetadata();
    const cache = hashedCache(metadata);
    cache.alloc(0);
    expect(metadata.log).toEqual(['+slab 0', '+bufctl 1', '+bufctl 2', '+bufctl 3', '+bufctl 4']);
  });

  it('are given back from the top of the stack of free buffers down, then the slab, then its memory', () => {
    const metadata = new RecordingMetadata();
    metadata.magazines = false;
    const cache = hashedCache(metadata);
    const high = cache.alloc(0);
    const low = cache.alloc(0);
    cache.free(high);
    cache.free(low);
    // The buffers came out as chunks 3 and 2, and chunk 2 was freed last.
    const bufctls = ['-bufctl 3', '-bufctl 4', '-bufctl 2', '-bufctl 1'];
    expect(metadata.log.slice(5)).toEqual([...bufctls, '-slab 0', '-page 1']);
  });

  it.each([0, 1, 3])('leave nothing behind when request %i for them fails', (failing) => {
    const metadata = new RecordingMetadata();
    metadata.failing = failing;
    const cache = hashedCache(metadata);
    expect(cache.alloc(0)).toBe(NO_ADDRESS);
    expect(cache.allocFails).toBe(1);
    const taken = metadata.log.filter((line) => line.startsWith('+')).map((line) => line.slice(1));
    const given = metadata.log.filter((line) => line.startsWith('-')).map((line) => line.slice(1));
    expect(given).toEqual([...taken.reverse(), 'page 1']);
  });

  it('let a buffer go straight to its slab when there is no memory for a magazine', () => {
    const metadata = new RecordingMetadata();
    metadata.magazines = false;
    const cache = hashedCache(metadata);
    cache.free(cache.alloc(0));
    expect(cache.slabFrees).toBe(1);
    expect(cache.magazines.frees).toBe(0);
    expect(cache.buffers).toBe(0);
  });
});
