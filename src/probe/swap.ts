import { bytesColumn, countColumn } from './column.js';
import type { TableProbe } from './contract.js';

/** What swapped-out stacks hold in swap space, and what the kernel keeps in memory to find it. */
export const swapTable: TableProbe = {
  name: 'swap',
  title: 'Swap space of kernel stacks at each sample point; only of backends that model it',
  when: 'sample',
  isOptional: true,
  columns: [
    countColumn(
      'swap_blocks',
      'less',
      'Pages of swap space that hold a page of a stack object, those of stacks that have come back or gone included.',
    ),
    countColumn(
      'swap_metadata_blocks',
      'less',
      'Aligned groups of 16 indices with one of these pages: a metadata block each.',
    ),
    countColumn('swap_trie_nodes', 'less', 'Nodes of the tries that find metadata blocks by index.'),
    bytesColumn('swap_metadata_bytes', 'less', 'Bytes of metadata blocks and of these nodes.'),
  ],
  key: [],
  rows({ backend }) {
    if (backend.stacks === undefined) return [];
    const { swapBlocks, swapMetadataBlocks, swapTrieNodes, swapMetadataBytes } =
      backend.stacks.stackFigures();
    return [[swapBlocks, swapMetadataBlocks, swapTrieNodes, swapMetadataBytes]];
  },
};
