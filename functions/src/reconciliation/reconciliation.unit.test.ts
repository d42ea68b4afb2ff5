import { Timestamp } from 'firebase-admin/firestore';
import { minor, zero } from '../platform/money.ts';
import { concluded, type AccountProof, type Difference } from './reconciliation.ts';

const cut = Timestamp.fromDate(new Date('2026-11-21T23:00:00Z'));
const closed = { cut: Timestamp.fromDate(new Date('2026-11-20T23:00:00Z')), transactionsMinor: minor(500) };

const draft = (currency: string, ...kinds: Difference['kind'][]): AccountProof => ({
  account: 'platform',
  currency,
  state: 'unchecked',
  ledgerMinor: minor(700),
  transactionsMinor: minor(700),
  stripeMinor: minor(700),
  balanceMinor: minor(700),
  afterCutMinor: zero,
  transactions: 2,
  closed,
  differences: kinds.map((kind) => ({
    kind,
    account: 'platform',
    currency,
    ids: [],
    ledgerMinor: zero,
    otherMinor: zero,
  })),
});

const ended = (...drafts: AccountProof[]) => concluded(drafts, cut).map(({ state, closed: to }) => [state, to]);

it('an account is proven for good in all of its currencies or in none: the next night starts at one place', () => {
  const now = { cut, transactionsMinor: minor(700) };
  expect(ended(draft('SEK'), draft('EUR'))).toEqual([
    ['ok', now],
    ['ok', now],
  ]);
  expect(ended(draft('SEK'), draft('EUR', 'totals-differ'))).toEqual([
    ['ok', closed],
    ['different', closed],
  ]);
});
