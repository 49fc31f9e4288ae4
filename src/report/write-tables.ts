import { removeFile, writeWhole } from '../core/files.js';
import type { Plan } from '../harness/plan.js';
import type { ResultFolder, StoredKey } from '../harness/result-folder.js';
import { dataPackage } from './data-package.js';
import { TableFile } from './table-file.js';
import { RESULT_TABLES, withParameters } from './tables.js';

/** The file that describes the tables. */
export const DATA_PACKAGE = 'datapackage.json';

/** Files that `writeTables` makes, those of optional tables among them. */
export const TABLE_FILES: readonly string[] = [
  ...RESULT_TABLES.map((table) => `${table.name}.csv`),
  DATA_PACKAGE,
];

/** What the tables depend on beside the stored cells. */
export interface TablePlan extends Pick<Plan, 'parameters'> {
  readonly suite: Pick<Plan['suite'], 'name' | 'description'>;
  readonly cells: readonly StoredKey[];
}

/**
 * Writes all tables and their description from the stored cells among `cells`, in this order, holding one in memory at
 * a time. Optional tables without a row are left out, and removed where an earlier version has left them.
 * @throws InputError if a cell is missing or a file cannot be written; then no table has changed.
 */
export function writeTables(folder: ResultFolder, plan: TablePlan, cells = plan.cells): void {
  const tables = RESULT_TABLES.map((table) => withParameters(table, plan.parameters));
  const files: TableFile[] = [];
  try {
    for (const table of tables) files.push(new TableFile(table, folder));
    for (const cell of cells) {
      const result = folder.readCell(cell);
      for (const [index, table] of tables.entries()) files[index]!.append(table.rows(result));
    }
  } catch (error) {
    for (const file of files) file.discard();
    throw error;
  }
  const written = files.flatMap((file, index) => {
    if (!(file.isEmpty && tables[index]!.isOptional === true)) return [file.complete()];
    file.discard();
    removeFile(folder.file(`${tables[index]!.name}.csv`));
    return [];
  });
  const description = dataPackage(plan.suite.name, plan.suite.description || plan.suite.name, written);
  writeWhole(folder.file(DATA_PACKAGE), `${JSON.stringify(description, null, 2)}\n`);
}
