import { type Address, NO_ADDRESS } from '../../core/address.js';
import { type Bytes, roundUp } from '../../core/units.js';
import type { SpanSource } from '../netbsd-vmem/span-source.js';
import { PAGE_BYTES } from '../uvm-map/abi.js';
import type { RangeSource } from '../uvm-map/map-pages.js';

/**
 * Import of whole pages from a map, a range for each span: kmem_backend_alloc and kmem_backend_free, subr_kmem.c
 * [netbsd@301a139].
 */
export class PageImport implements SpanSource {
  importedBytes = 0;

  /** `name`: the map behind `ranges`. */
  constructor(
    readonly name: string,
    private readonly ranges: RangeSource,
  ) {}

  importSpan(size: Bytes): Address {
    const bytes = roundUp(size, PAGE_BYTES);
    const base = this.ranges.alloc(bytes);
    if (base !== NO_ADDRESS) this.importedBytes = bytes;
    return base;
  }

  returnSpan(base: Address, size: Bytes): void {
    this.ranges.free(base, size);
  }
}
