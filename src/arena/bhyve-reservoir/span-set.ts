import type { Bytes } from '../../core/units.js';
import { NIL } from '../avl-tree.js';
import { LengthIndex } from '../length-index.js';
import type { SpanIndex, SpanTable } from './span-table.js';

/** Spans of which none touches another, found by size and by where they end. */
export class SpanSet {
  bytes: Bytes = 0;
  /** Spans that became one with a neighbour, and spans that were cut. */
  merges = 0;
  splits = 0;
  private readonly bySize = new LengthIndex();
  /** Keyed by their ends, so that one search finds the neighbour below or else the one above. */
  private readonly byEnd = new LengthIndex();

  constructor(private readonly spans: SpanTable) {}

  get count(): number {
    return this.bySize.size;
  }

  get longest(): Bytes {
    return this.bySize.longest;
  }

  /** Spans visited by searches so far. */
  get steps(): number {
    return this.bySize.steps + this.byEnd.steps;
  }

  /** Enters a span, made one with the neighbours that it touches. */
  insert(span: SpanIndex): void {
    const { start, size } = this.spans;
    this.bytes += size[span]!;
    let near = this.byEnd.atLeast(start[span]!);
    if (near !== NIL && start[near]! + size[near]! === start[span]!) {
      const above = this.byEnd.after(near);
      this.withdraw(near);
      start[span] = start[near]!;
      this.absorb(span, near);
      near = above;
    }
    if (near !== NIL && start[near]! === start[span]! + size[span]!) {
      this.withdraw(near);
      this.absorb(span, near);
    }
    this.enter(span);
  }

  /**
   * Takes out the shortest span of at least `want` bytes, of several the lowest, cut to its upper `want` bytes. Where none
   * is so long, the longest, of several the highest, whole. The set must not be empty.
   */
  take(want: Bytes): SpanIndex {
    const { spans } = this;
    const fitting = this.bySize.atLeast(want);
    const span = fitting === NIL ? this.bySize.last() : fitting;
    const rest = spans.size[span]! - want;
    this.withdraw(span);
    if (rest <= 0) {
      this.bytes -= spans.size[span]!;
      return span;
    }
    this.bytes -= want;
    this.splits++;
    spans.size[span] = rest;
    this.enter(span);
    return spans.add(spans.start[span]! + rest, want);
  }

  /** Calls `visit` with each span in address order. */
  walk(visit: (start: Bytes, size: Bytes) => void): void {
    const { start, size } = this.spans;
    const { steps } = this.byEnd;
    for (let span = this.byEnd.seek(0, 0); span !== NIL; span = this.byEnd.after(span)) {
      visit(start[span]!, size[span]!);
    }
    this.byEnd.steps = steps;
  }

  /** Compares indexes and bytes with the spans; answers what is wrong, or '' if nothing is. */
  contradiction(): string {
    const problem = this.bySize.contradiction() || this.byEnd.contradiction();
    if (problem !== '') return problem;
    let bytes = 0;
    let end = -1;
    let wrong = '';
    let count = 0;
    this.walk((start, size) => {
      if (start <= end) wrong = `the span at ${start} is not merged with the one below`;
      end = start + size;
      bytes += size;
      count++;
    });
    if (wrong !== '') return wrong;
    if (count !== this.bySize.size) return `${count} spans by end, ${this.bySize.size} by size`;
    return bytes === this.bytes ? '' : `${bytes} bytes in spans, ${this.bytes} counted`;
  }

  private absorb(span: SpanIndex, other: SpanIndex): void {
    const { size } = this.spans;
    size[span]! += size[other]!;
    this.spans.drop(other);
    this.merges++;
  }

  private enter(span: SpanIndex): void {
    const { start, size } = this.spans;
    this.bySize.insert(span, size[span]!, start[span]!);
    this.byEnd.insert(span, start[span]! + size[span]!, 0);
  }

  private withdraw(span: SpanIndex): void {
    this.bySize.remove(span);
    this.byEnd.remove(span);
  }
}
