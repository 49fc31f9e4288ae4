import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { onTestFinished } from 'vitest';
import { SHIPPED_CASES } from '../../src/harness/golden/find-cases.js';

/** A directory of its own that is removed when the test ends. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'kvabench-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** A copy of a shipped golden case that a test may damage. */
export class CaseCopy {
  readonly directory: string;

  constructor(name: string, oracle = 'illumos-vmem') {
    this.directory = join(temporaryDirectory(), name);
    cpSync(join(SHIPPED_CASES, oracle, name), this.directory, { recursive: true });
  }

  path(file: string): string {
    return join(this.directory, file);
  }

  /** Changes the text of a file, packed if its name ends in .gz. */
  edit(file: string, change: (text: string) => string): this {
    const isPacked = file.endsWith('.gz');
    const bytes = readFileSync(this.path(file));
    const text = (isPacked ? gunzipSync(bytes) : bytes).toString('utf8');
    const changed = change(text);
    if (changed === text) throw new Error(`the damage to ${file} changes nothing`);
    writeFileSync(this.path(file), isPacked ? gzipSync(changed) : changed);
    return this;
  }

  /** Changes one field of line `line` (1 = header) of a CSV file. */
  editField(file: string, line: number, column: string, value: string): this {
    return this.edit(file, (text) => {
      const lines = text.split('\n');
      const fields = lines[line - 1]!.split(',');
      const position = lines[0]!.split(',').indexOf(column);
      if (position < 0) throw new Error(`${file} has no column ${column}`);
      fields[position] = value;
      lines[line - 1] = fields.join(',');
      return lines.join('\n');
    });
  }

  /** Cuts a file down to its first half. */
  truncate(file: string): this {
    const bytes = readFileSync(this.path(file));
    writeFileSync(this.path(file), bytes.subarray(0, bytes.length >> 1));
    return this;
  }

  remove(file: string): this {
    rmSync(this.path(file));
    return this;
  }
}
