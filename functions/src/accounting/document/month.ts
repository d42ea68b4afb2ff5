import { Timestamp } from 'firebase-admin/firestore';
import {
  coachPayout,
  destinationSale,
  ownSale,
  payoutReturned,
  stripeFee,
  type LedgerEntry,
} from '../../ledger/ledger.ts';
import {
  disputeLost,
  disputeWithdrawn,
  refund,
  refundFailed,
  transferReversal,
  writeOff,
  type KeptShare,
} from '../../ledger/returns.ts';
import { ownEntries, type Meaning } from '../../ledger/own.ts';
import { directSale, platformPayout, sessionCompleted, sessionPaid } from '../../ledger/shares.ts';
import { bear, incomeSoFar, standingOf, type Standing } from '../../payments/aftermath/bearing.ts';
import { minor, zero } from '../../platform/money.ts';

/**
 * A month of trade as the ledger would have it, for the table of docs/accounting.md: something of everything that is
 * posted. Amounts are öre. Karin is registered for VAT, Nils is not; Lina runs a store of her own.
 */
export function monthOfTrade(): LedgerEntry[] {
  const programme = sales(12, (id) => withCoachVat(programmeSale(id, 'karin', 49_900, 9_900)), 929);
  const course = sales(5, (id) => programmeSale(id, 'nils', 100_000, 20_000), 1_680);
  const premium = sales(30, (id) => ownSale({ ...on(`premium-${id}`), grossMinor: minor(9_900), vatRate: 25 }), 329);
  const books = sales(4, (id) => ownSale({ ...on(`book-${id}`), grossMinor: minor(21_200), vatRate: 6 }), 498);
  const store = directSale({
    ...on('store'),
    coachId: 'lina',
    stripeAccountId: 'acct_lina',
    grossMinor: minor(100_000),
    receivedMinor: minor(80_000),
    feeMinor: minor(20_000),
    vatRate: 25,
  });
  return [
    ...programme,
    ...course,
    ...premium,
    ...books,
    store,
    ...sessions(),
    ...refundedProgramme(),
    ...lostDispute(),
    ...failedRefund(),
    ...payouts(),
    ...stripesOwn(),
  ];
}

const on = (name: string) => ({
  chargeId: `ch_${name}`,
  stripeObjectId: `ch_${name}`,
  paymentId: `pi_${name}`,
  occurredAt: Timestamp.fromDate(new Date('2026-03-16T10:00:00Z')),
  currency: 'SEK',
  balanceTransactionIds: [`txn_${name}`],
});

const back = (name: string, coachId: string, amount: number) => ({
  ...on(name),
  coachId,
  stripeAccountId: `acct_${coachId}`,
  amountMinor: minor(amount),
  vatRate: 25,
});

const withCoachVat = <E extends LedgerEntry>(entry: E): E => ({ ...entry, parts: { ...entry.parts, coachVat: true } });

const programmeSale = (id: string, coachId: string, gross: number, fee: number): LedgerEntry =>
  destinationSale({
    ...on(`${coachId}-${id}`),
    coachId,
    stripeAccountId: `acct_${coachId}`,
    grossMinor: minor(gross),
    coachMinor: minor(gross - fee),
    feeMinor: minor(fee),
    vatRate: 25,
  });

/** So many sales with what Stripe takes of each. */
const sales = (count: number, one: (id: string) => LedgerEntry, fee: number): LedgerEntry[] =>
  Array.from({ length: count }, (_, i) => [one(String(i)), ...feeOf(`${i}`, fee)]).flat();

function feeOf(name: string, amount: number): LedgerEntry[] {
  const entry = stripeFee({ ...on(name), balanceTransactionId: `txn_${name}`, feeMinor: minor(amount) });
  return entry ? [entry] : [];
}

/** Three sessions of 600 kr are paid: one is completed, one cancelled late with half of it kept, one is still to come. */
function sessions(): LedgerEntry[] {
  const price = minor(60_000);
  const paid = (name: string) =>
    withCoachVat(sessionPaid({ ...on(name), coachId: 'karin', grossMinor: price, vatRate: 25 }));
  const completed = sessionCompleted(
    {
      ...on('s1'),
      coachId: 'karin',
      grossMinor: price,
      coachMinor: minor(48_000),
      feeMinor: minor(12_000),
      vatRate: 25,
      vat: { coachVat: true },
    },
    's1',
  );
  const kept: KeptShare = { coachMinor: minor(24_000), feeMinor: minor(6_000) };
  const standing = standingOf(
    { held: { leftMinor: price, releasedMinor: zero, releasedCoachMinor: zero } },
    paid('s2'),
  );
  const { bearing } = bear(standing, minor(30_000), kept);
  const canceled = refund({ ...back('s2', 'karin', 30_000), vat: { coachVat: true } }, bearing, kept);
  return [
    paid('s1'),
    paid('s2'),
    paid('s3'),
    completed,
    canceled,
    ...['s1', 's2', 's3'].flatMap((name) => feeOf(name, 1_080)),
  ];
}

/** What a return of so much of a sale posts, and where the payment stands then. */
function returned(sale: LedgerEntry, coachId: string, amount: number, lost: boolean): LedgerEntry[] {
  const standing: Standing = standingOf({}, sale);
  const { coachVat } = sale.parts;
  const vat = { ...(coachVat ? { coachVat } : {}), before: incomeSoFar(standing) };
  const booking = { ...back(`${sale.stripeObjectId}-back`, coachId, amount), vat };
  const { bearing } = bear(standing, minor(amount));
  return [lost ? disputeLost(booking, bearing, 1) : refund(booking, bearing)];
}

/** One of the programmes is refunded whole, and the coach's share taken back. */
function refundedProgramme(): LedgerEntry[] {
  const sale = withCoachVat(programmeSale('0', 'karin', 49_900, 9_900));
  return [...returned(sale, 'karin', 49_900, false), transferReversal(back('karin-0', 'karin', 40_000))];
}

/** A customer's bank takes a course back; Nils has too little left, so 300 kr are given up and the rest is taken back. */
function lostDispute(): LedgerEntry[] {
  const course = programmeSale('0', 'nils', 100_000, 20_000);
  return [
    disputeWithdrawn(back('nils-0', 'nils', 100_000), 'txn_dispute'),
    ...feeOf('dispute', 15_000),
    ...returned(course, 'nils', 100_000, true),
    transferReversal(back('nils-0', 'nils', 50_000)),
    writeOff(back('nils-0', 'nils', 30_000), 'given-up'),
  ];
}

/** 99 kr of a subscription were to go back; the customer's account is closed, so they are owed. */
function failedRefund(): LedgerEntry[] {
  const premium = ownSale({ ...on('premium-0'), grossMinor: minor(9_900), vatRate: 25 });
  const [back99] = returned(premium, 'nobody', 9_900, false);
  if (!back99) return [];
  const { coachId: _coach, stripeAccountId: _account, ...own } = back99;
  return [own, refundFailed(back('premium-0', 'nobody', 9_900))];
}

function payouts(): LedgerEntry[] {
  const payout = (id: string, coachId: string, amount: number) => ({
    ...back(id, coachId, amount),
    stripePayoutId: `po_${id}`,
    payoutId: id,
    balanceTransactionId: `txn_${id}`,
  });
  return [
    coachPayout(payout('karin-1', 'karin', 440_000)),
    coachPayout(payout('nils-1', 'nils', 300_000)),
    payoutReturned(payout('nils-1', 'nils', 300_000)),
    coachPayout(payout('nils-2', 'nils', 300_000)),
    platformPayout({ ...on('out'), payoutId: 'out', amountMinor: minor(250_000), returned: false }),
  ];
}

/** Stripe bills a month of Radar, holds 500 kr back and lets 200 of them go, is sent 1,000 kr, and takes 12.50 in error. */
function stripesOwn(): LedgerEntry[] {
  const moved = (name: string, meaning: Meaning, amount: number) =>
    ownEntries(meaning, {
      balanceTransactionId: `txn_${name}`,
      occurredAt: on(name).occurredAt,
      currency: 'SEK',
      amountMinor: minor(amount),
      feeMinor: zero,
    });
  return [
    ...moved('radar', 'fee', -25_000),
    ...moved('held', 'reserve', -50_000),
    ...moved('let-go', 'reserve', 20_000),
    ...moved('sent', 'topup', 100_000),
    ...moved('error', 'loss', -1_250),
  ];
}
