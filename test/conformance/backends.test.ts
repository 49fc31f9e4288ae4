import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { BACKENDS } from '../../src/backend/registry.js';
import { withDefaults } from '../../src/conformance/client.js';
import { repositoryRoot } from '../support/shared.js';
import { type ConformanceOptions, conformance } from './suite.js';

const MAP_VARIANTS = [
  {},
  { parameters: { merge: false } },
  { parameters: { page_size: 8192, abi: 'ilp32' } },
];

const HEAP_VARIANTS = [
  {},
  { parameters: { qcache_max: 0 } },
  { parameters: { qcache_max: 7, abi: 'ilp32' } },
];

/** Of vmem arenas with a quantum of 8 KiB. */
const PHASES_IN_PAGES = [
  'constraints of va requests are met',
  'the same history gives the same addresses and figures',
].map((promise) => ({ promise, reason: 'its phase of 4 KiB is no quantum, on which vmem_xalloc panics' }));

/** Variants beyond the defaults, with their exceptions where these are not the definition's. A backend that is not named here is held to all of the contract. */
const VARIANTS: Readonly<Record<string, readonly ConformanceOptions[]>> = {
  'illumos-guest-in-heap': [{}, { parameters: { guest_page: '2MiB', policy: 'best' } }],
  'illumos-guest-in-zio': [{}, { parameters: { guest_page: '1GiB', policy: 'next', page_size: 8192 } }],
  'illumos-segkvmm': [
    {},
    { parameters: { overprovision: 1, policy: 'best' } },
    { parameters: { overprovision: 1.5, policy: 'first', guest_page: '2MiB' } },
    { parameters: { guest_page: '1GiB', policy: 'next', abi: 'ilp32' } },
  ],
  'illumos-vmem': [
    {},
    { parameters: { qcache_max: 65536 } },
    { parameters: { page_size: 8192, abi: 'ilp32' } },
  ],
  'best-fit-map': MAP_VARIANTS,
  bitmap: [{}, { parameters: { page_size: 8192, kmem_quantum: 64, abi: 'ilp32' } }],
  buddy: [{}, { parameters: { page_size: 8192, abi: 'ilp32' } }],
  'first-fit-map': MAP_VARIANTS,
  'freebsd-kstack-dense': [
    {},
    { parameters: { indices: 'unit', guard_pages: 0 } },
    { parameters: { reservations: false, kstack_pages: 2 } },
  ],
  'freebsd-kstack-per-object': [{}, { parameters: { memory: 8388608, background_pages: 512 } }],
  'freebsd-vm-map': [{}, { parameters: { superpages: false, abi: '12' } }],
  'freebsd-vmem': [
    {},
    { parameters: { strategy: 'firstfit', qcache_max: 4, kstack_pages: 2, abi: '12' }, exceptions: [] },
    { parameters: { domains: 2 } },
  ],
  'illumos-segkp-heap': [
    {},
    { parameters: { arch: 'amd64', segkp_qcache_pages: 6 } },
    {
      parameters: { page_size: 8192, kmem_va_qcache_pages: 0, segkp_qcache_pages: 0 },
      exceptions: PHASES_IN_PAGES,
    },
  ],
  'illumos-segkp-static': [
    {},
    { parameters: { arch: 'amd64', segkp_size: 2147483648 } },
    {
      parameters: { page_size: 8192, kmem_va_qcache_pages: 0, segkp_qcache_pages: 0 },
      exceptions: PHASES_IN_PAGES,
    },
  ],
  'linux-vmap': [{}, { parameters: { cpus: 3, guard_pages: false }, exceptions: [] }],
  'netbsd-2011': [
    {},
    { parameters: { merge: false } },
    { parameters: { pageable_quantum: false, abi: 'ilp32' } },
  ],
  'netbsd-2012': HEAP_VARIANTS,
  'netbsd-a': [
    {},
    { parameters: { kva_cache_pages: 5 } },
    { parameters: { kva_cache_pages: 16, abi: 'ilp32' } },
  ],
  'netbsd-b': HEAP_VARIANTS,
  'netbsd-c': HEAP_VARIANTS,
  'netbsd-yamamoto': HEAP_VARIANTS,
  tlsf: [{}, { parameters: { second_level: 16, page_size: 8192, abi: 'ilp32' } }],
};

for (const definition of BACKENDS) {
  for (const options of VARIANTS[definition.name] ?? [{}]) conformance(definition, options);
}

describe('the registry of backends', () => {
  it('is sorted by name, without doubles', () => {
    const names = BACKENDS.map(({ name }) => name);
    expect(names).toEqual([...new Set(names)].sort());
  });

  it('names oracles that have cases here; only comparators have none', () => {
    const oracles = readdirSync(join(repositoryRoot, 'test/golden/cases'));
    for (const { name, heldBy } of BACKENDS) {
      expect([name, heldBy.filter((oracle) => !oracles.includes(oracle))]).toEqual([name, []]);
    }
    const comparators = BACKENDS.filter(({ heldBy }) => heldBy.length === 0).map(({ name }) => name);
    expect(comparators).toEqual(['best-fit-map', 'bitmap', 'buddy', 'first-fit-map', 'tlsf']);
  });

  it('has variants of known backends only', () => {
    const names = BACKENDS.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(Object.keys(VARIANTS)));
  });

  it('gives each parameter a default and a description', () => {
    for (const definition of BACKENDS) {
      const values = withDefaults(definition);
      for (const [key, schema] of Object.entries(definition.parameters.properties)) {
        expect([key, typeof values[key]]).not.toEqual([key, 'undefined']);
        expect([key, typeof schema.description]).toEqual([key, 'string']);
      }
    }
  });
});
