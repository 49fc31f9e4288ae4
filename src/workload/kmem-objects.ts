import type { Bytes } from '../core/units.js';

/** Which of three mean lifetimes the objects of a cache have. */
export const Life = { short: 0, medium: 1, long: 2 } as const;
export type Life = (typeof Life)[keyof typeof Life];

/** Objects of one size that an object cache, or a size class of the general allocator, serves. */
export interface KmemObjects {
  readonly bytes: Bytes;
  /** Share of the allocations, relative to the others of the preset. */
  readonly weight: number;
  readonly life: Life;
}

const objects = (life: Life, ...sizes: readonly (readonly [Bytes, number])[]): readonly KmemObjects[] =>
  sizes.map(([bytes, weight]) => ({ bytes, weight, life }));

/** Sizes as kmem_alloc is asked for them: small ones most, and for a short time. */
const general = [
  ...objects(Life.short, [16, 200], [32, 250], [64, 200], [128, 90], [1024, 25]),
  ...objects(Life.medium, [96, 60], [192, 40], [256, 50], [512, 40], [4096, 8]),
  ...objects(Life.long, [48, 12], [2048, 15], [8192, 2]),
];

/** Files that are looked up and stay cached: pathname buffers, open files, buffer headers; vnode, inode, dinode, name. */
const filesystem = [
  ...objects(Life.short, [1024, 400], [96, 200]),
  ...objects(Life.medium, [280, 60]),
  ...objects(Life.long, [304, 10], [240, 10], [256, 10], [160, 15]),
];

/** Packets: mbufs and clusters; sockets and files of connections. */
const network = [
  ...objects(Life.short, [512, 600], [2048, 250]),
  ...objects(Life.medium, [560, 10], [96, 10]),
  ...objects(Life.long, [256, 1]),
];

/** Processes: anons, amaps and map entries; vmspace, lwp and proc. */
const processes = [
  ...objects(Life.short, [1024, 60]),
  ...objects(Life.medium, [32, 500], [80, 100], [136, 200], [96, 60], [368, 8], [984, 10], [728, 8]),
  ...objects(Life.long, [32, 40], [136, 20], [80, 10]),
];

/**
 * Objects by preset. Sizes of the caches are those of NetBSD 5.2 on amd64 (spec netbsd-vmem-uvm §3.3); those of
 * `general`, all weights and all lifetimes are assumptions.
 */
export const KMEM_PRESETS = {
  general,
  filesystem,
  network,
  processes,
  mixed: [...general, ...filesystem, ...network, ...processes],
} as const satisfies Readonly<Record<string, readonly KmemObjects[]>>;
