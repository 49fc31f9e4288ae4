import { type Component, parseComponents } from '../../src/harness/component.js';
import type { Suite } from '../../src/harness/suite.js';
import { TOYS } from './toy.js';

/** A toy workload or backend as -w and -b write it. */
export function toyComponent(kind: 'workload' | 'backend', text: string, folder = '/'): Component {
  const definitions = kind === 'backend' ? TOYS.backends : TOYS.workloads;
  return parseComponents(kind, text, definitions, folder)[0]!;
}

/** One workload on two backends. */
export function toySuite(): Suite {
  return {
    name: 'toys',
    description: '',
    workloads: [toyComponent('workload', 'toy-load')],
    backends: [toyComponent('backend', 'toy-fit'), toyComponent('backend', 'toy-fit:size=32KiB')],
    seeds: [1],
    samples: 8,
    cpus: undefined,
    digest: '',
  };
}
