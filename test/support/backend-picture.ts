import type { BackendDefinition, Parameters } from '../../src/backend/contract.js';
import { Client, type Live } from '../../src/conformance/client.js';
import { AddressSpace } from '../../src/core/address.js';
import { type Constraint, RequestClass } from '../../src/core/request.js';
import { draw } from './picture.js';

const PAGE = 4096;

/** First address of the arena "kernel" in every picture. */
export const PICTURE_BASE = AddressSpace.canonical.toNumber(0xffffc90000000000n);

/**
 * A backend of two arenas as its client sees it, with a kernel arena small enough to be drawn: requests of class va
 * in pages, each named by the page where it lies.
 */
export class BackendPicture {
  readonly client: Client;

  constructor(
    definition: BackendDefinition,
    pages: number,
    parameters: Parameters = {},
    rows: readonly Constraint[] = [],
  ) {
    const kmem = { kmem_size: 16 * PAGE };
    this.client = new Client(definition, { arena_size: pages * PAGE, ...kmem, ...parameters }, rows);
  }

  /** The page where the request was placed; -1 if it was refused. */
  alloc(pages: number, row = -1): number {
    const live = this.client.alloc(RequestClass.va, pages * PAGE, row);
    this.client.check();
    return live === undefined ? -1 : (live.address - PICTURE_BASE) / PAGE;
  }

  /** Places requests in turn and returns their pages. */
  allocAll(...pages: readonly number[]): number[] {
    return pages.map((count) => this.alloc(count));
  }

  free(...pages: readonly number[]): this {
    for (const page of pages) this.client.free(this.at(page));
    this.client.check();
    return this;
  }

  get drawing(): string {
    return draw(this.client.backend.arenas[0]!);
  }

  private at(page: number): Live {
    return this.client.live.find(({ address }) => address === PICTURE_BASE + page * PAGE)!;
  }
}
