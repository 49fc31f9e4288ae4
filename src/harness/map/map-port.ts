import type { Backend } from '../../backend/contract.js';
import { type Address, NO_ADDRESS } from '../../core/address.js';
import { BROADER_CLASS, REQUEST_CLASS_NAMES, type RequestPort } from '../../core/request.js';
import type { Simulation } from '../../core/simulation.js';
import type { Bytes, Nanoseconds } from '../../core/units.js';
import type { CheckedPort } from '../request-port.js';
import { AddressRows, MOST_ROWS } from './address-rows.js';
import { ArenaBytes } from './arena-bytes.js';
import { LABEL_BINS, LabelGrid } from './label-grid.js';
import { KIND_BITS, MapKind } from './map-kind.js';
import { PlacementLadder } from './placement-ladder.js';
import { TileHistory } from './tile-history.js';

/** Columns of a map at most. */
export const MOST_COLUMNS = 1024;

/** Tags that may be looked at generously, 16 per request: short runs are shown in full detail so. */
const GENEROUS_TAGS = 2 ** 20;

/** What a map is recorded of. */
export interface MapSource {
  readonly simulation: Simulation;
  readonly backend: Backend;
  readonly port: CheckedPort;
  readonly objectLimit: number;
  /** Length of the workload, or an upper bound of it. */
  readonly durationNs: Nanoseconds;
}

/**
 * Records the address-space map of a run: it stands between the workload and the port, so that a run without a map has
 * nothing of it in its way. Bytes of live objects are followed exactly at every request; what only the arenas know (free
 * and cached) is looked up at ends of columns, for a bounded number of tags per request.
 *
 * Nothing is allocated per request.
 */
export class MapPort implements RequestPort {
  readonly rows = new AddressRows((rows) => this.renumber(rows));
  readonly tiles = new TileHistory();
  readonly ladder = new PlacementLadder();
  readonly labels: LabelGrid;
  /** Length of a column; doubles when columns are joined. */
  columnNs: Nanoseconds;
  private readonly port: CheckedPort;
  private readonly simulation: Simulation;
  private readonly backend: Backend;
  private readonly arenas: ArenaBytes;
  private readonly isServed: Uint8Array;
  /** Bytes of guard pages by class, see Backend. */
  private readonly guard: Float64Array;
  private readonly isLive: Uint8Array;
  /** Class that was asked for. */
  private readonly cls: Uint8Array;
  private readonly born: Float64Array;
  private readonly allocation: Float64Array;
  private readonly siteOf: Int32Array;
  private readonly heldBefore = new Float64Array(MOST_ROWS);
  private readonly freeBefore = new Float64Array(MOST_ROWS);
  /** 1 for classes that were asked for and are served. */
  private readonly isAnswered = new Uint8Array(REQUEST_CLASS_NAMES.length);
  private column = 0;
  private columnEnd: Nanoseconds;
  private requestsSinceLook = 0;
  private tagsSeen = 0;
  private allocations = 0;
  private site = -1;

  constructor({ simulation, backend, port, objectLimit, durationNs }: MapSource) {
    this.simulation = simulation;
    this.backend = backend;
    this.port = port;
    this.arenas = new ArenaBytes(backend.arenas, this.rows);
    this.isServed = Uint8Array.from(REQUEST_CLASS_NAMES, (_, cls) =>
      backend.serves.includes(cls) || backend.serves.includes(BROADER_CLASS[cls]!) ? 1 : 0,
    );
    this.guard = Float64Array.from(this.isServed, (yes, cls) =>
      yes === 1 ? (backend.guardBytes?.(cls) ?? 0) : 0,
    );
    this.isLive = new Uint8Array(objectLimit);
    this.cls = new Uint8Array(objectLimit);
    this.born = new Float64Array(objectLimit);
    this.allocation = new Float64Array(objectLimit);
    this.siteOf = new Int32Array(objectLimit);
    this.columnNs = Math.max(1, Math.ceil((durationNs + 1) / MOST_COLUMNS));
    this.columnEnd = this.columnNs;
    const { cls, born, allocation } = this;
    const columns = { cls, born, allocation, site: this.siteOf, address: port.address, size: port.size };
    this.labels = new LabelGrid(columns, this.columnNs * (MOST_COLUMNS / LABEL_BINS));
  }

  /** RequestClass numbers that were asked for and that the backend serves, as themselves or as a broader one. */
  get answered(): number[] {
    return [...this.isAnswered.keys()].filter((cls) => this.isAnswered[cls] === 1);
  }

  comesFrom(site: number): void {
    this.site = site;
  }

  alloc(object: number, cls: number, size: Bytes, constraint: number, cpu: number): boolean {
    this.beforeRequest();
    this.allocations++;
    const isGranted = this.port.alloc(object, cls, size, constraint, cpu);
    if (this.isServed[cls] === 1) this.noteAnswer(object, cls, isGranted);
    this.site = -1;
    return isGranted;
  }

  free(object: number, cpu: number): void {
    this.beforeRequest();
    this.port.free(object, cpu);
    if (this.isLive[object] === 1) this.leave(object);
  }

  act(object: number, op: number, amount: Bytes, cpu: number): void {
    this.beforeRequest();
    this.port.act(object, op, amount, cpu);
  }

  reclaim(cpu: number): void {
    this.beforeRequest();
    this.port.reclaim(cpu);
  }

  /** Ends the recording, when the simulation has ended. Returns the number of columns. */
  finish(): number {
    const { now } = this.simulation;
    if (now >= this.columnEnd) this.endColumn();
    this.lookAtArenas();
    for (let object = 0; object < this.isLive.length; object++) {
      if (this.isLive[object] === 1) this.offerLabel(object, true);
    }
    this.tiles.endColumn(this.column);
    while (this.tiles.isFull) this.joinColumns();
    return this.column + 1;
  }

  private noteAnswer(object: number, cls: number, isGranted: boolean): void {
    const { simulation, port } = this;
    this.isAnswered[cls] = 1;
    this.ladder.add(cls, isGranted ? port.address[object]! : NO_ADDRESS, simulation.now);
    if (!isGranted) return;
    this.cls[object] = cls;
    this.isLive[object] = 1;
    this.born[object] = simulation.now;
    this.allocation[object] = this.allocations;
    this.siteOf[object] = this.site;
    const address = port.address[object]!;
    this.rows.cover(address, address + port.size[object]!);
    this.count(object, 1);
    if (this.guard[port.cls[object]!] !== 0) this.countGuard(object, 1);
  }

  private leave(object: number): void {
    this.count(object, -1);
    if (this.guard[this.port.cls[object]!] !== 0) this.countGuard(object, -1);
    this.offerLabel(object, false);
    this.isLive[object] = 0;
  }

  private beforeRequest(): void {
    if (this.simulation.now >= this.columnEnd) this.endColumn();
    this.requestsSinceLook++;
  }

  /** Adds an object's bytes to the rows that it lies in, or takes them away. */
  private count(object: number, sign: number): void {
    const start = this.port.address[object]!;
    this.addBytes(start, start + this.port.size[object]!, this.cls[object]!, sign);
  }

  private countGuard(object: number, sign: number): void {
    const { port, backend } = this;
    const cls = port.cls[object]!;
    const guard = this.guard[cls]!;
    const address = port.address[object]!;
    const start = guard < 0 ? address + guard : address + backend.footprint(cls, port.size[object]!) - guard;
    const end = start + Math.abs(guard);
    if (sign > 0) this.rows.cover(start, end);
    this.addBytes(start, end, MapKind.guard, sign);
  }

  private addBytes(start: Address, end: Address, kind: number, sign: number): void {
    const { rows, tiles } = this;
    for (let at = start; at < end; ) {
      const row = rows.rowAt(at);
      const next = Math.min(end, rows.start[row]! + rows.granuleOf(row));
      tiles.pending[(row << KIND_BITS) | kind]! += sign * (next - at);
      at = next;
    }
  }

  private offerLabel(object: number, isAlive: boolean): void {
    const { rows, port, labels } = this;
    const { now } = this.simulation;
    const start = port.address[object]!;
    const end = start + port.size[object]!;
    for (let at = start; at < end; ) {
      const row = rows.rowAt(at);
      labels.offer(row, object, now, isAlive);
      at = rows.start[row]! + rows.granuleOf(row);
    }
  }

  /** The clock has left the column: what is pending belongs to it. */
  private endColumn(): void {
    const { tiles, arenas } = this;
    const share = this.tagsSeen < GENEROUS_TAGS ? arenas.tags / 16 : arenas.tags;
    if (this.requestsSinceLook >= share) this.lookAtArenas();
    tiles.endColumn(this.column);
    while (tiles.isFull) this.joinColumns();
    this.column = Math.floor(this.simulation.now / this.columnNs);
    while (this.column >= MOST_COLUMNS) this.joinColumns();
    this.columnEnd = (this.column + 1) * this.columnNs;
  }

  private joinColumns(): void {
    this.tiles.joinColumns();
    this.columnNs *= 2;
    this.column >>= 1;
  }

  private lookAtArenas(): void {
    const { arenas, rows, tiles, heldBefore, freeBefore } = this;
    this.requestsSinceLook = 0;
    arenas.look();
    this.tagsSeen += arenas.tags;
    for (let row = 0; row < rows.count; row++) {
      const tile = row << KIND_BITS;
      tiles.pending[tile | MapKind.held]! += arenas.held[row]! - heldBefore[row]!;
      tiles.pending[tile | MapKind.free]! += arenas.free[row]! - freeBefore[row]!;
      heldBefore[row] = arenas.held[row]!;
      freeBefore[row] = arenas.free[row]!;
    }
  }

  private renumber(rows: Int32Array): void {
    this.tiles.joinRows(rows);
    this.labels.joinRows(rows);
    for (const column of [this.heldBefore, this.freeBefore]) {
      const old = column.slice();
      column.fill(0);
      for (let row = 0; row < MOST_ROWS; row++) if (old[row] !== 0) column[rows[row]!]! += old[row]!;
    }
  }
}
