import type Stripe from 'stripe';
import { openShop, type Shop } from '../../testing/shop.ts';
import { receiveEvent } from '../../webhooks/webhooks.service.ts';
import { createSetupIntent } from '../methods/methods.service.ts';
import type { Payment } from '../payments.ts';
import { createCheckoutSession } from './checkout.service.ts';

/** The process dies at every operation in turn and is started again: the same command, or the same news, ends the same. */
const lisa = { uid: 'lisa', email: 'lisa@example.se', name: 'Lisa Kund', coach: false, admin: false };
const successUrl = 'http://127.0.0.1:5000/done';
const card = 'pm_card_bypassPending';

let shop: Shop;
beforeEach(async () => {
  shop = await openShop();
  const premium = { name: 'Premium', kind: 'subscription', amountMinor: 9_900, interval: 'month' };
  await shop.ctx.db.doc('products/premium').set({ ...premium, currency: 'SEK', vatRate: 25, active: true });
});
afterEach(() => shop.close());

/** Runs it until it was once not killed; returns how often it was. */
async function dyingEverywhere(run: () => Promise<unknown>): Promise<number> {
  for (let operations = 0; ; operations++) {
    shop.dieAfter(operations);
    await run().catch(() => undefined);
    if (!shop.revive()) return operations;
  }
}

const page = (mode: 'payment' | 'subscription', productId: string) =>
  createCheckoutSession(shop.ctx, lisa, { mode, productId, successUrl, requestId: 'request-1' });
const events = async () => (await shop.control<{ data: Stripe.Event[] }>('stripe', 'events')).data;

it.each([
  ['payment', 'programme'],
  ['subscription', 'premium'],
] as const)('a page (%s) is opened once, and what is bought on it is booked once', async (mode, productId) => {
  expect(await dyingEverywhere(() => page(mode, productId))).toBeGreaterThan(4);
  const { url } = await page(mode, productId);
  expect((await shop.stripe.checkout.sessions.list()).data).toHaveLength(1);
  expect((await shop.stripe.customers.list()).data).toHaveLength(1);
  expect(await shop.all('checkouts')).toHaveLength(1);
  await fetch(url, { method: 'POST', redirect: 'manual', body: new URLSearchParams({ action: 'pay', card }) });
  for (const event of await events()) await dyingEverywhere(() => receiveEvent(shop.ctx, event));
  for (const event of await events()) await receiveEvent(shop.ctx, event);
  const bought = (await shop.all<Payment>('payments')).filter((payment) => payment.productId === productId);
  expect(bought).toEqual([expect.objectContaining({ status: 'succeeded' })]);
  expect(await shop.all('subscriptions')).toHaveLength(mode === 'subscription' ? 1 : 0);
  expect(await shop.openFlags()).toEqual([]);
  await shop.expectBooksAsStripe();
});

it('a card is saved once', async () => {
  expect(await dyingEverywhere(() => createSetupIntent(shop.ctx, lisa, 'request-1'))).toBeGreaterThan(4);
  const { data } = await shop.stripe.setupIntents.list();
  expect(data).toHaveLength(1);
  await shop.stripe.setupIntents.confirm(data[0]!.id, { payment_method: 'pm_card_visa', return_url: successUrl });
  for (const event of await events()) await dyingEverywhere(() => receiveEvent(shop.ctx, event));
  expect(await shop.all('paymentMethods')).toHaveLength(1);
});
