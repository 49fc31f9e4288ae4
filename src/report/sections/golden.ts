import { visibleText } from '../../core/visible-text.js';
import type { ReportSection, TableCell } from '../content.js';
import { type GoldenAgreement, oraclesOf } from '../golden-agreement.js';
import type { ReportData } from '../report-data.js';

/** Whether the models place as the kernels' own code does. */
export const goldenSection: ReportSection = {
  id: 'golden',
  title: 'Agreement with the kernels’ own code',
  render: (data) => {
    const { golden } = data;
    if (golden.length === 0) return undefined;
    const isKnown = golden.every(({ passed }) => passed !== undefined);
    const text = isKnown
      ? 'Cases that record what the kernels’ own code answered, replayed by the program that made this report; every address and every checkpoint compared.'
      : 'Cases that record what the kernels’ own code answered. They were not replayed for this report; this does it:';
    return [
      { kind: 'paragraph', text },
      { kind: 'command', text: verifyCommand(golden) },
      {
        kind: 'table',
        caption: 'Golden cases of the models behind each backend',
        columns: [
          { name: 'backend', align: 'left', meaning: '' },
          { name: 'agreement', align: 'left', meaning: 'Golden cases in which nothing differs, of all.' },
        ],
        rows: rowsOf(data),
        notes: [],
      },
    ];
  },
};

function verifyCommand(golden: readonly GoldenAgreement[]): string {
  return ['kvabench verify', ...golden.map(({ cases }) => `test/golden/cases/${cases}`)].join(' ');
}

function rowsOf({ results, backends, golden }: ReportData): TableCell[][] {
  return backends.map((label, backend) => {
    const cell = results.cells.find((candidate) => visibleText(candidate.backend) === label);
    const names = cell === undefined ? [] : oraclesOf(cell.configuration);
    const known = golden.filter(({ cases }) => names.includes(cases));
    const text = known.map(agreementText).join(', ');
    return [
      { text: label, backend },
      { text: text === '' ? 'a comparator or of your own: no kernel to agree with' : text },
    ];
  });
}

function agreementText({ cases, count, passed }: GoldenAgreement): string {
  return passed === undefined ? `${cases}: ${count} cases` : `${cases}: ${passed}/${count} cases`;
}
