import type { Aggregate, Column } from './contract.js';

type Better = Column['better'];

/** An exact column of bytes. */
export function bytesColumn(
  name: string,
  better: Better,
  description: string,
  aggregates: readonly Aggregate[] = [],
): Column {
  return { name, unit: 'bytes', kind: 'exact', better, description, aggregates };
}

/** An exact column that counts. */
export function countColumn(
  name: string,
  better: Better,
  description: string,
  aggregates: readonly Aggregate[] = [],
): Column {
  return { name, unit: 'count', kind: 'exact', better, description, aggregates };
}

/** An exact column that is a quotient of two exact integers, divided once in IEEE double precision. */
export function ratioColumn(
  name: string,
  better: Better,
  description: string,
  aggregates: readonly Aggregate[] = [],
): Column {
  return { name, unit: '1', kind: 'exact', better, description, aggregates };
}

/** A column of names. */
export function textColumn(name: string, description: string): Column {
  return { name, unit: 'text', kind: 'exact', better: 'none', description };
}

/** `part / whole`, or NaN (an empty field) where there is no whole. */
export function ratio(part: number, whole: number): number {
  return whole === 0 ? Number.NaN : part / whole;
}
