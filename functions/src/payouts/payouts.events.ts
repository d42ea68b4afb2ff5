import type Stripe from 'stripe';
import { planFlag } from '../admin/flags.service.ts';
import type { Context } from '../platform/context.ts';
import { classifyStripeError } from '../platform/stripe.ts';
import { handler, type DispatchTable } from '../webhooks/webhooks.ts';
import * as flags from './payout-flags.ts';
import * as store from './payouts.store.ts';
import { payoutFacts, type PayoutFacts } from './payouts.ts';
import { planPlatformFacts } from './platform/record.service.ts';
import { planFacts } from './record.service.ts';

/** What an event is about. Only payout events are listed below. */
function payoutOf(event: Stripe.Event): Stripe.Payout {
  const { object } = event.data;
  if (!('object' in object) || object.object !== 'payout')
    throw new Error(`${event.id} ${event.type} has no payout in it.`);
  return object;
}

/** The payout as it is now, with the balance transactions the ledger needs. null: Stripe no longer shows it to us. */
async function fetchPayout(ctx: Context, event: Stripe.Event): Promise<PayoutFacts | null> {
  const { id } = payoutOf(event);
  const stripe = await ctx.stripe();
  const options = event.account ? { stripeAccount: event.account } : undefined;
  try {
    const expand = ['balance_transaction', 'failure_balance_transaction'];
    return payoutFacts(await stripe.payouts.retrieve(id, { expand }, options));
  } catch (error) {
    if (classifyStripeError(error).kind === 'refused') return null;
    throw error;
  }
}

/** What the event says and what Stripe says now are both true of some moment; merged, the later state stays. */
const payoutChanged = handler<PayoutFacts | null>({
  fetch: fetchPayout,
  async plan(ctx, tx, event, fetched) {
    const told = payoutFacts(payoutOf(event));
    const heard = fetched ? [fetched, told] : [told];
    // The platform's own, whoever asked for it.
    if (!event.account) {
      return { outcome: 'applied', writes: await planPlatformFacts(ctx, tx, heard, event.id) };
    }
    const id = fetched?.payoutId ?? told.payoutId;
    const payout = id ? await store.readPayout(ctx.db, id, tx) : undefined;
    // A tenant who writes our metadata on a payout of their own does not reach somebody else's document.
    const foreign = payout !== undefined && payout.stripeAccountId !== event.account;
    if (!id || foreign) {
      return { outcome: 'applied', writes: await planFlag(ctx, tx, flags.payoutNotOurs(told.id, event.account)) };
    }
    if (!payout) return { outcome: 'parked', waitingFor: store.payoutPath(id) };
    return { outcome: 'applied', writes: await planFacts(ctx, tx, id, payout, heard, event.id) };
  },
});

export const payoutEvents: DispatchTable = {
  'payout.created': payoutChanged,
  'payout.updated': payoutChanged,
  'payout.paid': payoutChanged,
  'payout.failed': payoutChanged,
  'payout.canceled': payoutChanged,
};
