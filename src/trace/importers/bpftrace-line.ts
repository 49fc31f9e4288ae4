import type { ImportContext, ParsedText } from '../importer.js';
import { RecordedClock } from '../recorded-clock.js';
import { digitsEnd, SPACE, scanHexAddress, scanInteger, spacesEnd, startsWith } from '../text-scan.js';
import { Decoded, LinuxRequests } from './linux-requests.js';

const MAX_CPU = 65_535;
/** No event has more values. */
const MAX_VALUES = 3;

/** Reads one event from the values of a BpftraceLine. */
type Decoder = (line: BpftraceLine) => Decoded;

const EVENTS: readonly { readonly name: string; readonly bytes: Uint8Array; readonly decode: Decoder }[] =
  Object.entries<Decoder>({
    kmalloc: (line) => line.kmemAlloc(true),
    kmem_cache_alloc: (line) => line.kmemAlloc(false),
    kfree: (line) => line.kmemFree(),
    kmem_cache_free: (line) => line.kmemFree(),
    alloc_vmap_area: (line) => line.vmapAlloc(),
    free_vmap_area_noflush: (line) => line.vmapFree(),
    mm_page_alloc: (line) => line.pageAlloc(),
    mm_page_free: (line) => line.pageFree(),
  }).map(([name, decode]) => ({ name, bytes: Uint8Array.from(Buffer.from(` ${name} 0x`)), decode }));

/**
 * A line that a bpftrace script printed: `NSECS CPU TID COMM EVENT 0xKEY VALUES`, where the values are bytes_req and
 * bytes_alloc of an allocation of kmem, size and alignment of an area, the order of a page block, nothing for a free.
 */
export class BpftraceLine extends LinuxRequests {
  private readonly clock: RecordedClock;
  private readonly counts = EVENTS.map(() => 0);
  private readonly values = new Float64Array(MAX_VALUES);
  private key = Number.NaN;

  constructor(context: ImportContext) {
    super(context);
    this.clock = new RecordedClock(1);
  }

  /** Reads the line in bytes[start, end) and hands its event on. Returns whether it was one. */
  read(bytes: Uint8Array, start: number, end: number): boolean {
    const stampEnd = digitsEnd(bytes, start, end);
    const cpuEnd = digitsEnd(bytes, stampEnd + 1, end);
    const tidEnd = digitsEnd(bytes, cpuEnd + 1, end);
    const { event } = this;
    event.cpu = scanInteger(bytes, stampEnd + 1, cpuEnd);
    event.pid = scanInteger(bytes, cpuEnd + 1, tidEnd);
    if (!(event.cpu <= MAX_CPU && event.pid >= 0 && bytes[tidEnd] === SPACE)) return false;
    for (let at = tidEnd + 2; at < end; at++) {
      const kind = bytes[at] === SPACE ? eventAt(bytes, at, end) : -1;
      if (kind < 0) continue;
      if (!this.clock.read(bytes, start, stampEnd)) return false;
      return this.readEvent(kind, bytes, at, end);
    }
    return false;
  }

  /** What is known at the end; `lines` is the number of lines of the text. */
  result(lines: number): ParsedText {
    const named = EVENTS.map(({ name }, kind): [string, number] => [name, this.counts[kind]!]);
    const events = Object.fromEntries(named.filter(([, count]) => count > 0));
    return { origin: this.clock.origin, clock: 'nanoseconds since boot', cpuCount: 0, lines, events };
  }

  kmemAlloc(mayRepeat: boolean): Decoded {
    const index = this.context.options.kmemSize === 'requested' ? 0 : 1;
    return this.kmemAllocated(this.key, this.values[index]!, mayRepeat);
  }

  kmemFree(): Decoded {
    return this.kmemFreed(this.key);
  }

  vmapAlloc(): Decoded {
    return this.vmapAllocated(this.key, this.values[0]!, this.values[1]!);
  }

  vmapFree(): Decoded {
    return this.vmapFreed(this.key);
  }

  pageAlloc(): Decoded {
    return this.pageAllocated(this.key, this.values[0]!);
  }

  pageFree(): Decoded {
    return this.pageFreed(this.key);
  }

  private readEvent(kind: number, bytes: Uint8Array, at: number, end: number): boolean {
    const { bytes: text, decode } = EVENTS[kind]!;
    const keyStart = at + text.length - 2;
    this.key = scanHexAddress(bytes, keyStart, end);
    let from = keyStart;
    for (let index = 0; index < MAX_VALUES; index++) {
      while (from < end && bytes[from] !== SPACE) from++;
      from = spacesEnd(bytes, from, end);
      this.values[index] = scanInteger(bytes, from, end);
    }
    const { event } = this;
    event.timeNs = this.clock.nowNs;
    event.site = -1;
    if (decode(this) !== Decoded.done) return false;
    this.counts[kind]!++;
    return true;
  }
}

/** Number of the event whose name and key stand at the space `at`, -1 if there is none. */
function eventAt(bytes: Uint8Array, at: number, end: number): number {
  for (let kind = 0; kind < EVENTS.length; kind++) {
    if (startsWith(bytes, EVENTS[kind]!.bytes, at, end)) return kind;
  }
  return -1;
}
