/** What differs between the ages of NetBSD's vmem, besides where tags come from. */
export interface VmemRules {
  /** No arena has quantum caches for more quanta than this (VMEM_QCACHE_IDX_MAX). */
  readonly maxCachedQuanta: number;
  /** Most chains that a hash table may have (VMEM_HASHSIZE_MAX). */
  readonly maxChains: number;
  /** Whether a request with bounds may import. */
  readonly boundedImports: boolean;
}

/** From 2012 on: subr_vmem.c [netbsd@b7a6451]. */
export const LANDED_RULES: VmemRules = { maxCachedQuanta: 16, maxChains: 65536, boundedImports: true };

/** NetBSD 5.2: subr_vmem.c [netbsd@301a139], spec §1.11. */
export const OLD_RULES: VmemRules = { maxCachedQuanta: 32, maxChains: 8192, boundedImports: false };
