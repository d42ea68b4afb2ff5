import fc from 'fast-check';
import type { SieVoucher } from '../platform/fortnox/index.ts';
import { minor } from '../platform/money.ts';
import { fortnoxDiffers, type Ours } from './fortnox-rows.ts';

const key = (n: number) => `key${String(n).padStart(9, '0')}`;

const ours = (n: number, amount: number): Ours => ({
  voucher: {
    id: `v_${n}`,
    key: key(n),
    series: 'S',
    date: '2026-11-20',
    clearingAccount: 1686,
    clearingMinor: minor(amount),
    rows: [
      { account: 1686, debitMinor: minor(amount), creditMinor: minor(0), text: '' },
      { account: 3001, debitMinor: minor(0), creditMinor: minor(amount), text: '' },
      { account: 3740, debitMinor: minor(0), creditMinor: minor(0), text: '' },
    ],
  },
  mustBeThere: true,
});

const listed = (n: number, amount: number): SieVoucher => ({
  series: 'S',
  number: n,
  date: '2026-11-20',
  description: `Försäljning ${key(n)}`,
  rows: [
    { account: 3001, amountMinor: -amount },
    { account: 1686, amountMinor: amount },
  ],
});

const kinds = (there: readonly SieVoucher[], own: readonly Ours[]) =>
  fortnoxDiffers('SEK', there, own).map(({ kind, ids }) => `${kind} ${ids[0]}`);

it('finds each way of going wrong, and nothing else', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.integer({ min: 1, max: 99_999 }), fc.constantFrom('ok', 'gone', 'twice', 'other', 'moved'))),
      (vouchers) => {
        const own = vouchers.map(([amount], n) => ours(n, amount));
        const there = vouchers.flatMap(([amount, fate], n): SieVoucher[] => {
          const one = listed(n, amount);
          if (fate === 'gone') return [];
          if (fate === 'twice') return [one, { ...one, number: 1_000 + n }];
          if (fate === 'other') return [listed(n, amount + 1)];
          return [fate === 'moved' ? { ...one, date: '2026-11-21' } : one];
        });
        const expected = vouchers.flatMap(([, fate], n) => {
          if (fate === 'ok') return [];
          const kind = fate === 'gone' ? 'voucher-not-in-fortnox' : 'voucher-altered';
          return [`${fate === 'twice' ? 'voucher-twice-in-fortnox' : kind} v_${n}`];
        });
        expect(kinds(there, own)).toEqual(expected);
      },
    ),
  );
});

it('one that need not be there yet may be missing; what is not ours is named; words behind a key do not hide it', () => {
  const waiting: Ours = { ...ours(1, 5), mustBeThere: false };
  const rent: SieVoucher = { ...listed(2, 5), description: 'Hyra november' };
  expect(kinds([rent], [waiting])).toEqual(['voucher-not-ours S 2 of 2026-11-20']);
  const noted = { ...listed(1, 5), description: `Försäljning ${key(1)} granskad` };
  expect(kinds([noted], [ours(1, 5)])).toEqual([]);
});

it('says which rows are others, each as often as it is there', () => {
  const split: SieVoucher = {
    ...listed(1, 10),
    rows: [
      { account: 1686, amountMinor: 10 },
      { account: 3001, amountMinor: -5 },
      { account: 3001, amountMinor: -5 },
    ],
  };
  expect(fortnoxDiffers('SEK', [split], [ours(1, 10)])).toEqual([
    {
      kind: 'voucher-altered',
      account: 'fortnox',
      currency: 'SEK',
      ids: ['v_1', 'S 1 of 2026-11-20'],
      ledgerMinor: 10,
      otherMinor: 10,
      detail: 'without 3001: -10; with 3001: -5, 3001: -5',
    },
  ]);
});
