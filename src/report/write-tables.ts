import { createHash } from 'node:crypto';
import { GrowingFile, writeWhole } from '../core/files.js';
import type { CellResult } from '../harness/cell.js';
import type { Plan } from '../harness/plan.js';
import type { ResultFolder } from '../harness/result-folder.js';
import { csvText } from './csv.js';
import { dataPackage, type WrittenTable } from './data-package.js';
import { RESULT_TABLES, type ResultTable, withParameters } from './tables.js';

const DATA_PACKAGE = 'datapackage.json';

/** Files that `writeTables` makes. */
export const TABLE_FILES: readonly string[] = [
  ...RESULT_TABLES.map((table) => `${table.name}.csv`),
  DATA_PACKAGE,
];

/**
 * Writes all tables and their description from the stored cells among `cells`, in this order, holding one in memory at
 * a time.
 * @throws InputError if a cell is missing or a file cannot be written; then no table has changed.
 */
export function writeTables(folder: ResultFolder, plan: Plan, cells = plan.cells): void {
  const files: TableFile[] = [];
  try {
    for (const table of RESULT_TABLES) {
      files.push(new TableFile(withParameters(table, plan.parameters), folder.file(`${table.name}.csv`)));
    }
    for (const file of files) file.begin();
    for (const cell of cells) {
      const result = folder.readCell(cell);
      for (const file of files) file.append(result);
    }
  } catch (error) {
    for (const file of files) file.discard();
    throw error;
  }
  const written = files.map((file) => file.complete());
  const description = dataPackage(plan.suite.name, plan.suite.description || plan.suite.name, written);
  writeWhole(folder.file(DATA_PACKAGE), `${JSON.stringify(description, null, 2)}\n`);
}

class TableFile {
  private readonly table: ResultTable;
  private readonly file: GrowingFile;
  private readonly hash = createHash('sha256');
  private bytes = 0;

  constructor(table: ResultTable, path: string) {
    this.table = table;
    this.file = new GrowingFile(path);
  }

  begin(): void {
    this.write(csvText([this.table.columns.map(({ name }) => name)]));
  }

  append(result: CellResult): void {
    this.write(csvText(this.table.rows(result)));
  }

  discard(): void {
    this.file.discard();
  }

  complete(): WrittenTable {
    this.file.complete();
    return { table: this.table, bytes: this.bytes, digest: this.hash.digest('hex') };
  }

  private write(text: string): void {
    this.file.append(text);
    this.hash.update(text);
    this.bytes += Buffer.byteLength(text);
  }
}
