import { readFileSync } from 'node:fs';
import { InputError } from '../../core/errors.js';
import { attemptIo } from '../../core/files.js';
import type { Bytes, Nanoseconds } from '../../core/units.js';
import type { MapLabel } from './label-grid.js';
import { MAP_FORMAT, MAP_VERSION, type MapFile } from './map-file.js';
import { KIND_BITS, MAP_KINDS, MapKind } from './map-kind.js';
import { VarintReader } from './varint.js';

/** A row of a map: a range of addresses. */
export interface MapRow {
  /** Index of its window. */
  readonly window: number;
  /** 64-bit address. */
  readonly start: bigint;
  readonly bytes: Bytes;
}

/** A label of a map, with its address in 64 bits and its call site by name, '' where none is known. */
export interface NamedLabel extends Omit<MapLabel, 'address' | 'site'> {
  readonly address: bigint;
  readonly site: string;
}

/** A rung of a map's ladder, see PlacementLadder. */
export interface MapRung {
  readonly answer: number;
  readonly timeNs: Nanoseconds;
  readonly digest: number;
}

/** What a tile shows: its kinds of bytes without `held`, of which what belongs to no object is `cached`. */
export const SHOWN_KINDS: readonly string[] = [...MAP_KINDS.slice(0, MapKind.held), 'cached', 'free'];

/** An address-space map, read. */
export class AddressMap {
  readonly rows: readonly MapRow[];

  constructor(readonly file: MapFile) {
    const steps = new VarintReader(file.rows);
    this.rows = file.windows.flatMap(({ start, granule, rows }, window) => {
      let piece = 0;
      return Array.from({ length: rows }, () => {
        piece += steps.unsigned();
        return { window, start: BigInt(start) + BigInt(piece) * BigInt(granule), bytes: granule };
      });
    });
  }

  /**
   * Visits the columns in order. `bytes` has each tile's bytes at the end of the column, at row × 16 + kind; it is the
   * same array each time, and so is `changed`, the rows with other bytes than in the column before.
   */
  forEachColumn(visit: (column: number, bytes: Float64Array, changed: ReadonlySet<number>) => void): void {
    const { file } = this;
    const bytes = new Float64Array(this.rows.length << KIND_BITS);
    const changes = new VarintReader(file.tiles);
    const changed = new Set<number>();
    let next = changes.isAtEnd ? file.columns : changes.unsigned();
    for (let column = 0; column < file.columns; column++) {
      changed.clear();
      if (column === next) {
        let tile = 0;
        for (let left = changes.unsigned(); left > 0; left--) {
          tile += changes.unsigned();
          bytes[tile]! += changes.signed() * file.unit;
          changed.add(tile >> KIND_BITS);
        }
        if (!changes.isAtEnd) next += changes.unsigned();
      }
      visit(column, bytes, changed);
    }
  }

  /** Bytes that row `row` shows of each of SHOWN_KINDS, from what `forEachColumn` gives. */
  shown(bytes: Float64Array, row: number): number[] {
    const at = row << KIND_BITS;
    const shown = [...bytes.subarray(at, at + MapKind.held)];
    const owned = shown.reduce((sum, value) => sum + value, 0);
    const cached = Math.max(0, bytes[at + MapKind.held]! - owned);
    // Objects come and go between two looks at the arenas: what they do not leave cannot be free.
    const room = this.rows[row]!.bytes - owned - cached;
    return [...shown, cached, Math.max(0, Math.min(bytes[at + MapKind.free]!, room))];
  }

  /** The objects that can be named, in the order of their allocations. */
  labels(): NamedLabel[] {
    const { file } = this;
    const reader = new VarintReader(file.labels);
    const labels: NamedLabel[] = [];
    let allocation = 0;
    while (!reader.isAtEnd) {
      allocation += reader.unsigned();
      const cls = reader.unsigned();
      const window = file.windows[reader.unsigned()]!;
      const address = BigInt(window.start) + BigInt(reader.unsigned());
      const size = reader.unsigned();
      const born = reader.unsigned();
      const life = reader.unsigned();
      const site = file.sites[reader.unsigned() - 1] ?? '';
      labels.push({ allocation, cls, address, size, born, died: life === 0 ? -1 : born + life - 1, site });
    }
    return labels;
  }

  /** Per row and part of the time, the index of the label, -1 for none. */
  labelGrid(): Int32Array {
    const reader = new VarintReader(this.file.grid);
    let number = 0;
    return Int32Array.from({ length: this.rows.length * this.file.labelBins }, () => {
      number += reader.signed();
      return number - 1;
    });
  }

  ladder(): MapRung[] {
    const reader = new VarintReader(this.file.ladder);
    const rungs: MapRung[] = [];
    let answer = 0;
    let timeNs = 0;
    while (!reader.isAtEnd) {
      answer += reader.unsigned();
      timeNs += reader.unsigned();
      rungs.push({ answer, timeNs, digest: reader.unsigned() });
    }
    return rungs;
  }
}

/** Reads a map that a run has stored. @throws InputError for a file that is none, or is damaged. */
export function readMap(path: string): AddressMap {
  const text = attemptIo('cannot read', path, () => readFileSync(path, 'utf8'));
  const place = { file: path, allowed: 'a map that kvabench run --map wrote' };
  let file: MapFile;
  try {
    file = JSON.parse(text);
  } catch (error) {
    throw new InputError(`damaged map: ${(error as Error).message}`, place);
  }
  if (file?.format !== MAP_FORMAT || file.version !== MAP_VERSION) {
    throw new InputError('not an address-space map of this version', place);
  }
  try {
    const map = new AddressMap(file);
    map.labels();
    map.labelGrid();
    map.ladder();
    map.forEachColumn(() => {});
    return map;
  } catch (error) {
    if (!(error instanceof InputError || error instanceof TypeError || error instanceof SyntaxError))
      throw error;
    throw new InputError(`damaged map: ${error.message}`, place);
  }
}

/** Between which answers two backends first placed differently. */
export interface MapDivergence {
  /** The last answer up to which all were the same, 0 for none, and its time. */
  readonly after: number;
  readonly afterNs: Nanoseconds;
  /** An answer by which one has differed, and its time; the first if it is `after` + 1. */
  readonly by: number;
  readonly byNs: Nanoseconds;
}

/**
 * Where the placements of two maps part, as distances from the first object of each class; undefined where they never
 * do, or cannot be compared: they must be of one workload and seed, and the same of its classes must be served.
 */
export function divergence(a: AddressMap, b: AddressMap): MapDivergence | undefined {
  const isComparable =
    a.file.workload === b.file.workload &&
    a.file.seed === b.file.seed &&
    a.file.answered.join() === b.file.answered.join();
  if (!isComparable) return undefined;
  const rungs = a.ladder();
  const others = b.ladder();
  const index = rungs.findIndex(({ digest }, rung) => digest !== others[rung]?.digest);
  if (index < 0) return undefined;
  const before = rungs[index - 1];
  const { answer, timeNs } = rungs[index]!;
  return { after: before?.answer ?? 0, afterNs: before?.timeNs ?? 0, by: answer, byNs: timeNs };
}
