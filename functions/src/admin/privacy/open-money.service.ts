import type { Transaction } from 'firebase-admin/firestore';
import { readCoach } from '../../coaches/coaches.service.ts';
import { coachBalance } from '../../ledger/ledger.service.ts';
import type { Context } from '../../platform/context.ts';
import { Refusal } from '../../platform/errors.ts';
import { anyOf, bookedCurrencies, creditsOf, isOwed } from './privacy.store.ts';

const refuse = (reason: string, message: string): never => {
  throw new Refusal('failed-precondition', reason, message);
};

interface Open {
  refused: () => never;
  collection: string;
  field: string;
  states: (string | boolean)[];
  /** The fields that say whose it is. */
  owners: readonly string[];
  /** Those fields are lists. */
  list?: true;
}

const bothSides = ['userId', 'coachId'];

/** While one of these is there somebody is owed something, or will be charged. */
const open: readonly Open[] = [
  {
    refused: () =>
      refuse('subscription-active', 'A subscription runs: end it (cancelSubscription) and wait until it is over.'),
    collection: 'subscriptions',
    field: 'status',
    states: ['incomplete', 'trialing', 'active', 'past_due', 'unpaid', 'paused'],
    owners: bothSides,
  },
  {
    refused: () => refuse('order-open', 'An order is not paid or not sent: cancel it or finish it first.'),
    collection: 'orders',
    field: 'status',
    states: ['open', 'processing'],
    owners: bothSides,
  },
  {
    refused: () => refuse('session-booked', 'A session is booked: cancel it, or wait until it was held.'),
    collection: 'sessions',
    field: 'status',
    states: ['booked'],
    owners: [...bothSides, 'student.userId'],
  },
  {
    refused: () =>
      refuse('refund-due', 'Money came for a session that was canceled: the sweep gives it back within minutes.'),
    collection: 'sessions',
    field: 'refundDue',
    states: [true],
    owners: bothSides,
  },
  {
    refused: () =>
      refuse('approval-waiting', 'A second administrator has not decided yet: approveOperation or rejectOperation.'),
    collection: 'approvals',
    field: 'status',
    states: ['waiting'],
    owners: ['about'],
    list: true,
  },
  {
    refused: () => refuse('checkout-open', 'A page for paying is open at Stripe: it closes by itself within a day.'),
    collection: 'checkouts',
    field: 'status',
    states: ['open'],
    owners: ['userId'],
  },
  {
    refused: () => refuse('payment-pending', 'A payment is under way: wait for its end, or cancel it at Stripe.'),
    collection: 'payments',
    field: 'status',
    states: ['pending'],
    owners: bothSides,
  },
  {
    refused: () => refuse('dispute-open', 'A bank disputes a payment: wait until that is decided.'),
    collection: 'disputes',
    field: 'stage',
    states: ['inquiry', 'open', 'appeal'],
    owners: bothSides,
  },
  {
    refused: () => refuse('refund-pending', 'A refund is on its way: wait until it has arrived or come back.'),
    collection: 'refunds',
    field: 'status',
    states: ['pending', 'unknown'],
    owners: bothSides,
  },
  {
    refused: () =>
      refuse('transfer-pending', 'Money is on its way to or from the coach’s balance: wait until it has arrived.'),
    collection: 'transfers',
    field: 'status',
    states: ['planned', 'unknown'],
    owners: ['coachId'],
  },
  {
    refused: () => refuse('payout-pending', 'A payout is on its way: wait until the bank has it.'),
    collection: 'payouts',
    field: 'status',
    states: ['pending', 'unknown'],
    owners: ['coachId'],
  },
  {
    refused: () =>
      refuse('command-running', 'Something they asked for is not finished: the sweep finishes it within minutes.'),
    collection: 'requests',
    field: 'state',
    states: ['started'],
    owners: ['uid'],
  },
];

/** Throws a Refusal while money is open, so that nobody's is orphaned. Reads inside the transaction that begins the erasure. */
export async function refuseOpenMoney(ctx: Context, tx: Transaction, uid: string): Promise<void> {
  for (const { refused, owners, ...where } of open) {
    for (const owner of owners) {
      if (await anyOf(ctx.db, tx, { ...where, owner: [owner, uid] })) refused();
    }
  }
  if (await isOwed(ctx.db, tx, uid))
    refuse('customer-is-owed', 'A refund came back and the customer has not got their money: refund it another way.');
  await refuseCredits(ctx, tx, uid);
  await refuseCoach(ctx, tx, uid);
}

async function refuseCredits(ctx: Context, tx: Transaction, uid: string): Promise<void> {
  const now = ctx.clock.now().getTime();
  const credits = await creditsOf(ctx.db, tx, uid);
  if (credits.some(({ left, until }) => left > 0 && (!until || until.toMillis() > now)))
    refuse('credits-left', 'Sessions are paid for and not taken: refund them, or wait until they are over.');
}

async function refuseCoach(ctx: Context, tx: Transaction, uid: string): Promise<void> {
  const coach = await readCoach(ctx, uid, tx);
  if (!coach) return;
  for (const currency of await bookedCurrencies(ctx.db, tx, uid)) {
    const { payable, receivable } = await coachBalance(ctx.db, tx, uid, currency);
    if (receivable > 0)
      refuse('coach-owes', 'The coach owes money: settle the debt or write it off (writeOffDebt) first.');
    if (payable !== 0) refuse('coach-is-owed', 'The coach is owed money: pay it out first (runPayouts).');
  }
  if (coach.stripeAccountId && coach.accountStatus !== 'deauthorized' && coach.accountStatus !== 'rejected')
    refuse('account-open', 'The coach’s Stripe account is open: close it at Stripe first.');
}
