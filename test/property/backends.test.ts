import { describe, it } from 'vitest';
import { BACKENDS } from '../../src/backend/registry.js';
import { holdsForBackend } from '../../src/conformance/properties.js';

describe.each(BACKENDS.map((definition) => [definition.name, definition] as const))('%s', (_, definition) => {
  it('never answers with a range that is live, and keeps its invariants', () => {
    holdsForBackend(definition, { histories: 60 });
  });
});
