import { type SchemaOptions, type Static, Type } from '@sinclair/typebox';

const name = Type.String({
  pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$',
  description: 'Name of the workload: what tables and result files call it.',
});
const description = Type.Optional(Type.String());
const workload = Type.String({ description: 'Name of a workload; `kvabench list workloads` prints them.' });

const time = Type.Union([Type.String(), Type.Integer({ minimum: 0 })]);
const times = (options: SchemaOptions) => Type.Union([time, Type.Array(time, { minItems: 1 })], options);

/** One workload with its parameters under a name. */
export const SINGLE_SCHEMA = Type.Object(
  { name, description, workload },
  { additionalProperties: true, description: 'One workload; the other keys are its parameters.' },
);

/** Several workloads that run together. */
export const COMBINATION_SCHEMA = Type.Object(
  {
    name,
    description,
    parts: Type.Array(
      Type.Object(
        {
          workload,
          name: Type.Optional(
            Type.String({
              pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$',
              description: 'Name of the part, from which its seeds come; by default that of the workload.',
            }),
          ),
          start: Type.Optional(
            times({
              default: 0,
              description: 'Time of its start such as 10s, or ascending times: it runs anew at each.',
            }),
          ),
          stop: Type.Optional(
            times({ description: 'From then on it asks for nothing; one time, or one for each start.' }),
          ),
          keep: Type.Optional(
            Type.Boolean({
              default: false,
              description: 'What is live when it stops stays so; by default it is freed.',
            }),
          ),
        },
        { additionalProperties: true, description: 'A part; the other keys are parameters of its workload.' },
      ),
      { minItems: 1, description: 'Workloads that run on one clock, in one address space.' },
    ),
  },
  { additionalProperties: false },
);

/** A workload file. Published as workloads/workload.schema.json for editors. */
export const WORKLOAD_SCHEMA = Type.Union([SINGLE_SCHEMA, COMBINATION_SCHEMA], {
  title: 'kvabench workload',
});

/** Contents of a file with `parts`. */
export type CombinationFile = Static<typeof COMBINATION_SCHEMA>;

/** Contents of a file without. */
export type SingleFile = Static<typeof SINGLE_SCHEMA>;
