import { createHash } from 'node:crypto';
import { COLUMNS } from './columns.js';
import type { TraceBlock, TraceMetadata } from './trace.js';

/**
 * Digest of a trace's content that does not depend on how the rows are cut into blocks: one sha256 per column over
 * its little-endian values in event order, then one over these nine, in the order of COLUMNS, and over the tables
 * that the columns `constraint` and `site` point into (as JSON).
 */
export class TraceDigest {
  private readonly hashes = COLUMNS.map(() => createHash('sha256'));

  /** Adds the rows of the next block. */
  update(block: TraceBlock): void {
    for (let index = 0; index < COLUMNS.length; index++) {
      const column = block[COLUMNS[index]!.name];
      const bytes = block.length * column.BYTES_PER_ELEMENT;
      this.hashes[index]!.update(new Uint8Array(column.buffer, column.byteOffset, bytes));
    }
  }

  /** Digest as 64 hexadecimal digits; to be called once. */
  finish(tables: Pick<TraceMetadata, 'constraints' | 'sites'>): string {
    const total = createHash('sha256');
    for (const hash of this.hashes) total.update(hash.digest());
    total.update(JSON.stringify([tables.constraints, tables.sites]));
    return total.digest('hex');
  }
}
