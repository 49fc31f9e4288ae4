import { InputError, type InputPlace } from '../core/errors.js';
import type { Kib } from './guest-definition.js';

const PREFIXES = ['k', 'm', 'g', 't', 'p', 'e'];

/** libvirt refuses more bytes than a signed 64-bit integer holds. */
const MOST_BYTES = (1n << 63n) - 1n;

const ALLOWED = 'b, bytes, k or KiB, KB, M or MiB, MB, and so with G, T, P, E';

/**
 * Bytes of a unit of libvirt's (virScaleInteger): `KiB` and `k` are 1024, `KB` is 1000; case does not matter.
 * @throws InputError for a unit that libvirt does not know.
 */
function unitBytes(unit: string, place: InputPlace): bigint {
  const name = unit.toLowerCase();
  if (name === 'b' || name === 'byte' || name === 'bytes') return 1n;
  const power = BigInt(PREFIXES.indexOf(name.charAt(0)) + 1);
  const rest = name.slice(1);
  if (power > 0n && (rest === '' || rest === 'ib')) return 1024n ** power;
  if (power > 0n && rest === 'b') return 1000n ** power;
  throw new InputError(`unknown unit '${unit}'`, { ...place, allowed: ALLOWED });
}

/**
 * A length of a domain definition in KiB, rounded up: KiB where no unit is named.
 * @throws InputError where the digits are none, the unit is unknown, or libvirt's arithmetic would not hold the bytes.
 */
export function scaledKib(digits: string, unit: string | undefined, place: InputPlace): Kib {
  const text = digits.trim();
  // Longer numbers than this cannot be in range, and are not worth converting.
  if (!/^\d{1,40}$/.test(text)) {
    throw new InputError(`'${text.slice(0, 60)}' is not a length`, {
      ...place,
      allowed: 'an integer with a unit',
    });
  }
  const bytes = BigInt(text) * unitBytes(unit ?? 'KiB', place);
  if (bytes > MOST_BYTES) {
    throw new InputError(`'${text} ${unit ?? 'KiB'}' is too large`, {
      ...place,
      allowed: `at most ${MOST_BYTES} bytes, as libvirt has it`,
    });
  }
  return (bytes + 1023n) / 1024n;
}

/** A length as one word, such as `8GiB`; KiB where no unit is named, as in libvirt's XML. @throws InputError */
export function parseMemory(text: string, place: InputPlace): Kib {
  const match = /^(\d+)\s*([a-z]*)$/i.exec(text.trim());
  if (match === null) {
    throw new InputError(`'${text}' is not a length`, {
      ...place,
      allowed: 'an integer with a unit, such as 8GiB',
    });
  }
  return scaledKib(match[1]!, match[2] === '' ? undefined : match[2], place);
}
