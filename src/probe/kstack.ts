import { bytesColumn, countColumn, ratio, ratioColumn } from './column.js';
import type { Column, Probe, RunView } from './contract.js';

/** Page frames of a reservation. */
const PAGES_PER_RESERVATION = 512;

const COLUMNS: readonly Column[] = [
  countColumn('stack_objects', 'less', 'VM objects that hold pages of kernel stacks.', ['peak']),
  bytesColumn('stack_object_bytes', 'less', 'Bytes of these objects and of the nodes of their page tries.', [
    'peak',
  ]),
  countColumn('stack_trie_nodes', 'less', 'Nodes of the page tries of these objects.', ['peak']),
  countColumn(
    'stack_index_span',
    'less',
    'Indices from the lowest to the highest resident page of the object that stacks share.',
  ),
  countColumn('stack_index_holes', 'less', 'Of these, indices without a resident page.'),
  countColumn(
    'stack_reservations',
    'none',
    'Reservations of 512 page frames that stacks have touched and not given back.',
    ['peak'],
  ),
  countColumn('stack_reservations_full', 'more', 'Of these, reservations whose pages are all in use.'),
  countColumn('stack_reservations_partial', 'less', 'Of these, reservations with pages that are not in use.'),
  ratioColumn('stack_reservation_fill', 'more', 'Pages in use / pages of all these reservations.'),
  ratioColumn(
    'stack_contiguous',
    'more',
    'Live stacks whose page frames ascend one by one / live stacks with all pages in memory.',
  ),
  ratioColumn('stack_run_mean', 'more', 'Pages of live stacks / maximal runs of adjacent frames among them.'),
  countColumn('stack_run_longest', 'more', 'Pages of the longest of these runs.'),
  countColumn('stack_swap_writes', 'less', 'Writes of stack pages to swap, a cluster each.'),
  ratioColumn('stack_cluster_pages', 'more', 'Pages written to swap / stack_swap_writes.'),
  countColumn('stack_swap_reads', 'less', 'Reads of stack pages from swap.'),
  countColumn('stack_object_locks', 'less', 'Write locks of VM objects by the code of kernel stacks.'),
  ratioColumn(
    'stack_cache_hit_rate',
    'more',
    'Creations that the stack cache served / creations of threads.',
  ),
  bytesColumn(
    'stack_kva',
    'less',
    'Address space of constructed stacks, live and cached, guard pages included.',
    ['peak'],
  ),
];

/** How kernel stacks lie in VM objects, physical memory and swap; empty for backends that do not model them. */
export const kstackProbe: Probe = {
  name: 'kstack',
  columns: COLUMNS,
  sample({ backend }: RunView, row: Float64Array, at: number): void {
    if (backend.stacks === undefined) {
      row.fill(Number.NaN, at, at + COLUMNS.length);
      return;
    }
    const figures = backend.stacks.stackFigures();
    const values = [
      figures.objects,
      figures.objectBytes,
      figures.trieNodes,
      figures.indexSpan,
      figures.indexHoles,
      figures.reservations,
      figures.fullReservations,
      figures.partialReservations,
      ratio(figures.reservedPages, PAGES_PER_RESERVATION * figures.reservations),
      ratio(figures.contiguousStacks, figures.residentStacks),
      ratio(figures.residentPages, figures.pageRuns),
      figures.longestRun,
      figures.swapWrites,
      ratio(figures.swapPagesWritten, figures.swapWrites),
      figures.swapReads,
      figures.objectLocks,
      ratio(figures.cacheHits, figures.creations),
      figures.stackBytes,
    ];
    row.set(values, at);
  },
};
