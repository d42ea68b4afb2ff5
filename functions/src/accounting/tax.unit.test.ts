import { minor, sum } from '../platform/money.ts';
import { taxOfPart, vatOnTop } from './tax.ts';

it.each([
  [929, 232],
  [930, 233],
  [931, 233],
  [-930, -233],
  [1, 0],
  [2, 1],
  [0, 0],
])('VAT of 25 %% on top of %d öre is %d: rounded half away from zero', (amount, vat) => {
  expect(vatOnTop(minor(amount), 25)).toBe(vat);
});

it('VAT inside an amount is the same forwards and back, at several rates too', () => {
  const lines = [
    { vatRate: 25, grossMinor: 333 },
    { vatRate: 6, grossMinor: 667 },
  ];
  const there = taxOfPart(0, 1_001, lines);
  expect(there).toEqual([
    { vatRate: 25, grossMinor: 333, vatMinor: 67 },
    { vatRate: 6, grossMinor: 668, vatMinor: 38 },
  ]);
  const back = [...taxOfPart(1_001, -400, lines), ...taxOfPart(601, -601, lines)];
  for (const { vatRate, grossMinor, vatMinor } of there) {
    const mine = back.filter((part) => part.vatRate === vatRate);
    expect(grossMinor + sum(mine.map((part) => part.grossMinor))).toBe(0);
    expect(vatMinor + sum(mine.map((part) => part.vatMinor))).toBe(0);
  }
});
