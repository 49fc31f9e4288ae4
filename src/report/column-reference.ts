import type { Column } from '../probe/contract.js';
import { fieldType } from './data-package.js';
import { RESULT_TABLES } from './tables.js';
import { TIMING_TABLES } from './timing-tables.js';

/** The Markdown tables of docs/results.md: every column of every file, from the declarations. */
export function columnReference(): string {
  return [...RESULT_TABLES, ...TIMING_TABLES]
    .map(
      ({ name, title, columns, key }) =>
        `### ${name}.csv\n\n${title}. Key: ${key.map((column) => `\`${column}\``).join(', ')}.\n\n${columnTable(columns)}`,
    )
    .join('\n');
}

function columnTable(columns: readonly Column[]): string {
  const rows = columns.map((column) => {
    const { name, unit, kind, better, description } = column;
    return `| \`${name}\` | ${unit} | ${fieldType(column)} | ${kind} | ${better} | ${description} |`;
  });
  const head = [
    '| column | unit | type | kind | better | meaning |',
    '| --- | --- | --- | --- | --- | --- |',
  ];
  return `${[...head, ...rows].join('\n')}\n`;
}
