import { type Static, Type } from '@sinclair/typebox';
import { NO_ITEM, type Pool } from '../../arena/netbsd-pool/pool.js';
import { Stack2011, type StackOptions } from '../../arena/netbsd-stack-2011/stack.js';
import { PAGE_BYTES } from '../../arena/uvm-map/abi.js';
import { type Address, NO_ADDRESS } from '../../core/address.js';
import { MisuseError } from '../../core/errors.js';
import { NO_RESULT } from './operations.js';

/** Operations of the layers above the maps, as case.json explains them. */
export const UpperOp = { kmem: 16, kmemfree: 17, malloc: 18, mfree: 19, poolget: 20, poolput: 21 } as const;

/** Kinds of operations from this number on are of the layers above. */
export const FIRST_UPPER: number = UpperOp.kmem;

/** A pool of a case. `backing` begins with the name of its page allocator. */
export const CasePool = Type.Object({
  name: Type.String(),
  item_size: Type.Integer({ minimum: 1 }),
  backing: Type.String(),
  page_size: Type.Integer({ minimum: PAGE_BYTES }),
});

/** pool(9), kmem(9) and malloc(9) of a case of kernel maps. */
export class UpperLayers {
  readonly stack: Stack2011;
  readonly pools: readonly Pool[];

  constructor(options: StackOptions, pools: readonly Static<typeof CasePool>[]) {
    this.stack = new Stack2011(options);
    this.pools = pools.map((pool) => this.createPool(pool));
  }

  /** Carries out one operation; `pool` is a number of `pools`. Returns its result, NO_RESULT if it has none. */
  execute(kind: number, pool: number, size: number, address: Address): Address {
    const { stack } = this;
    switch (kind) {
      case UpperOp.kmem:
        return stack.kmem.alloc(size);
      case UpperOp.kmemfree:
        stack.kmem.free(address, size);
        return NO_RESULT;
      case UpperOp.malloc:
        return stack.malloc.alloc(size);
      case UpperOp.mfree:
        stack.malloc.free(address, size);
        return NO_RESULT;
      case UpperOp.poolget:
        return this.get(pool);
      default:
        this.poolAt(pool).put(address);
        return NO_RESULT;
    }
  }

  /** Rows of pools.csv. */
  poolLines(): readonly string[] {
    return this.pools.map(({ name, geometry, pages }) => {
      const { itemBytes, itemsPerPage, pageBytes } = geometry;
      return [name, itemBytes, itemsPerPage, pages.count, pageBytes].join(',');
    });
  }

  private get(index: number): Address {
    const pool = this.poolAt(index);
    const item = pool.take();
    return item === NO_ITEM ? NO_ADDRESS : pool.addressOf(item);
  }

  /** @throws MisuseError if there is none. */
  private poolAt(index: number): Pool {
    const pool = this.pools[index];
    if (pool === undefined) throw new MisuseError('the case has no such pool', { index });
    return pool;
  }

  private createPool({ name, item_size, backing, page_size }: Static<typeof CasePool>): Pool {
    const { kernelMap, kmemMap } = this.stack.uvm;
    if (backing.startsWith('own allocator'))
      return this.stack.createLargePool(name, item_size, page_size, kernelMap);
    return this.stack.createPool(
      name,
      item_size,
      backing.startsWith('pool_allocator_kmem') ? kmemMap : kernelMap,
    );
  }
}
