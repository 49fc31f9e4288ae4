import Table from 'cli-table3';

type Alignment = 'left' | 'right';

const NO_LINES = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
};

/** Rows as lines of aligned text, without rules, colours or trailing blanks; `gap` stands between columns. */
export function alignedLines(
  rows: readonly (readonly string[])[],
  alignments: readonly Alignment[],
  gap: string,
): string[] {
  const table = new Table({
    chars: { ...NO_LINES, middle: gap },
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [] },
    colAligns: [...alignments],
  });
  for (const row of rows) table.push([...row]);
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd());
}
