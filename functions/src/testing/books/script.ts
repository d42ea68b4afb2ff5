import { member } from './cast.ts';
import { adjust, correctLosses, explain, payToBank, stripeMoves, writeOff } from './office.ts';
import type { Trade } from './trade.ts';

/** What happens in every two months, whatever else is drawn: without it chance would leave a kind of document out. */
export interface Deed {
  /** Of the months, from 0. */
  day: number;
  /** Of the clock; before the market opens at ten. */
  hour: number;
  act: (trade: Trade) => Promise<unknown>;
}

/** Stripe's post does not arrive from then until then. Meanwhile a tenant gives something back in their own dashboard. */
export const postStopped = { from: { day: 40, hour: 18 }, until: { day: 42, hour: 12 } } as const;

export const script: readonly Deed[] = [
  // Subscriptions: the platform's own, a coach's, a tenant's. They are renewed on day 30, and again in the quiet days.
  { day: 0, hour: 9, act: (trade) => trade.subscribe('premium', member(7)) },
  { day: 0, hour: 9.2, act: (trade) => trade.subscribe('coaching', member(7)) },
  { day: 0, hour: 9.4, act: (trade) => trade.subscribe('club', member(7)) },
  // Sessions bought in advance, and used.
  { day: 1, hour: 9, act: (trade) => trade.buy('bundle', { name: 'used', who: member(7) }) },
  // At night, when nobody else books.
  { day: 2, hour: 6, act: (trade) => trade.bookWithCredit(member(7), 1) },
  { day: 3, hour: 6, act: (trade) => trade.bookWithCredit(member(7), 1) },
  { day: 3, hour: 9.2, act: (trade) => trade.order(['mat', 'lunch', 'book'], member(4)) },
  { day: 4, hour: 9, act: (trade) => trade.order(['talk', 'guide'], member(4)) },
  // A coach's share is taken back while it is there, and owed where it has been paid out; then it is written off.
  { day: 2, hour: 9.2, act: (trade) => trade.buy('programme', { name: 'given back at once' }) },
  { day: 2, hour: 9.4, act: (trade) => trade.refund(trade.paymentOf('given back at once')) },
  { day: 3, hour: 9.4, act: (trade) => trade.buy('programme', { name: 'given back too late' }) },
  { day: 7, hour: 9, act: (trade) => trade.refund(trade.paymentOf('given back too late')) },
  { day: 32, hour: 9, act: writeOff },
  // A refund that the customer's bank sends back.
  { day: 9, hour: 9, act: (trade) => trade.buy('mat', { name: 'sent back', card: 'pm_card_refundFail' }) },
  { day: 10, hour: 9, act: (trade) => trade.refund(trade.paymentOf('sent back')) },
  ...disputed('won', 'winning_evidence', 14),
  ...disputed('lost', 'losing_evidence', 16),
  { day: 20, hour: 8.5, act: (trade) => trade.buy('mat') },
  { day: 20, hour: 8.7, act: payToBank },
  // Fees every day while their account is not active.
  ...[20, 21, 22, 23, 24].map((day) => ({ day, hour: 9.2, act: (trade: Trade) => trade.buy('talk') })),
  // A coach's bank sends payouts back for some days.
  { day: 27, hour: 9, act: (trade) => trade.bankOf('sara', 'could_not_process') },
  ...[27, 28, 29].map((day) => ({ day, hour: 9.2, act: (trade: Trade) => trade.buy('talk') })),
  { day: 33, hour: 9, act: (trade) => trade.bankOf('sara', null) },
  // Something for the night in which a voucher is altered.
  { day: 33, hour: 9.2, act: (trade) => trade.buy('mat') },
  // Long before, so that no late event of the sale brings the refund to light; and there is money for it.
  { day: 34, hour: 9, act: (trade) => trade.buy('tent', { name: 'given back by the store' }) },
  { day: 39, hour: 9, act: (trade) => trade.buy('yurt', { who: member(7) }) },
  { day: 40, hour: 20, act: (trade) => trade.refundByStore('given back by the store') },
  // Stripe bills, holds back and lets go, is topped up from the bank, and takes something that a person must explain.
  { day: 6, hour: 1, act: stripeMoves('stripe_fee', -2_501) },
  { day: 11, hour: 12, act: stripeMoves('reserve_hold', -10_000) },
  { day: 18, hour: 12, act: stripeMoves('topup', 50_000) },
  { day: 26, hour: 12, act: stripeMoves('reserve_release', 7_000) },
  { day: 36, hour: 12, act: adjust },
  { day: 38, hour: 9, act: explain },
  { day: 43, hour: 9, act: correctLosses },
];

/** The dispute comes a day later, and the answer before anybody of the market's can give another. */
function disputed(name: string, evidence: 'winning_evidence' | 'losing_evidence', day: number): Deed[] {
  return [
    { day, hour: 9, act: (trade) => trade.buy('talk', { name, card: 'pm_card_createDispute' }) },
    { day: day + 1, hour: 9.8, act: (trade) => trade.answerDispute(name, evidence) },
  ];
}
