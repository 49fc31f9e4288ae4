import { InputError } from '../../core/errors.js';
import { unknownName } from '../../core/suggest.js';
import type { Results, StoredCell } from '../read-results.js';

/** A finished cell of one side, and its row of summary.csv. */
export interface SideCell extends StoredCell {
  readonly row: number;
}

/** One folder in a comparison. */
export interface Side {
  readonly results: Results;
  /** Cells with a result, in the order of the folder. */
  readonly cells: readonly SideCell[];
}

/** A cell of the old side with the cell of the new side that is held against it. */
export interface CellPair {
  readonly workload: string;
  /** That of the new cell. */
  readonly backend: string;
  readonly seed: number;
  readonly old: SideCell;
  readonly new: SideCell;
}

/** What is compared with what. */
export interface Pairing {
  readonly old: Side;
  readonly new: Side;
  /** Label of the backend that the others of one folder are held against; undefined for two folders. */
  readonly baseline: string | undefined;
  readonly pairs: readonly CellPair[];
  /** Cells without a partner. */
  readonly onlyOld: readonly SideCell[];
  readonly onlyNew: readonly SideCell[];
}

/** One side of a comparison. @throws InputError if the table of summaries is broken. */
export function sideOf(results: Results): Side {
  const rows = new Map(
    results
      .table('summary')
      .byCell()
      .map((cell) => [keyOf(cell), cell.from]),
  );
  const cells = results.cells.flatMap((cell) => {
    const row = rows.get(keyOf(cell));
    return row === undefined ? [] : [{ ...cell, row }];
  });
  return { results, cells };
}

/** Matches the cells of two folders by workload, backend and seed. @throws InputError if none is in both. */
export function pairFolders(old: Side, new_: Side): Pairing {
  const partners = new Map(new_.cells.map((cell) => [keyOf(cell), cell]));
  const isOld = new Set(old.cells.map(keyOf));
  const pairs = old.cells.flatMap((cell) => {
    const partner = partners.get(keyOf(cell));
    return partner === undefined ? [] : [pairOf(cell, partner)];
  });
  if (pairs.length === 0) {
    throw new InputError(`no cell is in both: ${exampleOf(old)}, ${exampleOf(new_)}`, {
      file: new_.results.path,
      allowed: 'results that have a workload, a backend and a seed in common',
    });
  }
  return {
    old,
    new: new_,
    baseline: undefined,
    pairs,
    onlyOld: old.cells.filter((cell) => !partners.has(keyOf(cell))),
    onlyNew: new_.cells.filter((cell) => !isOld.has(keyOf(cell))),
  };
}

/**
 * Holds each backend of a folder against one of them, by workload and seed.
 * @throws InputError if there is no backend of this label, or nothing beside it.
 */
export function pairBackends(side: Side, baseline: string): Pairing {
  const path = side.results.path;
  const backends = [...new Set(side.cells.map(({ backend }) => backend))];
  if (!backends.includes(baseline)) {
    throw unknownName('backend', baseline, backends, { file: path, field: '--baseline' });
  }
  const olds = side.cells.filter(({ backend }) => backend === baseline);
  const others = side.cells.filter(({ backend }) => backend !== baseline);
  const partners = new Map(olds.map((cell) => [keyOf(cell), cell]));
  const partnerOf = (cell: SideCell) => partners.get(keyOf({ ...cell, backend: baseline }));
  const pairs = others.flatMap((cell) => {
    const partner = partnerOf(cell);
    return partner === undefined ? [] : [pairOf(partner, cell)];
  });
  if (pairs.length === 0) {
    const allowed = 'results of at least two backends on one workload and seed';
    throw new InputError(`nothing to hold against '${baseline}'`, { file: path, allowed });
  }
  return {
    old: side,
    new: side,
    baseline,
    pairs,
    onlyOld: olds.filter((cell) => !pairs.some(({ old }) => old === cell)),
    onlyNew: others.filter((cell) => partnerOf(cell) === undefined),
  };
}

/** `'churn' on 'illumos-vmem', seed 3`. */
export function cellName({
  workload,
  backend,
  seed,
}: Pick<StoredCell, 'workload' | 'backend' | 'seed'>): string {
  return `'${workload}' on '${backend}', seed ${seed}`;
}

/** Workload, backend and seed as one key. */
export function keyOf({
  workload,
  backend,
  seed,
}: Pick<StoredCell, 'workload' | 'backend' | 'seed'>): string {
  return JSON.stringify([workload, backend, seed]);
}

function pairOf(old: SideCell, new_: SideCell): CellPair {
  const { workload, backend, seed } = new_;
  return { workload, backend, seed, old, new: new_ };
}

function exampleOf({ results, cells }: Side): string {
  const [first] = cells;
  return first === undefined ? `${results.path} has none` : `${results.path} has ${cellName(first)}`;
}
