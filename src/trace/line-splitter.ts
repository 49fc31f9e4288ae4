const NEWLINE = 0x0a;
const RETURN = 0x0d;
/** No recorder writes longer lines; a file without line ends must not fill the memory. */
const MAX_LINE_BYTES = 1 << 20;

/** Lines whose ends are looked for before the first of them is read: of the length that is usual, they lie in a cache. */
const LINES_AT_A_TIME = 256;

/** What is done with each line. */
export interface LineHandler {
  /** A line without its line end. The bytes are valid during the call only. */
  line(bytes: Uint8Array, start: number, end: number): void;
  /** A last line that has no line end: it may have been cut anywhere. */
  cutLine(bytes: Uint8Array, start: number, end: number): void;
  /** A line longer than 1 MiB was left out. */
  overlongLine(): void;
}

/**
 * Cuts chunks of bytes into lines without making a string; a line that spans chunks is put together first. Handlers
 * always get plain Uint8Arrays: a mix with Buffers would make each access to a byte polymorphic.
 */
export class LineSplitter {
  lines = 0;
  private carry = new Uint8Array(64 * 1024);
  private carried = 0;
  private readonly ends = new Int32Array(LINES_AT_A_TIME);
  private overlong = false;

  constructor(private readonly handler: LineHandler) {}

  push(bytes: Uint8Array): void {
    const chunk = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const search = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    let start = 0;
    for (let count = this.find(search, 0); count > 0; count = this.find(search, start)) {
      start = this.cut(chunk, start, count);
    }
    this.keep(chunk, start, chunk.length);
  }

  /**
   * Finds the next line ends from `start`; returns how many. Not in the loop that reads the lines: what V8 compiles into
   * one piece is bounded, and all that Buffer.indexOf goes through is compiled only where there is little else.
   */
  private find(search: Buffer, start: number): number {
    const { ends } = this;
    let count = 0;
    let end = search.indexOf(NEWLINE, start);
    for (; end >= 0 && count < ends.length; end = search.indexOf(NEWLINE, end + 1)) ends[count++] = end;
    return count;
  }

  /** Hands on the lines that end at the first `count` of `ends`; returns where the next one begins. */
  private cut(chunk: Uint8Array, start: number, count: number): number {
    const { ends } = this;
    let from = start;
    for (let index = 0; index < count; index++) {
      const end = ends[index]!;
      if (this.carried > 0 || this.overlong) this.finishCarried(chunk, end);
      else this.emit(chunk, from, end);
      from = end + 1;
    }
    return from;
  }

  /** To be called once, behind the last chunk. */
  end(): void {
    if (this.overlong) this.handler.overlongLine();
    else if (this.carried > 0) this.handler.cutLine(this.carry, 0, this.carried);
    if (this.overlong || this.carried > 0) this.lines++;
  }

  private finishCarried(chunk: Uint8Array, end: number): void {
    this.keep(chunk, 0, end);
    if (this.overlong) {
      this.lines++;
      this.handler.overlongLine();
    } else {
      this.emit(this.carry, 0, this.carried);
    }
    this.carried = 0;
    this.overlong = false;
  }

  private emit(bytes: Uint8Array, start: number, end: number): void {
    this.lines++;
    const stop = end > start && bytes[end - 1] === RETURN ? end - 1 : end;
    this.handler.line(bytes, start, stop);
  }

  private keep(chunk: Uint8Array, start: number, end: number): void {
    const length = this.carried + end - start;
    if (this.overlong || length > MAX_LINE_BYTES) {
      this.overlong = true;
      this.carried = 0;
      return;
    }
    if (length > this.carry.length) {
      const larger = new Uint8Array(Math.max(length, this.carry.length * 2));
      larger.set(this.carry.subarray(0, this.carried));
      this.carry = larger;
    }
    this.carry.set(chunk.subarray(start, end), this.carried);
    this.carried = length;
  }
}
