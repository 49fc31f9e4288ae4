/**
 * In a page: a click on a column's heading sorts the table's rows by that column, a second click the other way round.
 * Without script the table stays as it was written.
 */
const numberOf = (text: string): number =>
  text.trim() === '' ? Number.NaN : Number(text.replaceAll(/[,%\s]/g, ''));

function compareCells(a: string, b: string): number {
  const x = numberOf(a);
  const y = numberOf(b);
  if (Number.isNaN(x) || Number.isNaN(y)) return a < b ? -1 : a > b ? 1 : 0;
  return x - y;
}

function sortBy(table: HTMLTableElement, column: number, ascending: boolean): void {
  const body = table.tBodies[0];
  if (body === undefined) return;
  const key = (row: HTMLTableRowElement): string => {
    const cell = row.cells[column];
    return cell?.dataset.value ?? cell?.textContent ?? '';
  };
  const rows = [...body.rows].sort((a, b) => compareCells(key(a), key(b)));
  body.append(...(ascending ? rows : rows.reverse()));
}

for (const table of document.querySelectorAll<HTMLTableElement>('table.sortable')) {
  for (const heading of table.querySelectorAll<HTMLTableCellElement>('thead th')) {
    heading.addEventListener('click', () => {
      const ascending = heading.getAttribute('aria-sort') !== 'ascending';
      for (const other of table.querySelectorAll('thead th')) other.removeAttribute('aria-sort');
      heading.setAttribute('aria-sort', ascending ? 'ascending' : 'descending');
      sortBy(table, heading.cellIndex, ascending);
    });
  }
}
