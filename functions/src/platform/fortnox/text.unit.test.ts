import fc from 'fast-check';
import { isCleanText, sanitizeText } from './text.ts';

const anything = fc.string({ unit: 'binary', maxLength: 300 });

describe('sanitizeText', () => {
  it.each([
    ['Stripe ch_3Qx SALE k7f3m9qwx2', 'Stripe ch_3Qx SALE k7f3m9qwx2'],
    ['Åsa Öberg: 499,00 kr (25 %)', 'Åsa Öberg: 499,00 kr (25 %)'],
    ['a|b<c>d[e]f{g}h"i~j', 'abcdefghij'],
    ['tack 🙏 så mycket', 'tack så mycket'],
    ['  rad ett\r\n\trad två  ', 'rad ett rad två'],
    ['a\u030A', 'å'],
    ['', ''],
  ])('%j becomes %j', (given, expected) => {
    expect(sanitizeText(given, 200)).toBe(expected);
  });

  it('cuts at the limit without a space left at the end', () => {
    expect(sanitizeText('abc def', 4)).toBe('abc');
  });

  it('always gives what Fortnox takes, and leaves that alone', () => {
    fc.assert(
      fc.property(anything, fc.integer({ min: 0, max: 200 }), (text, max) => {
        const clean = sanitizeText(text, max);
        expect(isCleanText(clean, max)).toBe(true);
        expect(sanitizeText(clean, max)).toBe(clean);
      }),
    );
  });

  it('keeps every letter and digit', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[A-Za-z0-9åäöÅÄÖ_]{0,100}$/), (text) => {
        expect(sanitizeText(text, 100)).toBe(text);
      }),
    );
  });
});
