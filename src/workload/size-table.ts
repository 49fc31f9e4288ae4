import { InputError, MisuseError } from '../core/errors.js';
import { AliasTable, type RandomStream } from '../core/random.js';
import type { Bytes } from '../core/units.js';

/**
 * Sizes min, min + step, … up to max, drawn with equal chances or by a power law; or from two such ranges, each with
 * equal chances.
 */
export interface SizeOptions {
  readonly shape: 'uniform' | 'power-law' | 'bimodal';
  readonly minBytes: Bytes;
  readonly maxBytes: Bytes;
  readonly stepBytes: Bytes;
  /** Power law: the k-th size, counted from 1, has a chance proportional to k^−exponent; an integer from 1 to 4. */
  readonly exponent: number;
  /** Bimodal: the second range, in the same steps. */
  readonly large?: LargeSizes;
}

/** The second of two ranges of sizes. */
export interface LargeSizes {
  readonly minBytes: Bytes;
  readonly maxBytes: Bytes;
  /** Of 100 sizes, this many are of the second range: an integer from 1 to 99. */
  readonly percent: number;
}

/** Most sizes that a power law may have. */
const MAX_COLUMNS = 2 ** 16;

/** Weight of the first size: sums of 2^16 columns, times their number, stay below 2^53. */
const FIRST_WEIGHT = 2 ** 32;

/** Draws sizes. The table of a power law holds floor(2^32 / k^exponent): integers, the same in every engine. */
export class SizeTable {
  private readonly count: number;
  private readonly weights: AliasTable | null;
  private readonly large: LargeSizes | null;
  private readonly largeCount: number;

  /** @throws InputError if a range is empty, the sizes are no positive integers, or a power law has too many. */
  constructor(private readonly options: SizeOptions) {
    const { shape, minBytes, maxBytes, stepBytes, exponent } = options;
    requireSize(stepBytes, 'size_step');
    this.count = countSizes(minBytes, maxBytes, stepBytes, 'min_size', 'max_size');
    this.weights = shape === 'power-law' ? powerLaw(this.count, exponent) : null;
    this.large = shape === 'bimodal' ? requireLarge(options.large) : null;
    this.largeCount =
      this.large === null
        ? 0
        : countSizes(this.large.minBytes, this.large.maxBytes, stepBytes, 'large_min', 'large_max');
  }

  /** Smallest size that may be drawn. */
  get smallest(): Bytes {
    return Math.min(this.options.minBytes, this.large?.minBytes ?? Number.POSITIVE_INFINITY);
  }

  /** No larger size is drawn. */
  get largest(): Bytes {
    return Math.max(this.options.maxBytes, this.large?.maxBytes ?? 0);
  }

  draw(stream: RandomStream): Bytes {
    const { minBytes, stepBytes } = this.options;
    if (this.large !== null && stream.below(100) < this.large.percent) {
      return this.large.minBytes + stream.below(this.largeCount) * stepBytes;
    }
    const index = this.weights === null ? stream.below(this.count) : this.weights.draw(stream);
    return minBytes + index * stepBytes;
  }
}

function requireLarge(large: LargeSizes | undefined): LargeSizes {
  if (large === undefined) throw new MisuseError('bimodal sizes without their second range', {});
  if (Number.isInteger(large.percent) && large.percent >= 1 && large.percent <= 99) return large;
  throw new InputError(`${large.percent} is no share of one of two ranges`, {
    field: 'large_percent',
    allowed: 'an integer from 1 to 99',
  });
}

function countSizes(min: Bytes, max: Bytes, step: Bytes, minField: string, maxField: string): number {
  requireSize(min, minField);
  requireSize(max, maxField);
  if (max < min) throw new InputError(`${maxField} ${max} is below ${minField} ${min}`, { field: maxField });
  return Math.floor((max - min) / step) + 1;
}

function powerLaw(count: number, exponent: number): AliasTable {
  if (count > MAX_COLUMNS) {
    throw new InputError(`a power law over ${count} sizes`, {
      field: 'size_step',
      allowed: `a step that leaves at most ${MAX_COLUMNS} sizes between min_size and max_size`,
    });
  }
  if (!(Number.isInteger(exponent) && exponent >= 1 && exponent <= 4)) {
    throw new InputError(`${exponent} is no exponent`, { field: 'exponent', allowed: '1, 2, 3, 4' });
  }
  const weights = new Float64Array(count);
  for (let k = 1; k <= count; k++) {
    let power = k;
    for (let factor = 1; factor < exponent; factor++) power *= k;
    weights[k - 1] = Math.floor(FIRST_WEIGHT / power);
  }
  return new AliasTable(weights);
}

function requireSize(value: number, field: string): void {
  if (Number.isInteger(value) && value >= 1 && value <= 2 ** 53) return;
  throw new InputError(`${value} is no size`, { field, allowed: 'an integer from 1 to 2^53 bytes' });
}
