import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Static, Type } from '@sinclair/typebox';
import { InputError } from '../../core/errors.js';
import { attemptIo } from '../../core/files.js';
import { schemaProblem } from '../../harness/schema-check.js';
import { TIMING_PACKAGE } from '../record-timing.js';
import type { Side } from './side.js';

const ORIGIN_SCHEMA = Type.Object({
  timing: Type.Object({
    machine: Type.Record(Type.String(), Type.Union([Type.String(), Type.Number()])),
    cells: Type.Array(Type.Object({ id: Type.String(), configurationDigest: Type.String() })),
  }),
});

type TimingOrigin = Static<typeof ORIGIN_SCHEMA>['timing'];

/** The machine that measured the times of a side. @throws InputError if the description is broken. */
export function timedMachine(side: Side): TimingOrigin['machine'] {
  return originOf(side).machine;
}

/** Whether a side's times are of other configurations than its exact figures, as after --resume without --timing. */
export function timesOtherCells(side: Side): boolean {
  const digests = new Map(
    originOf(side).cells.map(({ id, configurationDigest }) => [id, configurationDigest]),
  );
  return side.cells.some(({ id, configurationDigest }) => {
    const timed = digests.get(id);
    return timed !== undefined && timed !== configurationDigest;
  });
}

function originOf({ results }: Side): TimingOrigin {
  const file = join(results.path, TIMING_PACKAGE);
  const text = attemptIo('cannot read', file, () => readFileSync(file, 'utf8'));
  // Results.open has parsed it before.
  const value: unknown = JSON.parse(text);
  const problem = schemaProblem(ORIGIN_SCHEMA, value);
  if (problem === undefined) return (value as Static<typeof ORIGIN_SCHEMA>).timing;
  const { path, text: what, allowed } = problem;
  throw new InputError(what, { file, field: path.join('.'), allowed });
}
