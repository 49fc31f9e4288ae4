import type { Block, ReportSection, TableCell } from '../content.js';
import type { StoredCell } from '../read-results.js';
import { suiteCommand } from '../repeat-command.js';
import type { ReportData } from '../report-data.js';

/** Where the figures come from. What differs between two runs of the same (start, machine) is left to run.json. */
export const provenanceSection: ReportSection = {
  id: 'provenance',
  title: 'Provenance',
  render: (data) => {
    const { run } = data.results;
    const command = suiteCommand(run);
    const facts: readonly (readonly [string, string])[] = [
      ['suite', run.suite.name],
      ['description', run.suite.description ?? ''],
      ['sha256 of the suite’s file', run.suite.sha256],
      ['kvabench', run.version],
      ['commit', run.commit],
      ['seeds', data.seeds.join(', ')],
      ['samples per cell', String(run.suite.samples)],
    ];
    const repeat: Block[] = command === '' ? [] : [{ kind: 'command', text: command }];
    return [
      {
        kind: 'table',
        caption: 'The run',
        columns: [
          { name: 'what', align: 'left', meaning: '' },
          { name: 'value', align: 'left', meaning: '' },
        ],
        rows: facts.filter(([, value]) => value !== '').map((fact) => fact.map((text) => ({ text }))),
        notes: [
          'run.json in the folder of results has the machine, the time and the whole configuration of every cell.',
        ],
      },
      ...repeat,
      configurations(data, 'workload'),
      configurations(data, 'backend'),
      digests(data),
    ];
  },
};

function configurations(data: ReportData, kind: 'workload' | 'backend'): Block {
  const seen = new Map<string, StoredCell>();
  for (const cell of data.results.cells) if (!seen.has(cell[kind])) seen.set(cell[kind], cell);
  return {
    kind: 'table',
    caption: `Configuration of each ${kind}`,
    columns: [
      { name: kind, align: 'left', meaning: '' },
      { name: 'configuration', align: 'left', meaning: '' },
    ],
    rows: [...seen].map(([label, { configuration }]) => [
      { text: label, ...(kind === 'backend' ? { backend: data.backendNumber(label) } : {}) },
      { text: pairsOf(configuration[kind]) },
    ]),
    notes: [],
  };
}

/** Parameters and input digests of a component as `key=value`. */
function pairsOf(component: unknown): string {
  const { name, parameters = {}, provenance = {} } = component as Readonly<Record<string, object | string>>;
  const pairs = { ...(provenance as object), ...(parameters as object) };
  const texts = Object.entries(pairs).map(
    ([key, value]) => `${key}=${typeof value === 'object' ? JSON.stringify(value) : String(value)}`,
  );
  return [String(name), ...texts].join(' ');
}

function digests(data: ReportData): Block {
  const table = data.results.table('summary');
  const [workloads, backends, results] = ['workload', 'backend', 'result_digest'].map((name) =>
    table.texts(name),
  );
  const seeds = table.numbers('seed');
  return {
    kind: 'table',
    caption: 'Digests of the exact results',
    columns: [
      { name: 'workload', align: 'left', meaning: '' },
      { name: 'backend', align: 'left', meaning: '' },
      { name: 'seed', align: 'right', meaning: '' },
      { name: 'result digest', align: 'left', meaning: table.field('result_digest')!.description },
    ],
    rows: [...seeds.keys()].map((row): TableCell[] => [
      { text: workloads![row]! },
      { text: backends![row]!, backend: data.backendNumber(backends![row]!) },
      { text: String(seeds[row]!), value: seeds[row]! },
      { text: results![row]!.slice(0, 16) },
    ]),
    notes: [],
  };
}
