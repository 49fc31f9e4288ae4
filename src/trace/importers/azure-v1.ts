import { InputError } from '../../core/errors.js';
import { RandomStream } from '../../core/random.js';
import { GIB } from '../../core/units.js';
import type { Companion, ImportContext, ParsedText, TraceImporter } from '../importer.js';
import { firstLines } from './event-text.js';
import { FleetSchedule } from './fleet-schedule.js';
import { LineParser } from './line-parser.js';

/**
 * Arrivals of Azure's virtual machines (Azure Public Dataset V1) in 5-minute bins, as huaweicloud/trace_generation_rnn
 * publishes them. The input names the flavours of each bin; the lifetimes, the flavours' memory and the bins of
 * lifetimes are files of their own, told apart by their content. Arrivals are exact to 5 minutes and lifetimes to a
 * bin: a guest arrives at the beginning of its bin and lives to the middle of its lifetime's, or, with `seed`, to any
 * point of it.
 */
export const azureV1Importer: TraceImporter = {
  name: 'azure-v1',
  version: 1,
  summary: 'flavours of azure-v1 by 5-minute bins, with lifetimes and both maps as --with',
  sniff: (head) => FLAVOURS.test(firstLines(head)[0]!),
  start: (context) => new AzureParser(context),
};

const FLAVOURS = /^\d+ [a-z](,[a-z|])*,?$/;
const LIFETIMES = /^\d+ [UC]\d+(,|$)/;
const FLAVOUR_MAP = /^\d+,(\d+(?:\.\d+)?) ([a-z])$/;
const BIN_MAP = /^(\d+) (\d+)$/;
const BATCH_END = '|';

class AzureParser extends LineParser {
  private readonly fleet = new FleetSchedule();
  private readonly lifetimes: readonly string[];
  private readonly memory: ReadonlyMap<string, number>;
  private readonly bins: readonly number[];
  private readonly random: RandomStream | undefined;
  private guests = 0;

  constructor(context: ImportContext) {
    super(context);
    const { companions, options } = context;
    this.lifetimes = linesOf(find(companions, LIFETIMES, 'the lifetimes (1800000 U1,|,U4,...)', context));
    this.memory = flavourMemory(find(companions, FLAVOUR_MAP, 'the flavours (1,0.75 a)', context));
    this.bins = binEdges(find(companions, BIN_MAP, 'the bins of lifetimes (300 1)', context));
    this.random = options.seed > 0 ? new RandomStream(options.seed, 'azure-v1 lifetimes') : undefined;
  }

  end(): ParsedText {
    this.splitter.end();
    const { lines } = this.splitter;
    if (this.lifetimes.length > lines) this.skip('lifetimes-without-flavours', this.lifetimes.length - lines);
    const origin = this.fleet.emit(this.context);
    const events = { guests: this.guests };
    return { origin: String(origin / 1e9), clock: 'seconds, in bins of 300', cpuCount: 1, lines, events };
  }

  line(bytes: Uint8Array, start: number, end: number): void {
    this.context.skips.atLine(bytes, start, end);
    const [stamp, flavours] = Buffer.from(bytes.subarray(start, end)).toString('latin1').split(' ');
    const [lifeStamp, lives] = (this.lifetimes[this.splitter.lines - 1] ?? '').split(' ');
    const tokens = (flavours ?? '').split(',');
    const ages = (lives ?? '').split(',');
    const arrival = Number(stamp);
    if (stamp !== lifeStamp || tokens.length !== ages.length || !Number.isSafeInteger(arrival)) {
      this.skip('unparsed-line');
      return;
    }
    for (let index = 0; index < tokens.length; index++) {
      if (tokens[index] !== BATCH_END && tokens[index] !== '')
        this.guest(arrival, tokens[index]!, ages[index]!);
    }
  }

  override cutLine(bytes: Uint8Array, start: number, end: number): void {
    this.line(bytes, start, end);
  }

  private guest(arrival: number, flavour: string, life: string): void {
    const size = this.memory.get(flavour);
    const bin = Number(life.slice(1));
    const censored = life[0] === 'C';
    const known = censored || (life[0] === 'U' && bin + 1 < this.bins.length);
    if (size === undefined || !known || Number.isNaN(bin)) {
      this.skip('unparsed-guest');
      return;
    }
    this.guests++;
    const start = arrival * 1e9;
    this.fleet.add(start, censored ? Number.POSITIVE_INFINITY : start + this.lifetimeNs(bin), size);
  }

  private lifetimeNs(bin: number): number {
    const from = this.bins[bin]! * 1e9;
    const width = this.bins[bin + 1]! * 1e9 - from;
    return from + (this.random === undefined ? Math.floor(width / 2) : this.random.below(width));
  }
}

function linesOf(text: string): string[] {
  const lines = text.split(/\r?\n/);
  return lines.at(-1) === '' ? lines.slice(0, -1) : lines;
}

/** The companion whose first line has a form. @throws InputError if none or more than one has. */
function find(companions: readonly Companion[], form: RegExp, what: string, { file }: ImportContext): string {
  const found = companions.filter(({ text }) => form.test(linesOf(text.slice(0, 65_536))[0] ?? ''));
  if (found.length === 1) return found[0]!.text;
  throw new InputError(`needs ${what} beside it, once; it was given ${found.length} times`, {
    file,
    field: '--with',
  });
}

/** Bytes of each flavour. */
function flavourMemory(text: string): ReadonlyMap<string, number> {
  const rows = linesOf(text).map((line) => FLAVOUR_MAP.exec(line));
  return new Map(rows.flatMap((row) => (row === null ? [] : [[row[2]!, Number(row[1]) * GIB] as const])));
}

/** Seconds at which each bin begins, and at which the last one ends. */
function binEdges(text: string): number[] {
  const edges: number[] = [];
  let last = 0;
  for (const line of linesOf(text)) {
    const [, seconds, bin] = BIN_MAP.exec(line) ?? [];
    if (Number(bin) === edges.length) edges.push(Number(seconds));
    last = Number(seconds ?? last);
  }
  return [...edges, last];
}
