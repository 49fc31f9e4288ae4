import type { CacheFigures } from '../arena/view.js';
import { type Address, NO_ADDRESS } from '../core/address.js';
import type { Bytes } from '../core/units.js';

/** Stacks that each CPU keeps (NR_CACHED_STACKS). */
const SLOTS_PER_CPU = 2;

/**
 * The thread stacks of Linux: two that each CPU keeps for the next thread, and those that wait for the end of an RCU
 * grace period, kernel/fork.c [linux-6.12.117] (`cached_stacks`, `thread_stack_free_rcu`); spec §8. Only stacks of the one
 * size that threads have are cached. As figures: an object cache whose slabs are the areas, with the slots as magazines.
 */
export class ThreadStacks implements CacheFigures {
  readonly name = 'thread_stack';
  readonly kind = 'object';
  /** Stacks that are live, waiting or kept. */
  slabs = 0;
  allocs = 0;
  /** Allocations that a slot served. */
  magazineHits = 0;
  frees = 0;
  private kept = 0;
  private waiting = 0;
  private readonly slots: Float64Array;
  /** Stacks that wait for a grace period, by ticket, and tickets that are not in use. */
  private tickets = new Float64Array(64);
  private unused: number[] = [];
  private ticketLimit = 0;

  /** `stackBytes` is the size of a stack, `areaBytes` that with its guard page. */
  constructor(
    readonly arena: string,
    cpus: number,
    readonly stackBytes: Bytes,
    private readonly areaBytes: Bytes,
  ) {
    this.slots = new Float64Array(cpus * SLOTS_PER_CPU).fill(NO_ADDRESS);
  }

  get bufferBytes(): Bytes {
    return this.areaBytes;
  }

  get slabBytes(): Bytes {
    return this.areaBytes;
  }

  get buffers(): number {
    return this.slabs;
  }

  get buffersInUse(): number {
    return this.slabs;
  }

  get buffersInMagazines(): number {
    return this.kept + this.waiting;
  }

  get magazines(): number {
    return this.slots.length;
  }

  /** A stack that a CPU keeps; NO_ADDRESS if it keeps none. */
  take(cpu: number): Address {
    const first = cpu * SLOTS_PER_CPU;
    for (let slot = first; slot < first + SLOTS_PER_CPU; slot++) {
      const address = this.slots[slot]!;
      if (address === NO_ADDRESS) continue;
      this.slots[slot] = NO_ADDRESS;
      this.kept--;
      this.magazineHits++;
      return address;
    }
    return NO_ADDRESS;
  }

  /** Lets a CPU keep a stack; answers whether it has a slot for it. */
  keep(address: Address, cpu: number): boolean {
    const first = cpu * SLOTS_PER_CPU;
    for (let slot = first; slot < first + SLOTS_PER_CPU; slot++) {
      if (this.slots[slot] !== NO_ADDRESS) continue;
      this.slots[slot] = address;
      this.kept++;
      return true;
    }
    return false;
  }

  /** Lets a stack wait for a grace period, and returns a ticket for it. */
  wait(address: Address): number {
    this.waiting++;
    const ticket = this.unused.pop() ?? this.ticketLimit++;
    if (ticket === this.tickets.length) {
      const larger = new Float64Array(2 * ticket);
      larger.set(this.tickets);
      this.tickets = larger;
    }
    this.tickets[ticket] = address;
    return ticket;
  }

  /** The stack of a ticket, whose grace period is over. */
  waited(ticket: number): Address {
    this.waiting--;
    this.unused.push(ticket);
    return this.tickets[ticket]!;
  }
}
