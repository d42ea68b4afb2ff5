import { Timestamp } from 'firebase-admin/firestore';
import { DateTime } from 'luxon';
import type Stripe from 'stripe';
import type { Terms } from '../coaches/terms.ts';
import type { Caller } from '../platform/auth.ts';
import { createSubscription, type CreateSubscriptionReply } from '../payments/subscriptions/subscriptions.service.ts';
import type { Subscription } from '../payments/subscriptions/subscriptions.ts';
import { receiveEvent } from '../webhooks/webhooks.service.ts';
import { seededRandom, shuffle } from './random.ts';
import { openShop, type Shop } from './shop.ts';

/** A customer on a test clock of Stripe's, and subscriptions to buy. */
export interface Subscriber extends Shop {
  eva: Caller;
  customer: string;
  subscribe(
    productId: string,
    more?: { requestId?: string; card?: string | null; quantity?: number },
  ): Promise<CreateSubscriptionReply>;
  subscription(id: string): Promise<Subscription>;
  /** Attaches a card and makes it the subscription's. */
  useCard(id: string, card: string): Promise<void>;
  /** Lets time pass, on the test clock and everywhere else. */
  pass(span: { days?: number; months?: number }): Promise<void>;
  /** Gives the product Stripe's new events; `seed`: each twice, all in a random order. */
  hear(seed?: number): Promise<void>;
  letters(): Promise<string[]>;
}

export const goodCard = 'pm_card_bypassPending';
export const badCard = 'pm_card_chargeCustomerFail';

export async function openSubscriber(terms: Partial<Terms> = {}): Promise<Subscriber> {
  const shop = await openShop(terms);
  const { ctx, stripe } = shop;
  const eva: Caller = { uid: 'eva', email: 'eva@example.se', name: 'Eva Kund', coach: false, admin: false };
  let frozen = DateTime.fromSeconds(Math.floor(shop.now().getTime() / 1000), { zone: 'utc' });
  const clock = await stripe.testHelpers.testClocks.create({ frozen_time: frozen.toSeconds() });
  const { id: customer } = await stripe.customers.create({ email: 'eva@example.se', test_clock: clock.id });
  const at = Timestamp.fromDate(shop.now());
  await ctx.db.doc('customers/eva').set({ stripeCustomerId: customer, createdAt: at, updatedAt: at });
  const sold = { kind: 'subscription', interval: 'month', currency: 'SEK', vatRate: 25, active: true };
  const products: Record<string, object> = {
    premium: { name: 'Premium', amountMinor: 9_900 },
    plus: { name: 'Plus', amountMinor: 19_900 },
    yearly: { name: 'Yearly', amountMinor: 99_900, interval: 'year' },
    trial: { name: 'Trial', amountMinor: 9_900, trialDays: 14 },
    contract: { name: 'Contract', amountMinor: 9_900, contractId: 'c-1', contractMonths: 3 },
    coaching: { name: 'Coaching', amountMinor: 49_900, coachId: 'karin' },
    sessions: { name: 'Two a month', amountMinor: 99_900, coachId: 'karin', credits: 2 },
  };
  for (const [id, product] of Object.entries(products)) await ctx.db.doc(`products/${id}`).set({ ...sold, ...product });
  await shop.deliver();
  const heard = new Set<string>();
  const hear = async (seed?: number) => {
    const { data } = await shop.control<{ data: Stripe.Event[] }>('stripe', 'events');
    const fresh = data.filter(({ id }) => !heard.has(id));
    for (const { id } of fresh) heard.add(id);
    const order = seed === undefined ? fresh : shuffle([...fresh, ...fresh], seededRandom(seed));
    for (const event of order) await receiveEvent(ctx, event);
  };
  await hear();
  return {
    ...shop,
    eva,
    customer,
    hear,
    subscribe: (productId, { requestId = `subscribe-${productId}`, card = goodCard, quantity } = {}) =>
      createSubscription(ctx, eva, {
        productId,
        requestId,
        ...(quantity ? { quantity } : {}),
        ...(card === null ? {} : { paymentMethodId: card }),
      }),
    async subscription(id) {
      const found = await shop.read<Subscription>(`subscriptions/${id}`);
      if (!found) throw new Error(`No subscription ${id}.`);
      return found;
    },
    async useCard(id, card) {
      const method = await stripe.paymentMethods.attach(card, { customer });
      await stripe.subscriptions.update(id, { default_payment_method: method.id });
    },
    async pass(span) {
      const next = frozen.plus(span);
      await stripe.testHelpers.testClocks.advance(clock.id, { frozen_time: next.toSeconds() });
      await stripe.testHelpers.testClocks.retrieve(clock.id);
      await shop.advance(next.toMillis() - frozen.toMillis());
      frozen = next;
    },
    letters: async () => (await ctx.db.collection('mail').get()).docs.map(({ id }) => id.replace(/_.*/, '')).sort(),
  };
}
