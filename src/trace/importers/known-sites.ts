import { RepeatedBytes } from '../word-scan.js';

/** From behind the pointer to behind the size: two fields of a kmem event at most. */
const MAX_SIZE_BYTES = 64;
/** Lines of more call sites, or of longer ones, are read field by field. */
const MAX_SITES = 8192;
const MAX_HEAD_BYTES = 256;
/** Bits of what is remembered of the sites before; the last ones weigh most. */
const CONTEXT_MASK = 0xfff;
const CONTEXT_SHIFT = 4;

/** What the lines of one call site have in common on both sides of the pointer, byte for byte. */
export class KnownSite {
  /** `NAME: call_site=SITE ptr=`. */
  readonly head: RepeatedBytes;
  /** From behind the pointer to the byte behind the size's last digit, as the last line had it. */
  readonly sizeText = new RepeatedBytes(MAX_SIZE_BYTES);
  /** Bytes that `sizeText` says. */
  size = Number.NaN;

  constructor(
    /** Number of the call site. */
    readonly number: number,
    /** Number of the event's name. */
    readonly name: number,
    headBytes: number,
  ) {
    this.head = new RepeatedBytes(headBytes);
  }
}

/**
 * The call sites of kmem events, and a guess at which comes next: the one that came the last time after the same few.
 * A kernel allocates and frees in few orders, so that three guesses of four are right; one comparison then says what
 * otherwise takes several searches and two look-ups.
 */
export class KnownSites {
  private readonly sites: (KnownSite | undefined)[] = [];
  private readonly guesses = new Int32Array(CONTEXT_MASK + 1).fill(-1);
  private context = 0;

  /** The call site that is expected, if its head stands at `start`. */
  expected(view: DataView, start: number, end: number): KnownSite | undefined {
    const guess = this.guesses[this.context]!;
    if (guess < 0) return undefined;
    const site = this.sites[guess];
    return site?.head.standAt(view, start, end) === true ? site : undefined;
  }

  /** Says which call site it was. */
  passed(number: number): void {
    this.guesses[this.context] = number;
    this.context = ((this.context << CONTEXT_SHIFT) ^ number) & CONTEXT_MASK;
  }

  /** Makes a call site known by its head in [start, end), unless it is. */
  learn(number: number, name: number, view: DataView, start: number, end: number): void {
    if (number >= MAX_SITES || end - start > MAX_HEAD_BYTES) return;
    while (this.sites.length <= number) this.sites.push(undefined);
    if (this.sites[number] !== undefined) return;
    const site = new KnownSite(number, name, end - start);
    site.head.take(view, start, end);
    this.sites[number] = site;
  }
}
