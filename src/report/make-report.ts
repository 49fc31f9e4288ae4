import type { Block } from './content.js';
import { counted } from './notation.js';
import type { ReportData } from './report-data.js';
import { REPORT_SECTIONS } from './sections/registry.js';

/** A report as every format renders it. */
export interface Report {
  readonly title: string;
  readonly subtitle: string;
  readonly backends: readonly string[];
  readonly sections: readonly RenderedSection[];
}

export interface RenderedSection {
  readonly id: string;
  readonly title: string;
  readonly blocks: readonly Block[];
}

/** The report of a run: the sections that its results have something for. @throws InputError for broken tables. */
export function makeReport(data: ReportData, sections = REPORT_SECTIONS): Report {
  const { suite } = data.results.run;
  const { workloads, backends } = data;
  const counts = [
    counted(workloads.length, 'workload'),
    counted(backends.length, 'backend'),
    counted(data.seeds.length, 'seed'),
  ];
  return {
    title: suite.name,
    subtitle: [suite.description ?? '', counts.join(', ')].filter((text) => text !== '').join(' – '),
    backends,
    sections: sections.flatMap((section) => {
      const blocks = section.render(data);
      return blocks === undefined ? [] : [{ id: section.id, title: section.title, blocks }];
    }),
  };
}
