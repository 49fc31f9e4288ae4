import { InputError } from '../core/errors.js';
import { AliasTable, type RandomStream } from '../core/random.js';
import type { Bytes } from '../core/units.js';

/** Sizes min, min + step, … up to max, drawn with equal chances or by a power law. */
export interface SizeOptions {
  readonly shape: 'uniform' | 'power-law';
  readonly minBytes: Bytes;
  readonly maxBytes: Bytes;
  readonly stepBytes: Bytes;
  /** Power law: the k-th size, counted from 1, has a chance proportional to k^−exponent; an integer from 1 to 4. */
  readonly exponent: number;
}

/** Most sizes that a power law may have. */
const MAX_COLUMNS = 2 ** 16;

/** Weight of the first size: sums of 2^16 columns, times their number, stay below 2^53. */
const FIRST_WEIGHT = 2 ** 32;

/** Draws sizes. The table of a power law holds floor(2^32 / k^exponent): integers, the same in every engine. */
export class SizeTable {
  private readonly count: number;
  private readonly weights: AliasTable | null;

  /** @throws InputError if the range is empty, the sizes are no positive integers, or a power law has too many. */
  constructor(private readonly options: SizeOptions) {
    const { shape, minBytes, maxBytes, stepBytes } = options;
    requireSize(minBytes, 'min_size');
    requireSize(stepBytes, 'size_step');
    requireSize(maxBytes, 'max_size');
    if (maxBytes < minBytes) {
      throw new InputError(`max_size ${maxBytes} is below min_size ${minBytes}`, { field: 'max_size' });
    }
    this.count = Math.floor((maxBytes - minBytes) / stepBytes) + 1;
    this.weights = shape === 'uniform' ? null : powerLaw(this.count, options.exponent);
  }

  draw(stream: RandomStream): Bytes {
    const index = this.weights === null ? stream.below(this.count) : this.weights.draw(stream);
    return this.options.minBytes + index * this.options.stepBytes;
  }
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
