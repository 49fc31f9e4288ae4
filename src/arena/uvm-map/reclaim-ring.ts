/** A client of a map that holds space which it could do without: a pool whose pages come from the map. */
export interface Reclaimer {
  /** Gives back what it can. */
  reclaim(): void;
}

/**
 * Who is asked when a map has no room: each client in turn, beginning behind the one asked last
 * (`callback_run_roundrobin` on the reclaim callbacks of a kernel map [netbsd@301a139], spec §2.2).
 */
export class ReclaimRing {
  private readonly clients: Reclaimer[] = [];
  private next = 0;

  add(client: Reclaimer): void {
    this.clients.push(client);
  }

  /** Asks each client once, or until `map` is short of space no more. */
  run(map: { readonly isStarved: boolean }): void {
    const { clients } = this;
    for (let asked = 0; asked < clients.length; asked++) {
      const client = clients[this.next]!;
      this.next = (this.next + 1) % clients.length;
      client.reclaim();
      if (!map.isStarved) return;
    }
  }
}
