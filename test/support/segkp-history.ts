import assert from 'node:assert/strict';
import type { Parameters } from '../../src/backend/contract.js';
import type { SegkpBackend } from '../../src/backend/illumos-segkp.js';
import { illumosSegkpHeap } from '../../src/backend/illumos-segkp-heap.js';
import { illumosSegkpStatic } from '../../src/backend/illumos-segkp-static.js';
import { Client, type Live } from '../../src/conformance/client.js';
import { RandomStream } from '../../src/core/random.js';
import { RequestClass } from '../../src/core/request.js';
import { KIB, MIB } from '../../src/core/units.js';

const PAGE = 4 * KIB;
/** Of a machine of 4 GiB: the heap segment and its arena, by the table in the kernel's own comment (spec segkp §1). */
const SEGMENT = 744 * MIB;
const HEAP = 680 * MIB - PAGE;
const SEGKP = MIB;

interface Failure {
  readonly kind: string;
  readonly arena: string;
  readonly size: number;
  readonly threads: number;
}

/** What the figures must be, counted from the requests alone. */
interface Ledger {
  threads: number;
  stackPages: number;
  heapBytes: number;
  cached: number;
  readonly failures: Failure[];
}

const pagesOf = (size: number): number => Math.ceil(size / PAGE) + 1;

function expectFigures(backend: SegkpBackend, ledger: Ledger, isStatic: boolean): void {
  const figures = backend.figures();
  const heap = backend.arenas.find(({ name }) => name === 'heap')!;
  const pages = (isStatic ? SEGKP : SEGMENT) / PAGE;
  const { threads, stackPages, heapBytes, cached } = ledger;
  const said = [figures.threads, figures.stackBytes, figures.heapLiveBytes, figures.cachedStacks];
  assert.deepEqual(said, [threads, stackPages * PAGE, heapBytes, cached]);
  const prices = [figures.bitmapBits, figures.bitmapBytes, figures.anonSlots];
  assert.deepEqual(prices, isStatic ? [0, 0, pages] : [stackPages, pages / 8, pages]);
  const imported = isStatic ? 0 : figures.segkpBytes;
  assert.equal(figures.heapUsedBytes + imported + figures.heapFreeBytes, HEAP - (isStatic ? SEGKP : 0));
  assert.equal(figures.heapUsedBytes >= heapBytes, true);
  assert.equal(heap.figures.inUseBytes, figures.heapUsedBytes + imported);
  const failures = backend.failures.map(({ kind, arena, size, figures }) => {
    return { kind, arena, size, threads: figures.threads };
  });
  assert.deepEqual(failures, ledger.failures);
}

function request(
  client: Client,
  random: RandomStream,
): Live | { readonly cls: number; readonly size: number } {
  const draw = random.below(10);
  const cls = draw < 5 ? RequestClass.kstack : draw < 8 ? RequestClass.va : RequestClass.kmem;
  const sizes = { [RequestClass.kstack]: 12, [RequestClass.va]: 12_000, [RequestClass.kmem]: 10 };
  // Now and then a stack that only an empty heap could hold.
  const isHuge = cls === RequestClass.kstack && random.below(20) === 0;
  const pages = isHuge ? 100_000 : 1 + random.below(sizes[cls]);
  const size = cls === RequestClass.kstack ? pages * PAGE - random.below(PAGE) : pages * PAGE;
  return client.alloc(cls, size, -1, random.below(4)) ?? { cls, size };
}

function enter(ledger: Ledger, { cls, size }: { cls: number; size: number }, sign: 1 | -1): void {
  if (cls !== RequestClass.kstack) {
    ledger.heapBytes += sign * size;
    return;
  }
  ledger.threads += sign;
  ledger.stackPages += sign * pagesOf(size);
  if (sign === 1 && pagesOf(size) <= 5) ledger.cached++;
}

function noteFailure(ledger: Ledger, cls: number, size: number, isStatic: boolean): void {
  const kind = cls === RequestClass.kstack ? 'thread' : 'heap';
  if (ledger.failures.some((failure) => failure.kind === kind)) return;
  const arena = kind === 'thread' && isStatic ? 'segkp' : 'heap';
  ledger.failures.push({ kind, arena, size, threads: ledger.threads });
}

/**
 * Random threads and heap objects, among them stacks that hardly fit, on a machine whose figures are known; after each request
 * every figure against a ledger of the requests.
 * @throws AssertionError, or what the backend throws, at the first difference.
 */
export function runSegkpHistory(isStatic: boolean, seed: number, operations = 400): void {
  const parameters: Parameters = isStatic ? { segkp_size: SEGKP } : {};
  const client = new Client(isStatic ? illumosSegkpStatic : illumosSegkpHeap, parameters);
  const backend = client.backend as SegkpBackend;
  const random = new RandomStream(seed, 'segkp-history');
  const ledger: Ledger = { threads: 0, stackPages: 0, heapBytes: 0, cached: 0, failures: [] };
  for (let operation = 0; operation < operations; operation++) {
    if (client.live.length > 0 && random.below(3) === 0) {
      const live = client.live[random.below(client.live.length)]!;
      client.free(live);
      enter(ledger, live, -1);
    } else {
      const asked = request(client, random);
      if ('address' in asked) enter(ledger, asked, 1);
      else noteFailure(ledger, asked.cls, asked.size, isStatic);
    }
    expectFigures(backend, ledger, isStatic);
  }
  client.check();
  client.freeAll();
  client.check();
}

/** The tightest hole serves a stack that no quantum cache does; its red zone is the lowest page. */
export function runBestFit(): void {
  const client = new Client(illumosSegkpStatic, { segkp_size: SEGKP });
  const stack = (pages: number): Live => client.alloc(RequestClass.kstack, (pages - 1) * PAGE)!;
  const [, wide, , tight] = [12, 14, 6, 9, 6].map(stack);
  assert.equal(wide!.address % PAGE, 0);
  const segkp = client.backend.arenas.find(({ name }) => name === 'segkp')!;
  let first = -1;
  segkp.walk((type, start) => {
    if (type === 2 && first < 0) first = start;
  });
  assert.equal(client.live[0]!.address, first + PAGE);
  client.free(tight!);
  client.free(wide!);
  assert.equal(stack(8).address, tight!.address);
}
