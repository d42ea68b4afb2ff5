import { Timestamp } from 'firebase-admin/firestore';
import type Stripe from 'stripe';
import { idOf } from '../../platform/stripe.ts';
import { handler, StaleFetch, type DispatchTable, type Outcome } from '../../webhooks/webhooks.ts';
import { mirror, type Subscription } from './subscriptions.ts';
import { readSubscription, subscriptionPath, writeSubscription } from './subscriptions.store.ts';

interface Fetched {
  id: string;
  /** Our document's version when Stripe was asked; saved only if it still is that. */
  version: string | null;
  object: Stripe.Subscription;
}

/** Subscriptions go back and forth, so the event is only a hint: the object is fetched and mirrored. */
const subscriptionHint = (subscriptionOf: (event: Stripe.Event) => string | undefined) =>
  handler({
    fetch: async (ctx, event): Promise<Fetched | null> => {
      const id = subscriptionOf(event);
      if (!id) return null;
      const { version } = await readSubscription(ctx.db, id);
      const stripe = await ctx.stripe();
      return { id, version, object: plain(await stripe.subscriptions.retrieve(id)) };
    },
    plan: async (ctx, tx, _event, fetched): Promise<Outcome> => {
      if (!fetched) return { outcome: 'applied', writes: [] };
      const { subscription, version } = await readSubscription(ctx.db, fetched.id, tx);
      if (!subscription) return { outcome: 'parked', waitingFor: subscriptionPath(fetched.id) };
      if (version !== fetched.version) throw new StaleFetch();
      const updatedAt = Timestamp.fromDate(ctx.clock.now());
      const next: Subscription = { ...withoutMirrored(subscription), ...mirror(fetched.object), updatedAt };
      return { outcome: 'applied', writes: [(t) => writeSubscription(ctx.db, t, fetched.id, next)] };
    },
  });

/** What Stripe no longer says (a cancellation taken back) must go from our document too. */
function withoutMirrored({ cancelAt: _cancelAt, trialEnd: _trialEnd, currentPeriodEnd: _end, ...rest }: Subscription) {
  return rest;
}

/** The SDK's response carries methods and headers; what is stored with the event is plain JSON. */
const plain = <T>(object: T): T => JSON.parse(JSON.stringify(object)) as T;

const ofSubscription = subscriptionHint((event) => (event.data.object as Stripe.Subscription).id);
const ofInvoice = subscriptionHint((event) =>
  idOf((event.data.object as Stripe.Invoice).parent?.subscription_details?.subscription),
);

export const subscriptionEvents: DispatchTable = {
  'customer.subscription.created': ofSubscription,
  'customer.subscription.updated': ofSubscription,
  'customer.subscription.deleted': ofSubscription,
  'invoice.paid': ofInvoice,
  'invoice.payment_failed': ofInvoice,
};
