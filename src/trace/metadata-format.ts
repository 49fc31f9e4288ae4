import { type Static, Type } from '@sinclair/typebox';
import { Ajv } from 'ajv';
import { AddressSpace } from '../core/address.js';
import { InputError } from '../core/errors.js';
import { type ConstraintTable, constraintTable, REQUEST_CLASS_NAMES, RequestClass } from '../core/request.js';
import { FORMAT_VERSION, METADATA_KEY } from './arrow-format.js';
import type { TraceConstraint, TraceMetadata } from './trace.js';

/*
 * What a trace says about itself, checked by those who read one. Whoever only writes need not load it: the schema
 * library and the compiling of the schema take longer than a small import does.
 */

const Count = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
const HexAddress = Type.String({ pattern: '^0x[0-9a-f]{1,17}$' });
const MetadataSchema = Type.Object({
  formatVersion: Type.Literal(FORMAT_VERSION),
  name: Type.String(),
  provenance: Type.Object({
    source: Type.String(),
    sourceDigest: Type.String(),
    importer: Type.String(),
    options: Type.Record(Type.String(), Type.Union([Type.String(), Type.Number(), Type.Boolean()])),
    capture: Type.String(),
    licence: Type.String(),
    tool: Type.String(),
  }),
  origin: Type.String(),
  clock: Type.String(),
  eventCount: Count,
  durationNs: Count,
  objectLimit: Type.Integer({ minimum: 0, maximum: 2 ** 32 }),
  cpuCount: Type.Integer({ minimum: 0, maximum: 2 ** 16 }),
  allocations: Type.Record(Type.String(), Count),
  skipped: Type.Array(
    Type.Object({
      reason: Type.String(),
      cls: Type.String(),
      count: Count,
      samples: Type.Array(Type.String()),
    }),
  ),
  recordedEvents: Type.Optional(Type.Record(Type.String(), Count)),
  digest: Type.String({ pattern: '^[0-9a-f]{64}$' }),
  sites: Type.Array(Type.String()),
  constraints: Type.Array(
    Type.Object({
      align: Type.Optional(Count),
      phase: Type.Optional(Count),
      nocross: Type.Optional(Count),
      minAddress: Type.Optional(HexAddress),
      maxAddress: Type.Optional(HexAddress),
    }),
  ),
});
const checkMetadata = new Ajv({ allErrors: false }).compile<Static<typeof MetadataSchema>>(MetadataSchema);

/**
 * Reads the metadata of a trace.
 * @throws InputError where the text is no JSON, of another version of the format or not what metadata must be.
 */
export function parseMetadata(text: string, file: string): TraceMetadata {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new InputError(`metadata is no JSON: ${(error as Error).message}`, { file, field: METADATA_KEY });
  }
  const version = (value as { formatVersion?: unknown } | null)?.formatVersion;
  if (version !== FORMAT_VERSION) {
    throw new InputError(`trace format version ${String(version)} is unknown to this program`, {
      file,
      field: `${METADATA_KEY}.formatVersion`,
      allowed: String(FORMAT_VERSION),
    });
  }
  if (checkMetadata(value)) {
    refuseUnknownClass(value, file);
    return value;
  }
  const [problem] = checkMetadata.errors ?? [];
  const path = (problem?.instancePath ?? '').replaceAll('/', '.');
  throw new InputError(`metadata ${problem?.message ?? 'is wrong'}`, {
    file,
    field: `${METADATA_KEY}${path}`,
  });
}

/** Classes are appended to the list: a later version may have written one that this one does not know. */
function refuseUnknownClass({ allocations }: TraceMetadata, file: string): void {
  const unknown = Object.keys(allocations).find((name) => !Object.hasOwn(RequestClass, name));
  if (unknown === undefined) return;
  throw new InputError(`request class '${unknown}' is unknown to this program`, {
    file,
    field: `${METADATA_KEY}.allocations`,
    allowed: REQUEST_CLASS_NAMES.join(', '),
  });
}

/**
 * Constraint columns from the rows as stored.
 * @throws InputError if an address is outside the canonical address space.
 */
export function readConstraints(rows: readonly TraceConstraint[]): ConstraintTable {
  const space = AddressSpace.canonical;
  return constraintTable(
    rows.map(({ minAddress, maxAddress, ...lengths }) => ({
      ...lengths,
      ...(minAddress === undefined ? {} : { minAddress: space.toNumber(BigInt(minAddress)) }),
      ...(maxAddress === undefined ? {} : { maxAddress: space.endToNumber(BigInt(maxAddress)) }),
    })),
  );
}
