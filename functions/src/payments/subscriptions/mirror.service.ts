import { Timestamp, type Transaction } from 'firebase-admin/firestore';
import { planFlag } from '../../admin/flags.service.ts';
import type { Context } from '../../platform/context.ts';
import { runWrites, type Write } from '../../platform/write.ts';
import { planEntitlement, type EntitlementFact } from '../entitlements/entitlements.service.ts';
import { readProduct } from '../products.store.ts';
import { priceUnknownFlag } from './subscription-flags.ts';
import { factsOf, mirrored, subscriptionExpand, type Subscription, type SubscriptionFacts } from './subscriptions.ts';
import * as store from './subscriptions.store.ts';

/** A look at Stripe's object, and the version of our document from before Stripe was asked. Plain JSON. */
export interface FetchedSubscription {
  id: string;
  /** Saved only while our document still is that. */
  version: string | null;
  facts: SubscriptionFacts;
}

/** Our document first, then Stripe: so that a document changed since then tells that somebody else may have looked later. */
export async function fetchSubscription(
  ctx: Context,
  id: string,
  stripeAccount: string | undefined,
): Promise<FetchedSubscription> {
  const { version } = await store.readSubscription(ctx.db, id);
  const stripe = await ctx.stripe();
  const on = stripeAccount ? { stripeAccount } : {};
  const object = await stripe.subscriptions.retrieve(id, { expand: subscriptionExpand }, on);
  return { id, version, facts: factsOf(object) };
}

/** Our document after the look, and flags. The product follows the price, where it is one of ours for the same seller. */
export async function planMirrored(
  ctx: Context,
  tx: Transaction,
  id: string,
  before: Subscription,
  facts: SubscriptionFacts,
): Promise<{ next: Subscription; writes: Write[] }> {
  const at = Timestamp.fromDate(ctx.clock.now());
  if (facts.productId === before.productId) return { next: mirrored(before, facts, before.productId, at), writes: [] };
  const product = facts.productId === null ? undefined : await readProduct(ctx.db, facts.productId, tx);
  const known = facts.productId !== null && product?.kind === 'subscription' && product.coachId === before.coachId;
  if (known) return { next: mirrored(before, facts, facts.productId ?? before.productId, at), writes: [] };
  return {
    next: mirrored(before, facts, before.productId, at),
    writes: await planFlag(ctx, tx, priceUnknownFlag(id, facts.productId)),
  };
}

/** Writes the mirrored document and what it gives its owner access to, together with other facts of the same moment. */
export async function planSave(
  ctx: Context,
  tx: Transaction,
  id: string,
  subscription: Subscription,
  { before, others = [] }: { before?: Subscription; others?: readonly EntitlementFact[] } = {},
): Promise<Write[]> {
  const facts = [{ of: 'subscription' as const, subscriptionId: id, subscription }, ...others];
  const entitled = await planEntitlement(ctx, tx, subscription.userId, facts);
  // Unwritten while it is the same, it sends nobody who looks at the same time to look again.
  if (subscription === before) return entitled;
  return [...entitled, (t) => store.writeSubscription(ctx.db, t, id, subscription)];
}

const maxLooks = 4;

/** Looks at Stripe and saves what is there now: after a command, without waiting for its events. */
export async function refreshSubscription(
  ctx: Context,
  id: string,
  stripeAccount: string | undefined,
): Promise<Subscription> {
  for (let looks = 1; looks <= maxLooks; looks++) {
    const fetched = await fetchSubscription(ctx, id, stripeAccount);
    const saved = await ctx.db.runTransaction(async (tx) => {
      const { subscription, version } = await store.readSubscription(ctx.db, id, tx);
      if (!subscription) throw new Error(`subscriptions/${id} is gone.`);
      if (version !== fetched.version) return undefined;
      const { next, writes } = await planMirrored(ctx, tx, id, subscription, fetched.facts);
      const save = await planSave(ctx, tx, id, next, { before: subscription });
      runWrites(tx, [...writes, ...save]);
      return next;
    });
    if (saved) return saved;
  }
  // Whoever keeps changing it has looked at Stripe after us.
  const { subscription } = await store.readSubscription(ctx.db, id);
  if (!subscription) throw new Error(`subscriptions/${id} is gone.`);
  return subscription;
}
