import { closest, distance } from 'fastest-levenshtein';
import { InputError, type InputPlace } from './errors.js';

/**
 * The error for a name that is not among `known`: it lists them, and suggests the nearest if a typing slip may have
 * led from one to the other. `kind` is the noun, for example `backend`;
 * `listed` is for names that are too many to list.
 */
export function unknownName(
  kind: string,
  name: string,
  known: readonly string[],
  place: InputPlace = {},
  listed = known,
): InputError {
  const nearest = known.length === 0 ? '' : closest(name, known);
  const slips = Math.max(2, Math.floor(name.length / 3));
  const hint = nearest !== '' && distance(name, nearest) <= slips ? `; did you mean '${nearest}'?` : '';
  return new InputError(`unknown ${kind} '${name}'${hint}`, { ...place, allowed: listed.join(', ') });
}
