import { describe, expect, it } from 'vitest';
import type { BackendDefinition, Parameters } from '../../src/backend/contract.js';
import { netbsd2012 } from '../../src/backend/netbsd-2012.js';
import { netbsdB } from '../../src/backend/netbsd-b.js';
import { netbsdC } from '../../src/backend/netbsd-c.js';
import { netbsdYamamoto } from '../../src/backend/netbsd-yamamoto.js';
import { Client, type Live } from '../../src/conformance/client.js';
import { InputError } from '../../src/core/errors.js';
import { RequestClass } from '../../src/core/request.js';
import { GIB, KIB, MIB, SECOND } from '../../src/core/units.js';

const PAGE = 4 * KIB;
const HEAPS = { 'netbsd-2012': netbsd2012, 'netbsd-b': netbsdB, 'netbsd-c': netbsdC } as const;
const ALL = { ...HEAPS, 'netbsd-yamamoto': netbsdYamamoto } as const;

const arenaNamed = (client: Client, name: string) =>
  client.backend.arenas.find((arena) => arena.name === name)!;

const entriesOf = (client: Client) => arenaNamed(client, 'kernel_map').mapEntries!;

/** A kernel that is soon exhausted. */
const SMALL = { kernel_size: 64 * MIB, image_size: PAGE, physmem: 8 * MIB };

/** Boundary tags of all arenas but the map. */
const tagsOf = (client: Client) =>
  client.backend.arenas
    .filter(({ mapEntries }) => mapEntries === undefined)
    .reduce((sum, { figures }) => sum + figures.spanTags + figures.freeTags + figures.allocTags, 0);

/** Tags that a request adds to those there are. */
function tagsOfOne(definition: BackendDefinition, cls: number, size: number): number {
  const client = new Client(definition);
  const before = tagsOf(client);
  client.alloc(cls, size);
  return tagsOf(client) - before;
}

/** Runs the clock to `seconds` as a workload without requests would. */
function pass(client: Client, seconds: number): void {
  const { simulation } = client;
  const handler = simulation.register({ fire: () => simulation.workloadFinished() });
  simulation.workloadStarted();
  simulation.schedule(seconds * SECOND, 2, handler);
  simulation.run();
}

function allocAll(client: Client, cls: number, size: number, most = Number.POSITIVE_INFINITY): Live[] {
  const got: Live[] = [];
  for (let live = client.alloc(cls, size); live !== undefined; live = client.alloc(cls, size)) {
    got.push(live);
    if (got.length >= most) break;
  }
  return got;
}

function refusal(definition: BackendDefinition, parameters: Parameters): string {
  try {
    new Client(definition, parameters);
  } catch (error) {
    expect(error).toBeInstanceOf(InputError);
    return (error as InputError).message;
  }
  throw new Error(`accepted ${JSON.stringify(parameters)}`);
}

describe('option b', () => {
  it('is a heap with an internal arena, and kernel_map beside it', () => {
    const { arenas } = new Client(netbsdB).backend;
    expect(arenas.map(({ name, source }) => [name, source])).toEqual([
      ['heap', null],
      ['vmem-va', 'heap'],
      ['vmem-meta', 'vmem-va'],
      ['heap_va', 'heap'],
      ['kernel_map', null],
    ]);
  });

  it('has a heap of two thirds of the kernel, or of the physical memory if that is less', () => {
    const heapBytes = (parameters: Parameters) =>
      arenaNamed(new Client(netbsdB, parameters), 'heap').figures.totalBytes;
    expect(heapBytes({})).toBe(4 * GIB);
    expect(heapBytes({ kernel_size: 3 * GIB })).toBe(2 * GIB);
  });

  it('refuses a physical memory of no whole pages', () => {
    expect(refusal(netbsdB, { physmem: 5000 })).toMatch(/physmem: 5000 bytes.*multiple of 4096/);
  });

  it('pays three tags for what exceeds the quantum caches, and for each slab', () => {
    expect(tagsOfOne(netbsdB, RequestClass.poolPage, 5 * PAGE)).toBe(3);
    const client = new Client(netbsdB);
    // The first slab needs a page of page headers besides.
    allocAll(client, RequestClass.poolPage, PAGE, 16);
    const before = tagsOf(client);
    allocAll(client, RequestClass.poolPage, PAGE, 1);
    expect(tagsOf(client) - before).toBe(3);
    allocAll(client, RequestClass.poolPage, PAGE, 15);
    expect(tagsOf(client) - before).toBe(3);
  });

  it('takes small objects from pool caches over pages of heap_va, and longer ones as pages', () => {
    const client = new Client(netbsdB);
    client.alloc(RequestClass.kmem, 100);
    client.alloc(RequestClass.malloc, 100);
    const used = arenaNamed(client, 'heap_va')
      .caches.filter(({ kind, buffersInUse }) => kind === 'object' && buffersInUse > 0)
      .map(({ name, buffersInUse }) => [name, buffersInUse]);
    expect(used).toEqual([['kmem-112', 2]]);
    expect(tagsOfOne(netbsdB, RequestClass.kmem, 4 * PAGE + 1)).toBe(3);
  });

  it('puts the length in front of an object of malloc(9), and aligns whole cache lines', () => {
    const client = new Client(netbsdB);
    const { address } = client.alloc(RequestClass.malloc, 120)!;
    expect(address % 64).toBe(8);
    expect(client.backend.footprint(RequestClass.malloc, 120)).toBe(128);
    expect(client.backend.footprint(RequestClass.malloc, 121)).toBe(160);
    expect(client.backend.footprint(RequestClass.malloc, PAGE)).toBe(2 * PAGE);
    const narrow = new Client(netbsdB, { abi: 'ilp32' });
    expect(narrow.backend.footprint(RequestClass.malloc, 124)).toBe(128);
  });

  it('serves interrupts from the same arena as pools', () => {
    const client = new Client(netbsdB);
    const { address } = client.alloc(RequestClass.interrupt, 5 * PAGE)!;
    expect(arenaNamed(client, 'heap_va').figures.inUseBytes).toBe(5 * PAGE);
    expect(arenaNamed(client, 'kernel_map').figures.inUseBytes).toBe(0);
    client.free({ cls: RequestClass.interrupt, address, size: 5 * PAGE, constraint: -1 });
    expect(arenaNamed(client, 'heap_va').figures.inUseBytes).toBe(0);
  });
});

describe('option c', () => {
  it('pays two tags more for every allocation, whoever makes it', () => {
    for (const cls of [RequestClass.poolPage, RequestClass.malloc, RequestClass.interrupt]) {
      expect(tagsOfOne(netbsdC, cls, 5 * PAGE)).toBe(5);
    }
    const client = new Client(netbsdC);
    const [first, second] = allocAll(client, RequestClass.poolPage, PAGE, 16);
    // The first page that comes back to the quantum cache has it take a group.
    client.free(first!);
    const before = tagsOf(client);
    client.free(second!);
    expect(before - tagsOf(client)).toBe(2);
  });
});

describe('what landed', () => {
  it('caches up to 16 pages in slabs of 64', () => {
    const client = new Client(netbsd2012);
    client.alloc(RequestClass.poolPage, 16 * PAGE);
    const kva = arenaNamed(client, 'kva');
    expect(kva.figures.inUseBytes).toBe(64 * PAGE);
    expect(kva.source).toBe('kmem');
  });

  it('has map entries with one attribute word more than 2011', () => {
    const bytes = (definition: BackendDefinition, abi: string) => {
      const client = new Client(definition, { abi });
      return arenaNamed(client, 'kernel_map').metadataBytes();
    };
    expect(bytes(netbsdB, 'lp64')).toBe(288 + 2 * 136);
    expect(bytes(netbsd2012, 'lp64')).toBe(288 + 2 * 144);
    expect(bytes(netbsd2012, 'ilp32')).toBe(160 + 2 * 88);
  });
});

describe("Yamamoto's proposal", () => {
  it('enters only pageable ranges into the map, at the address of the arena', () => {
    const client = new Client(netbsdYamamoto);
    const [wired, stack] = [
      client.alloc(RequestClass.va, PAGE)!,
      client.alloc(RequestClass.kstack, 16 * KIB)!,
    ];
    expect(entriesOf(client).linkedEntries).toBe(1);
    const pageable = client.alloc(RequestClass.pageable, PAGE)!;
    expect(entriesOf(client).linkedEntries).toBe(2);
    const mapped: number[] = [];
    arenaNamed(client, 'kernel_map').walk((type, start) => void (type === 2 && mapped.push(start)));
    expect(mapped).toEqual([pageable.address]);
    for (const live of [wired, stack, pageable]) client.free(live);
    expect(entriesOf(client).linkedEntries).toBe(1);
    client.check();
  });

  it('has arenas for interrupts and for all else, on one without quantum caches', () => {
    const client = new Client(netbsdYamamoto);
    client.alloc(RequestClass.interrupt, PAGE);
    client.alloc(RequestClass.poolPage, 2 * PAGE);
    const slab = 64 * PAGE;
    expect(arenaNamed(client, 'kmem_intrsafe').figures.inUseBytes).toBe(slab);
    expect(arenaNamed(client, 'kmem').figures.inUseBytes).toBe(slab);
    expect(arenaNamed(client, 'kernel_va').caches).toEqual([]);
  });

  it('takes the whole kernel, meets every constraint, and refuses those that contradict themselves', () => {
    const rows = [
      { align: 64 * KIB, phase: 8 * KIB, nocross: MIB },
      { nocross: 16 * KIB },
      { minAddress: 8192, maxAddress: 4096 },
    ];
    const client = new Client(netbsdYamamoto, {}, rows);
    expect(arenaNamed(client, 'kernel_va').figures.totalBytes).toBe(32 * GIB - 16 * MIB);
    expect(client.alloc(RequestClass.va, 3 * PAGE, 0)).toBeDefined();
    expect(client.alloc(RequestClass.va, 5 * PAGE, 1)).toBeUndefined();
    expect(client.alloc(RequestClass.va, PAGE, 2)).toBeUndefined();
    const pageable = client.alloc(RequestClass.pageable, PAGE, 0)!;
    client.free(pageable);
    client.check();
  });
});

describe('kernel_map beside a heap', () => {
  it.each(Object.entries(HEAPS))(
    '%s: neighbours merge, but not pageable with wired ones',
    (_name, definition) => {
      const client = new Client(definition);
      const cost = (cls: number) => {
        const before = entriesOf(client).linkedEntries;
        client.alloc(cls, PAGE);
        return entriesOf(client).linkedEntries - before;
      };
      expect(entriesOf(client).linkedEntries).toBe(2);
      const { va, kstack, pageable } = RequestClass;
      expect([va, kstack, pageable, pageable, va].map(cost)).toEqual([1, 0, 1, 0, 1]);
      expect(entriesOf(client).mergedMappings).toBe(2);
    },
  );

  it('knows alignment and bounds, and refuses phase and nocross', () => {
    const probe = new Client(netbsdB);
    const { address } = probe.alloc(RequestClass.va, PAGE)!;
    const rows = [
      { align: MIB },
      { minAddress: address + 5000, maxAddress: address + 5 * PAGE },
      { align: MIB, phase: PAGE },
      { nocross: MIB },
    ];
    const client = new Client(netbsdB, {}, rows);
    client.alloc(RequestClass.va, PAGE);
    expect(client.alloc(RequestClass.va, PAGE, 0)!.address % MIB).toBe(0);
    expect(client.alloc(RequestClass.va, 3 * PAGE, 1)!.address).toBe(address + 2 * PAGE);
    expect(client.alloc(RequestClass.va, PAGE, 1)).toBeUndefined();
    expect(client.alloc(RequestClass.va, PAGE, 2)).toBeUndefined();
    expect(client.alloc(RequestClass.va, PAGE, 3)).toBeUndefined();
    client.check();
  });
});

describe.each(Object.entries(ALL))('%s', (_name, definition) => {
  it('frees wired memory of the heap without allocating: an exhausted heap can be emptied', () => {
    const client = new Client(definition, SMALL);
    const { poolPage, kmem, malloc, interrupt } = RequestClass;
    const got = [
      ...allocAll(client, poolPage, PAGE, 800),
      ...allocAll(client, poolPage, 7 * PAGE),
      ...allocAll(client, interrupt, PAGE),
      ...allocAll(client, malloc, 500),
      ...allocAll(client, kmem, 8, 500),
    ];
    expect(got.length).toBeGreaterThan(900);
    // Every second one first, so that nothing merges at once.
    for (const live of got.filter((_live, index) => index % 2 === 0)) client.free(live);
    client.check();
    client.freeAll();
    client.check();
    const { entriesForSplits, entriesReserved, hangs } = entriesOf(client);
    expect([entriesForSplits, entriesReserved, hangs]).toEqual([0, 0, 0]);
  });

  it('takes no boundary tag for a free of wired memory', () => {
    const client = new Client(definition, { qcache_max: 0 });
    const taken = () =>
      client.backend.arenas.reduce((sum, { spareTags }) => sum + (spareTags?.tagsTaken ?? 0), 0);
    const got = [
      ...allocAll(client, RequestClass.poolPage, PAGE, 300),
      ...allocAll(client, RequestClass.interrupt, 3 * PAGE, 100),
      ...allocAll(client, RequestClass.kmem, 9 * PAGE, 100),
      ...allocAll(client, RequestClass.malloc, 9 * PAGE, 100),
    ];
    const before = taken();
    expect(before).toBeGreaterThanOrEqual(2 * got.length);
    for (const live of got.filter((_live, index) => index % 2 === 0)) client.free(live);
    client.freeAll();
    expect(taken()).toBe(before);
  });

  it('allocates to free where the map has merged', () => {
    const client = new Client(definition);
    const got = allocAll(client, RequestClass.pageable, PAGE, 9);
    expect(entriesOf(client).mergedMappings).toBeGreaterThan(0);
    client.free(got[4]!);
    expect(entriesOf(client).entriesForSplits).toBeGreaterThan(0);
    client.freeAll();
    client.check();
  });

  it('counts a free that has to wait for an entry, and goes on', () => {
    const client = new Client(definition, SMALL);
    const pageable = allocAll(client, RequestClass.pageable, PAGE, 600);
    const wired = [
      ...allocAll(client, RequestClass.poolPage, 7 * PAGE),
      ...allocAll(client, RequestClass.poolPage, PAGE),
    ];
    for (const live of pageable.filter((_live, index) => index % 2 === 1)) client.free(live);
    expect(entriesOf(client).hangs).toBeGreaterThan(100);
    for (const live of wired) client.free(live);
    client.freeAll();
    client.check();
    expect(arenaNamed(client, 'kernel_map').figures.inUseBytes).toBe(0);
  });

  it('lets the hash tables follow every 10 seconds', () => {
    const client = new Client(definition);
    allocAll(client, RequestClass.poolPage, 20 * PAGE, 1000);
    const root = client.backend.arenas[0]!;
    pass(client, 9);
    expect(root.figures.hashBuckets).toBe(1);
    pass(client, 11);
    expect(root.figures.hashBuckets).toBeGreaterThanOrEqual(1000);
  });

  it('gives pages back that were idle for 10 seconds at the second reap', () => {
    const client = new Client(definition);
    const held = () => client.backend.arenas[0]!.figures.inUseBytes;
    const before = held();
    const metadata = () => arenaNamed(client, 'vmem-va').figures.importBytes;
    const metadataBefore = metadata();
    for (const live of allocAll(client, RequestClass.kmem, 200, 5000)) client.free(live);
    const filled = held();
    expect(filled).toBeGreaterThan(before + MIB);
    client.backend.reap();
    expect(held()).toBe(filled);
    pass(client, 11);
    client.backend.reap();
    // The objects' pages become idle pages of the quantum caches only now.
    pass(client, 22);
    client.backend.reap();
    expect(held() - metadata()).toBe(before - metadataBefore);
    client.check();
  });

  it('takes space from the roots it names', () => {
    const { backend } = new Client(definition);
    const roots = (cls: number) => backend.rootsOf!(cls).map(({ name }) => name);
    expect(roots(RequestClass.kmem)).toEqual([backend.arenas[0]!.name]);
    const ranges = definition === netbsdYamamoto ? 'kernel_va' : 'kernel_map';
    expect(roots(RequestClass.pageable)).toEqual([ranges]);
    expect(roots(RequestClass.kstack)).toEqual([ranges]);
  });

  it('refuses parameters that make no kernel, with the field and what is allowed', () => {
    expect(refusal(definition, { kernel_size: MIB })).toMatch(
      /kernel_size: 1048576 bytes.*at least 67108864/,
    );
    expect(refusal(definition, { image_size: 30 * GIB })).toMatch(
      /image_size: .*leaves no room.*at most a quarter/,
    );
    expect(refusal(definition, { kernel_base: 'here' })).toMatch(/kernel_base.*here/);
  });
});
