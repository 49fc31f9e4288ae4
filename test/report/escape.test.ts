import fc from 'fast-check';
import { parseHTML } from 'linkedom';
import { describe, expect, it } from 'vitest';
import { visibleText } from '../../src/core/visible-text.js';
import { escapeMarkdown, escapeMarkup, shellWord } from '../../src/report/escape.js';
import { HOSTILE_TEXTS } from '../support/hostile.js';

const text = fc.oneof(fc.constantFrom(...HOSTILE_TEXTS), fc.string({ unit: 'binary' }));

describe('escaping', () => {
  it('leaves only characters that show, on one line', () => {
    fc.assert(
      fc.property(text, (data) => {
        expect(visibleText(data)).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u);
      }),
    );
    expect(visibleText('linux612-mixed, naïve 大')).toBe('linux612-mixed, naïve 大');
  });

  it('makes text of whatever stands in markup, as content and as attribute', () => {
    fc.assert(
      fc.property(text, (data) => {
        const escaped = escapeMarkup(data);
        expect(escaped).not.toMatch(/[<>"']/);
        const { document } = parseHTML(`<html><body><p title="${escaped}">${escaped}</p></body></html>`);
        const paragraph = document.querySelector('p')!;
        expect(document.querySelectorAll('body *')).toHaveLength(1);
        expect(paragraph.attributes).toHaveLength(1);
        expect(paragraph.textContent).toBe(visibleText(data));
      }),
    );
  });

  it.each([
    ['<b>', '&lt;b\\>'],
    ['[a](b)', '\\[a\\]\\(b\\)'],
    ['a|b', 'a\\|b'],
    ['`x`', '\\`x\\`'],
    ['https://x', 'https:&#8203;//x'],
    ['- item', '\\- item'],
    ['1. item', '1\\. item'],
    ['1.338', '1.338'],
    ['&lt;', '&amp;lt;'],
  ])('turns %j into Markdown %j', (data, markdown) => {
    expect(escapeMarkdown(data)).toBe(markdown);
  });

  it.each([
    ['replay:trace=x.arrow,classes=kmem', 'replay:trace=x.arrow,classes=kmem'],
    ['a b', "'a b'"],
    ["it's $(rm)", "'it'\\''s $(rm)'"],
    ['', "''"],
  ])('quotes %j for a shell as %j', (word, quoted) => {
    expect(shellWord(word)).toBe(quoted);
  });
});
