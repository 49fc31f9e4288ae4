import { writeWhole } from '../core/files.js';
import type { Plan } from '../harness/plan.js';
import type { ResultFolder } from '../harness/result-folder.js';
import { dataPackage } from './data-package.js';
import { TableFile } from './table-file.js';
import { RESULT_TABLES } from './tables.js';

const DATA_PACKAGE = 'datapackage.json';

/** Files that `writeTables` makes. */
export const TABLE_FILES: readonly string[] = [
  ...RESULT_TABLES.map((table) => `${table.name}.csv`),
  DATA_PACKAGE,
];

/**
 * Writes all tables and their description from the stored cells, in the order of the plan, holding one cell in
 * memory at a time.
 * @throws InputError if a cell is missing or a file cannot be written.
 */
export function writeTables(folder: ResultFolder, plan: Plan): void {
  const files = RESULT_TABLES.map((table) => ({ table, file: new TableFile(table, folder) }));
  for (const cell of plan.cells) {
    const result = folder.readCell(cell);
    for (const { table, file } of files) file.append(table.rows(result));
  }
  const written = files.map(({ file }) => file.complete());
  const description = dataPackage(plan.suite.name, plan.suite.description || plan.suite.name, written);
  writeWhole(folder.file(DATA_PACKAGE), `${JSON.stringify(description, null, 2)}\n`);
}
