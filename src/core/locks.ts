/**
 * Simulated locks. A model runs single-threaded, so a lock is never contended here; what is counted is how often
 * the kernel's code would take it, which is exact and the same on every machine.
 */
export class LockTable {
  private readonly names: string[] = [];
  private readonly locks: { readonly acquisitions: number }[] = [];

  /** Creates a lock; names need not be unique (per-CPU locks share one). */
  create(name: string): SimulatedLock {
    const lock = new SimulatedLock();
    this.add(name, lock);
    return lock;
  }

  /** Adds a lock whose acquisitions follow from counters that its user keeps anyway. */
  add(name: string, lock: { readonly acquisitions: number }): void {
    this.names.push(name);
    this.locks.push(lock);
  }

  /** Acquisitions of all locks together. */
  get acquisitions(): number {
    return this.locks.reduce((sum, lock) => sum + lock.acquisitions, 0);
  }

  /** Acquisitions by name, names in order of creation. */
  byName(): Map<string, number> {
    const counts = new Map<string, number>();
    this.locks.forEach((lock, index) => {
      const name = this.names[index]!;
      counts.set(name, (counts.get(name) ?? 0) + lock.acquisitions);
    });
    return counts;
  }
}

/** One lock: the hot path does nothing but count. */
export class SimulatedLock {
  acquisitions = 0;

  acquire(): void {
    this.acquisitions++;
  }
}
