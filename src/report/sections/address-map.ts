import { visibleText } from '../../core/visible-text.js';
import type { DataTable, Paragraph, ReportSection } from '../content.js';
import { mapSection } from '../map/map-section.js';
import { mapStrip } from '../map/map-strip.js';
import { shownMaps } from '../map/shown-maps.js';
import type { StoredCell } from '../read-results.js';
import type { ReportData } from '../report-data.js';

/** Lines of a map for a terminal. */
const SLICES = 8;

/** What lay where over time, of runs with --map. */
export const addressMapSection: ReportSection = {
  id: 'map',
  title: 'Address space over time',
  render: (data) => {
    const { maps, leftOut } = shownMaps(data);
    if (maps.length === 0) return undefined;
    const { html, style, script } = mapSection(maps);
    const text = 'What lies where over time, as run --map recorded it. A page with the maps of all cells:';
    return [
      {
        kind: 'interactive',
        markup: html,
        scripts: [script],
        style,
        fallback: [
          { kind: 'paragraph', text },
          { kind: 'command', text: 'kvabench map DIR' },
          ...leftOutBlocks(data, leftOut),
        ],
        lines: (columns) =>
          maps.flatMap(({ map }, index) => [...(index > 0 ? [''] : []), ...mapStrip(map, columns, SLICES)]),
      },
    ];
  },
};

/** Which cells' maps the command shows and the page does not. */
function leftOutBlocks(data: ReportData, leftOut: readonly StoredCell[]): (DataTable | Paragraph)[] {
  const [first, ...others] = data.seeds;
  // Workloads of which the same are left out share a row.
  const workloads = new Map<string, string[]>();
  for (const workload of data.workloads) {
    const cells = leftOut.filter((cell) => cell.seed === first && visibleText(cell.workload) === workload);
    const names = cells.map(({ backend }) => visibleText(backend)).join(', ');
    if (names !== '') workloads.set(names, [...(workloads.get(names) ?? []), workload]);
  }
  const rows = [...workloads].map(([names, sharers]) => [{ text: sharers.join(', ') }, { text: names }]);
  const table: DataTable = {
    kind: 'table',
    caption: 'Maps that are left out here, for the size of the page',
    columns: [
      { name: 'workloads', align: 'left', meaning: '' },
      { name: 'backends', align: 'left', meaning: '' },
    ],
    rows,
    notes: [],
  };
  const text = `Shown are maps of seed ${first}; those of other seeds are left out: ${others.join(', ')}.`;
  return [
    ...(leftOut.some(({ seed }) => seed !== first) ? [{ kind: 'paragraph' as const, text }] : []),
    ...(rows.length === 0 ? [] : [table]),
  ];
}
