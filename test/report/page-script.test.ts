import { describe, expect, it } from 'vitest';
import { pageScript } from '../../src/report/page-script.js';

describe('scripts for pages', () => {
  it('are self-contained: nothing is imported, nothing can end the element they stand in', () => {
    const script = pageScript('sort-tables');
    expect(script).toContain('aria-sort');
    expect(script).not.toMatch(/^import\b/m);
    expect(script).not.toContain('</script');
  });

  it('that were not built are asked for by name', () => {
    expect(() => pageScript('no-such-script' as 'sort-tables')).toThrow(
      /no-such-script is missing; npm run build/,
    );
  });
});
