import { createHash } from 'node:crypto';
import { GrowingFile } from '../core/files.js';
import type { ResultFolder } from '../harness/result-folder.js';
import type { Field } from '../probe/contract.js';
import { csvText } from './csv.js';
import type { TableDescription, WrittenTable } from './data-package.js';

/** A table that is written row by row and appears in the folder when it is complete. */
export class TableFile {
  private readonly table: TableDescription;
  private readonly file: GrowingFile;
  private readonly hash = createHash('sha256');
  private bytes = 0;
  private rows = 0;

  /** @throws InputError when it cannot be written. */
  constructor(table: TableDescription, folder: ResultFolder) {
    this.table = table;
    this.file = new GrowingFile(folder.file(`${table.name}.csv`));
    this.write(csvText([table.columns.map(({ name }) => name)]));
  }

  /** Adds rows in the order of the table's columns. @throws InputError when they cannot be written. */
  append(rows: readonly (readonly Field[])[]): void {
    this.rows += rows.length;
    this.write(csvText(rows));
  }

  get isEmpty(): boolean {
    return this.rows === 0;
  }

  /** Gives up what was written. */
  discard(): void {
    this.file.discard();
  }

  /** Gives the file its name. @throws InputError when it cannot be renamed. */
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
