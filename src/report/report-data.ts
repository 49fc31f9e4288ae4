import { visibleText } from '../core/visible-text.js';
import type { GoldenAgreement } from './golden-agreement.js';
import type { Results } from './read-results.js';
import { repeatCommand } from './repeat-command.js';
import type { CellRows, StoredTable } from './stored-table.js';

/** Results as sections look at them: backends and workloads in the order of the run, each backend with a number. */
export class ReportData {
  /** Labels, fit for display. */
  readonly workloads: readonly string[];
  readonly backends: readonly string[];
  readonly seeds: readonly number[];

  constructor(
    readonly results: Results,
    readonly golden: readonly GoldenAgreement[],
  ) {
    this.workloads = distinct(results.cells.map(({ workload }) => visibleText(workload)));
    this.backends = distinct(results.cells.map(({ backend }) => visibleText(backend)));
    this.seeds = distinct(results.cells.map(({ seed }) => seed));
  }

  /** The number of a backend, by which it has the same colour in every figure. */
  backendNumber(label: string): number {
    return this.backends.indexOf(visibleText(label));
  }

  /** Rows of a table by workload and then by backend, a range for each seed. */
  cellsOf(table: StoredTable, workload: string): ReadonlyMap<number, readonly CellRows[]> {
    const found = new Map<number, CellRows[]>();
    for (const cell of table.byCell()) {
      if (visibleText(cell.workload) !== workload) continue;
      const backend = this.backendNumber(cell.backend);
      found.set(backend, [...(found.get(backend) ?? []), cell]);
    }
    return new Map([...found].sort(([a], [b]) => a - b));
  }

  /** The command line that gives the results of a workload. */
  commandFor(workload: string): string {
    const cells = this.results.cells.filter((cell) => visibleText(cell.workload) === workload);
    return repeatCommand(this.results.run, cells);
  }

  /** Which seeds figures are over, in words. */
  get seedText(): string {
    const { seeds } = this;
    return seeds.length === 1 ? `seed ${seeds[0]}` : `${seeds.length} seeds`;
  }
}

function distinct<T>(values: readonly T[]): T[] {
  return [...new Set(values)];
}
