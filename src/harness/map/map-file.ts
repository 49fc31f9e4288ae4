import { type Address, AddressSpace } from '../../core/address.js';
import type { Bytes, Nanoseconds } from '../../core/units.js';
import type { CellPlan } from '../plan.js';
import { LABEL_BINS, type MapLabel } from './label-grid.js';
import { KIND_BITS, MAP_KINDS } from './map-kind.js';
import type { MapPort } from './map-port.js';
import { VarintWriter } from './varint.js';

export const MAP_FORMAT = 'kvabench address map';
export const MAP_VERSION = 1;

/** A part of the address space with rows of one height. */
export interface MapWindow {
  /** 64-bit address in hex: that of the window's first row. */
  readonly start: string;
  /** Height of its rows. */
  readonly granule: Bytes;
  /** Rows that it has. */
  readonly rows: number;
}

/**
 * The address-space map of a cell as it is stored, see docs/map.md. The long parts are integers of variable length
 * in base64; they hold no text, and are not compressed, because compressors give other bytes on other machines.
 */
export interface MapFile {
  readonly format: typeof MAP_FORMAT;
  readonly version: typeof MAP_VERSION;
  readonly id: string;
  readonly workload: string;
  readonly backend: string;
  readonly seed: number;
  readonly configurationDigest: string;
  readonly placementDigest: string;
  /** Simulated time at the end. */
  readonly durationNs: Nanoseconds;
  readonly columns: number;
  readonly columnNs: Nanoseconds;
  /** Length of each of the parts of the time that have labels of their own; the last one has no end. */
  readonly labelNs: Nanoseconds;
  readonly labelBins: number;
  /** Names of the kinds of bytes, see MAP_KINDS. */
  readonly kinds: readonly string[];
  /** RequestClass numbers that were asked for and that the backend serves. */
  readonly answered: readonly number[];
  /** Ascending. */
  readonly windows: readonly MapWindow[];
  /** Per row, ascending: which row of its window it is, as the distance from the row before. */
  readonly rows: string;
  /** All changes are multiples of this. */
  readonly unit: Bytes;
  /** Per column with changes: distance from the one before, number of changes, and per change tile and bytes. */
  readonly tiles: string;
  /** Objects that can be named, in the order of their allocations. */
  readonly labels: string;
  /** Per row and part of the time: number of the label, as the distance from the one before; 0 for none. */
  readonly grid: string;
  /** Call sites of the labels. */
  readonly sites: readonly string[];
  /** Digests of the answers so far, see PlacementLadder: answer and time as distances, and the digest. */
  readonly ladder: string;
}

/** What the stored map of a cell says besides what the port recorded. */
export interface MapIdentity {
  readonly plan: CellPlan;
  readonly placementDigest: string;
  readonly durationNs: Nanoseconds;
  /** Call sites of the workload. */
  readonly sites: readonly string[];
}

/** The recording of a port, which is ended by this, as a file. */
export function mapFile(port: MapPort, identity: MapIdentity): MapFile {
  const columns = port.finish();
  const order = [...port.rows.start.subarray(0, port.rows.count).keys()];
  order.sort((a, b) => port.rows.start[a]! - port.rows.start[b]!);
  const windows = windowsOf(port, order);
  const labels = new LabelTable(port, order, windows, identity.sites);
  const { plan, placementDigest, durationNs } = identity;
  return {
    format: MAP_FORMAT,
    version: MAP_VERSION,
    id: plan.id,
    workload: plan.workload.label,
    backend: plan.backend.label,
    seed: plan.seed,
    configurationDigest: plan.configurationDigest,
    placementDigest,
    durationNs,
    columns,
    columnNs: port.columnNs,
    labelNs: port.labels.binNs,
    labelBins: LABEL_BINS,
    kinds: MAP_KINDS,
    answered: port.answered,
    windows: windows.map(({ start, granule, rows }) => ({
      start: AddressSpace.canonical.format(start),
      granule,
      rows,
    })),
    rows: rowsText(port, order, windows),
    ...tilesText(port, order),
    labels: labels.text(),
    grid: labels.grid(),
    sites: labels.sites,
    ladder: ladderText(port),
  };
}

interface PlacedWindow {
  readonly start: Address;
  readonly granule: Bytes;
  readonly rows: number;
}

function windowsOf({ rows }: MapPort, order: readonly number[]): PlacedWindow[] {
  return rows.windowList.map((window, index) => {
    const first = order.find((row) => rows.windowOfRow(row) === index)!;
    return { start: rows.start[first]!, granule: window.granule, rows: window.rows };
  });
}

function rowsText({ rows }: MapPort, order: readonly number[], windows: readonly PlacedWindow[]): string {
  const writer = new VarintWriter();
  let at = 0;
  for (const { start, granule, rows: count } of windows) {
    let before = start;
    for (const row of order.slice(at, at + count)) {
      writer.unsigned((rows.start[row]! - before) / granule);
      before = rows.start[row]!;
    }
    at += count;
  }
  return writer.base64();
}

/** Changes with rows in ascending order. */
function tilesText({ tiles }: MapPort, order: readonly number[]): { unit: Bytes; tiles: string } {
  const place = new Int32Array(Math.max(0, ...order) + 1);
  for (const [index, row] of order.entries()) place[row] = index;
  const unit = commonUnit(tiles.change.subarray(0, tiles.length));
  const writer = new VarintWriter();
  let column = 0;
  for (let from = 0; from < tiles.length; ) {
    let to = from;
    while (to < tiles.length && tiles.column[to] === tiles.column[from]) to++;
    writer.unsigned(tiles.column[from]! - column);
    column = tiles.column[from]!;
    writer.unsigned(to - from);
    const changes = Array.from({ length: to - from }, (_, index) => {
      const tile = tiles.tile[from + index]!;
      const row = place[tile >> KIND_BITS]!;
      return [(row << KIND_BITS) | (tile % (1 << KIND_BITS)), tiles.change[from + index]!] as const;
    });
    changes.sort(([a], [b]) => a - b);
    let before = 0;
    for (const [tile, change] of changes) {
      writer.unsigned(tile - before);
      writer.signed(change / unit);
      before = tile;
    }
    from = to;
  }
  return { unit, tiles: writer.base64() };
}

/** The largest power of two that divides all changes. */
function commonUnit(changes: Float64Array): Bytes {
  let unit = 2 ** 30;
  for (const change of changes) while (change % unit !== 0) unit /= 2;
  return unit;
}

function ladderText({ ladder }: MapPort): string {
  const writer = new VarintWriter();
  let answer = 0;
  let time = 0;
  for (let rung = 0; rung < ladder.rungs; rung++) {
    writer.unsigned(ladder.answer[rung]! - answer);
    writer.unsigned(ladder.timeNs[rung]! - time);
    writer.unsigned(ladder.digest[rung]!);
    answer = ladder.answer[rung]!;
    time = ladder.timeNs[rung]!;
  }
  return writer.base64();
}

/** The labels of a grid, each once: most objects lie in several cells. */
class LabelTable {
  readonly sites: string[] = [];
  private readonly labels: MapLabel[];
  private readonly number = new Map<number, number>();

  constructor(
    private readonly port: MapPort,
    private readonly order: readonly number[],
    private readonly windows: readonly PlacedWindow[],
    private readonly allSites: readonly string[],
  ) {
    const byAllocation = new Map<number, MapLabel>();
    for (const label of this.cells()) if (label !== undefined) byAllocation.set(label.allocation, label);
    this.labels = [...byAllocation.values()].sort((a, b) => a.allocation - b.allocation);
    for (const [index, { allocation }] of this.labels.entries()) this.number.set(allocation, index + 1);
  }

  text(): string {
    const { rows } = this.port;
    const writer = new VarintWriter();
    const siteNumbers = new Map<number, number>();
    let before = 0;
    for (const { allocation, cls, address, size, born, died, site } of this.labels) {
      writer.unsigned(allocation - before);
      before = allocation;
      writer.unsigned(cls);
      const window = rows.windowOfRow(rows.rowAt(address));
      writer.unsigned(window);
      writer.unsigned(address - this.windows[window]!.start);
      writer.unsigned(size);
      writer.unsigned(born);
      writer.unsigned(died < 0 ? 0 : died - born + 1);
      writer.unsigned(this.siteNumber(site, siteNumbers));
    }
    return writer.base64();
  }

  grid(): string {
    const writer = new VarintWriter();
    let before = 0;
    for (const label of this.cells()) {
      const number = label === undefined ? 0 : this.number.get(label.allocation)!;
      writer.signed(number - before);
      before = number;
    }
    return writer.base64();
  }

  /** Counts from 1; 0 for none. */
  private siteNumber(site: number, numbers: Map<number, number>): number {
    const name = this.allSites[site];
    if (name === undefined) return 0;
    if (!numbers.has(site)) numbers.set(site, this.sites.push(name));
    return numbers.get(site)!;
  }

  private *cells(): Generator<MapLabel | undefined> {
    for (const row of this.order) {
      for (let bin = 0; bin < LABEL_BINS; bin++) yield this.port.labels.labelAt(row, bin);
    }
  }
}
