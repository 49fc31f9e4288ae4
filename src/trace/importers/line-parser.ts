import type { ImportContext, ParsedText, TextParser } from '../importer.js';
import { type LineHandler, LineSplitter } from '../line-splitter.js';

/** What the parsers of line-by-line texts share: a last line that may have been cut anywhere is not used. */
export abstract class LineParser implements TextParser, LineHandler {
  protected readonly splitter = new LineSplitter(this);

  constructor(protected readonly context: ImportContext) {}

  abstract line(bytes: Uint8Array, start: number, end: number): void;
  abstract end(): ParsedText;

  push(chunk: Uint8Array): void {
    this.splitter.push(chunk);
  }

  cutLine(bytes: Uint8Array, start: number, end: number): void {
    this.context.skips.atLine(bytes, start, end);
    this.skip('cut-last-line');
  }

  overlongLine(): void {
    this.skip('overlong-line');
  }

  protected skip(reason: string, count = 1): void {
    this.context.skips.add(this.context.skips.row(reason), count);
  }
}
