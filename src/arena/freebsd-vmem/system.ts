import type { AddressSpace } from '../../core/address.js';
import { LockTable } from '../../core/locks.js';
import { type ArenaHost, type ArenaSpec, VmemArena } from './arena.js';
import type { WorkCounter } from './busy-hash.js';

/** What may differ between two systems. */
export interface SystemOptions {
  readonly space: AddressSpace;
  readonly cpus: number;
  readonly locks?: LockTable;
}

/** The arenas of one kernel, with what acts on all of them. */
export class VmemSystem implements ArenaHost {
  readonly space: AddressSpace;
  readonly cpus: number;
  readonly locks: LockTable;
  /** CPU that the running code is on. */
  cpu = 0;
  readonly work: WorkCounter = { steps: 0 };
  /** In order of creation. */
  readonly arenas: VmemArena[] = [];

  constructor(options: SystemOptions) {
    this.space = options.space;
    this.cpus = options.cpus;
    this.locks = options.locks ?? new LockTable();
  }

  /** vmem_create; spans are added by the caller. */
  createArena(spec: ArenaSpec): VmemArena {
    const arena = new VmemArena(spec, this);
    this.arenas.push(arena);
    return arena;
  }

  arenaNamed(name: string): VmemArena | undefined {
    return this.arenas.find((arena) => arena.name === name);
  }

  /** One run of the 10-second task: hash tables follow the number of busy tags. Placement does not depend on it. */
  rehash(): void {
    for (const arena of this.arenas) {
      arena.lock.acquire();
      arena.hash.rehash();
    }
  }
}
