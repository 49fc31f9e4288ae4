import { visibleText } from '../../core/visible-text.js';
import { readMap } from '../../harness/map/address-map.js';
import { mapFileOf } from '../../harness/result-folder.js';
import type { StoredCell } from '../read-results.js';
import type { ReportData } from '../report-data.js';
import { type DrawnMap, drawMap, markupLength } from './map-section.js';

/** Characters of a report that are for maps, so that the whole stays below 5 MB. */
const ROOM = 2_000_000;

/** The maps of a run, as far as a report has room for them. */
export interface ShownMaps {
  /** By workload, then by backend. */
  readonly maps: readonly DrawnMap[];
  /** Cells whose maps are left out, in the order of the run. */
  readonly leftOut: readonly StoredCell[];
}

/** A cell with a map. */
interface Candidate {
  readonly cell: StoredCell;
  readonly path: string;
  readonly workload: number;
  readonly backend: number;
}

/**
 * Chooses maps of the first seed: that of every workload's first backend, then of its second and so on, until the room
 * is used up. Cells of which nothing was placed have nothing to show, and are not left out.
 * @throws InputError for a damaged map.
 */
export function shownMaps(data: ReportData, room = ROOM): ShownMaps {
  const candidates = candidatesOf(data);
  const shown: { candidate: Candidate; drawn: DrawnMap }[] = [];
  const done = new Set<Candidate>();
  let left = room;
  for (const candidate of candidates.toSorted((a, b) => a.backend - b.backend || a.workload - b.workload)) {
    if (candidate.cell.seed !== data.seeds[0]) continue;
    const map = readMap(candidate.path);
    const isCurrent = map.file.configurationDigest === candidate.cell.configurationDigest;
    if (map.rows.length === 0 || !isCurrent) {
      done.add(candidate);
      continue;
    }
    const drawn = drawMap(map);
    left -= markupLength(drawn);
    if (left < 0) break;
    done.add(candidate);
    shown.push({ candidate, drawn });
  }
  shown.sort((a, b) => a.candidate.workload - b.candidate.workload);
  return {
    maps: shown.map(({ drawn }) => drawn),
    leftOut: candidates.filter((candidate) => !done.has(candidate)).map(({ cell }) => cell),
  };
}

/** Cells with a map, in the order of the run. */
function candidatesOf(data: ReportData): Candidate[] {
  return data.results.cells.flatMap((cell) => {
    const path = cell.failure === undefined ? mapFileOf(data.results.path, cell.id) : undefined;
    if (path === undefined) return [];
    const workload = data.workloads.indexOf(visibleText(cell.workload));
    return [{ cell, path, workload, backend: data.backendNumber(cell.backend) }];
  });
}
