/** An entry's memory: its sticky words and the page that it was cut from. */
interface SlowEntry {
  words: string;
  readonly page: SlowPage | null;
}

interface SlowPage {
  at: number;
  readonly free: SlowEntry[];
  listed: boolean;
}

/** A mapped range, in pages. */
interface SlowRange {
  start: number;
  end: number;
  readonly attributes: string;
  entry: SlowEntry;
}

const ENTRIES_PER_PAGE = 29;

/**
 * The slow reference of a kernel map with entry pages: sorted arrays, every answer found page by page. A request's
 * words are q (quantum), n (nomerge), f (fixed); attributes are compared as text.
 */
export class SlowUvmMap {
  ranges: SlowRange[] = [];
  kept: SlowEntry[] = [];
  /** The newest page with free entries first. */
  private readonly pages: SlowPage[] = [];

  constructor(private readonly size: number) {}

  get freeEntries(): number {
    return this.pages.reduce((sum, page) => sum + page.free.length, 0);
  }

  /** The page that a request gets; null if there is none. */
  map(pages: number, align: number, hint: number | null, words: string, attributes: string): number | null {
    const entry = this.take();
    if (entry === null) return null;
    if (words.includes('q')) stick(entry, 'q');
    const start = this.find(pages, align, hint, words.includes('f'));
    if (start === null) this.give(entry);
    else this.enter(start, start + pages, words, attributes, entry);
    return start;
  }

  /** Whether an unmap would find an entry for each split; not so where bits have stuck to entries of other ranges. */
  canUnmap(start: number, end: number): boolean {
    const cuts = this.ranges
      .filter((range) => range.start < end && range.end > start && range.entry.words.includes('q'))
      .map((range) => Number(range.start < start) + Number(range.end > end));
    return cuts.reduce((sum, count) => sum + count, 0) <= this.kept.length;
  }

  unmap(start: number, end: number, isQuantum: boolean): void {
    const reserved = isQuantum ? [] : this.reserve();
    const dead: SlowEntry[] = [];
    for (const range of [...this.ranges]) {
      if (range.start >= end || range.end <= start) continue;
      const parts: SlowRange[] = [];
      const old = range.entry;
      if (range.start < start) parts.push({ ...range, end: start, entry: this.forSplit(old) });
      if (range.end > end) parts.push({ ...range, start: end, entry: this.forSplit(old) });
      this.ranges.splice(this.ranges.indexOf(range), 1, ...parts);
      dead.push(old);
    }
    for (const entry of reserved.reverse()) this.give(entry);
    for (const entry of dead.reverse()) this.give(entry);
  }

  /** One character per page: K for a page of entries, a letter for each other entry, a dot for a hole. */
  draw(): string {
    let letters = 0;
    const cells = Array<string>(this.size).fill('.');
    for (const { start, end, entry } of this.ranges) {
      cells.fill(entry.words.includes('K') ? 'K' : String.fromCharCode(97 + (letters++ % 26)), start, end);
    }
    return `[${cells.join('')}]`;
  }

  private isFree(start: number, end: number): boolean {
    return (
      start >= 0 && end <= this.size && this.ranges.every((range) => range.end <= start || range.start >= end)
    );
  }

  private find(pages: number, align: number, hint: number | null, isFixed: boolean): number | null {
    const from = hint ?? 0;
    if (isFixed) return hint !== null && this.isFree(from, from + pages) ? from : null;
    if (from >= this.size) return null;
    for (let page = from; page < this.size; page++) {
      if (page % Math.max(align, 1) === 0 && this.isFree(page, page + pages)) return page;
    }
    return null;
  }

  private enter(start: number, end: number, words: string, attributes: string, entry: SlowEntry): void {
    const agrees = (range: SlowRange) =>
      !words.includes('n') &&
      !range.entry.words.includes('n') &&
      range.entry.words.includes('q') === words.includes('q') &&
      range.attributes === attributes;
    const before = this.ranges.find((range) => range.end === start && agrees(range));
    const after = this.ranges.find((range) => range.start === end && agrees(range));
    if (before === undefined && after === undefined) {
      for (const word of 'qn') if (words.includes(word)) stick(entry, word);
      this.ranges.push({ start, end, attributes, entry });
      this.ranges.sort((a, b) => a.start - b.start);
      return;
    }
    if (before === undefined) after!.start = start;
    else before.end = after?.end ?? end;
    this.setAside(entry);
    if (before === undefined || after === undefined) return;
    this.ranges.splice(this.ranges.indexOf(after), 1);
    this.setAside(after.entry);
  }

  private setAside(entry: SlowEntry): void {
    if (entry.words.includes('q')) this.kept.push(entry);
    else this.give(entry);
  }

  private reserve(): SlowEntry[] {
    const first = this.take();
    const second = first && this.take();
    return [first, second].filter((entry) => entry !== null);
  }

  private forSplit(old: SlowEntry): SlowEntry {
    return (old.words.includes('q') ? this.kept.pop() : this.take())!;
  }

  private take(): SlowEntry | null {
    const [page] = this.pages;
    if (page === undefined) return this.takeFromNewPage();
    const entry = page.free.pop()!;
    if (page.free.length === 0) this.unlist(page);
    return entry;
  }

  private takeFromNewPage(): SlowEntry | null {
    const at = this.find(1, 0, null, false);
    if (at === null) return null;
    const page: SlowPage = { at, free: [], listed: true };
    this.enter(at, at + 1, 'n', 'all', { words: 'Kn', page: null });
    for (let count = 2; count < ENTRIES_PER_PAGE; count++) page.free.push({ words: '', page });
    this.pages.unshift(page);
    return { words: '', page };
  }

  private give(entry: SlowEntry): void {
    const page = entry.page!;
    page.free.push(entry);
    if (!page.listed) {
      this.pages.unshift(page);
      page.listed = true;
    }
    if (page.free.length < ENTRIES_PER_PAGE - 1 || this.pages.length === 1) return;
    this.unlist(page);
    this.ranges = this.ranges.filter(({ start }) => start !== page.at);
  }

  private unlist(page: SlowPage): void {
    this.pages.splice(this.pages.indexOf(page), 1);
    page.listed = false;
  }
}

function stick(entry: SlowEntry, word: string): void {
  if (!entry.words.includes(word)) entry.words += word;
}
