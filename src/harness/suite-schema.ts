import { type Static, Type } from '@sinclair/typebox';

const label = Type.String({
  pattern: '^[A-Za-z0-9][A-Za-z0-9 ._+:=,()-]{0,79}$',
  description: 'What tables and result files call it; by default its name and the parameters given.',
});

const SWEEPS =
  'A parameter may be given several values: a list, or a range {from, to, step} or {from, to, times}; each combination is run.';

const workload = Type.Object(
  {
    workload: Type.String({ description: 'Name of a workload; `kvabench list workloads` prints them.' }),
    name: Type.Optional(label),
  },
  { additionalProperties: true, description: `A workload; the other keys are its parameters. ${SWEEPS}` },
);

const backend = Type.Object(
  {
    backend: Type.String({
      description:
        'Name of a backend; `kvabench list backends` prints them. Or the path of a file (.js, .mjs).',
    }),
    name: Type.Optional(label),
  },
  { additionalProperties: true, description: `A backend; the other keys are its parameters. ${SWEEPS}` },
);

/** A suite file: what is replayed against what. Published as workloads/suite.schema.json for editors. */
export const SUITE_SCHEMA = Type.Object(
  {
    name: Type.String({
      pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$',
      description: 'Name of the suite, and of its folder of results.',
    }),
    description: Type.Optional(Type.String()),
    workloads: Type.Array(Type.Union([Type.String(), workload]), {
      minItems: 1,
      description: 'Workloads. Relative paths start at the folder of this file.',
    }),
    backends: Type.Optional(
      Type.Array(Type.Union([Type.String(), backend]), {
        minItems: 1,
        description:
          'Backends; without this key all that are shipped, with their defaults. Relative paths start at the folder of this file.',
      }),
    ),
    seeds: Type.Optional(
      Type.Array(Type.Integer({ minimum: 0, maximum: 2 ** 32 - 1 }), {
        minItems: 1,
        uniqueItems: true,
        default: [1],
        description: 'Each workload runs once per seed.',
      }),
    ),
    runs: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 100_000,
        description: 'Each workload runs with the seeds 1, 2, … up to this number: instead of `seeds`.',
      }),
    ),
    samples: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 100_000,
        default: 200,
        description: 'Sample points, evenly spaced over the time of the workload; the last is its end.',
      }),
    ),
    cpus: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 4096,
        description: 'Simulated processors; by default as many as the workload uses.',
      }),
    ),
  },
  { additionalProperties: false, title: 'kvabench suite' },
);

/** Contents of a suite file. */
export type SuiteFile = Static<typeof SUITE_SCHEMA>;
