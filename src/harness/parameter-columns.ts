import type { TSchema } from '@sinclair/typebox';
import type { Column, Field } from '../probe/contract.js';
import type { Component } from './component.js';
import { type ParameterValue, schemaTypes } from './parameters.js';
import { type Definition, findDefinition, type Registries } from './registries.js';
import type { Suite } from './suite.js';

/** A parameter that a suite varies, as a column of its tables. */
export interface ParameterColumn {
  readonly role: 'workload' | 'backend';
  /** Name of the parameter. */
  readonly parameter: string;
  /** Called `role.parameter`. */
  readonly column: Column;
}

/** The parameters that any component of a suite varies: those of workloads first, in the order of the suite. */
export function parameterColumns(
  suite: Pick<Suite, 'workloads' | 'backends'>,
  registries: Registries,
): ParameterColumn[] {
  return [
    ...columnsOf('workload', suite.workloads, registries.workloads),
    ...columnsOf('backend', suite.backends, registries.backends),
  ];
}

/**
 * The value of such a parameter in a cell of this configuration, whether it varies there or not; empty where workload
 * or backend have no such parameter.
 */
export function parameterField(
  { role, parameter, column }: ParameterColumn,
  configuration: Readonly<Record<string, unknown>>,
): Field {
  const { parameters } = configuration[role] as { parameters: Readonly<Record<string, ParameterValue>> };
  const value = parameters[parameter];
  if (column.unit !== 'text') return value === undefined ? Number.NaN : Number(value);
  if (value === undefined) return '';
  return Array.isArray(value) ? value.join('+') : String(value);
}

function columnsOf(
  role: ParameterColumn['role'],
  components: readonly Component[],
  definitions: readonly Definition[],
): ParameterColumn[] {
  const names = new Set(components.flatMap(({ swept }) => swept));
  return [...names].map((parameter) => {
    const owners = new Set(components.map(({ name }) => name));
    const schemas = [...owners].flatMap((owner) => {
      const schema = findDefinition(role, owner, definitions).parameters.properties[parameter];
      return schema === undefined ? [] : [schema];
    });
    return { role, parameter, column: columnOf(role, parameter, schemas) };
  });
}

/** Where definitions disagree about the kind of a parameter of one name, it is text. */
function columnOf(role: string, parameter: string, schemas: readonly TSchema[]): Column {
  const units = new Set(schemas.map(unitOf));
  return {
    name: `${role}.${parameter}`,
    unit: units.size === 1 ? [...units][0]! : 'text',
    kind: 'exact',
    better: 'none',
    description: `Parameter of the ${role}: ${schemas[0]!.description ?? parameter}`,
  };
}

function unitOf(schema: TSchema): Column['unit'] {
  if (schema.format === 'bytes') return 'bytes';
  const types = schemaTypes(schema);
  if (types.every((type) => type === 'integer')) return 'count';
  return types.every((type) => type === 'integer' || type === 'number') ? '1' : 'text';
}
