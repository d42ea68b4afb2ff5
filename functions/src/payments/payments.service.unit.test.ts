import { Timestamp } from 'firebase-admin/firestore';
import { completeOnboarding } from '../../../scripts/story/emulators.ts';
import type { Coach } from '../coaches/coaches.ts';
import { defaultTerms } from '../coaches/terms.ts';
import type { LedgerDocument } from '../ledger/ledger.ts';
import { trialBalance } from '../ledger/ledger.ts';
import { hours } from '../platform/clock.ts';
import { minor } from '../platform/money.ts';
import { createTestWorld, testConfig, type TestWorld } from '../testing/world.ts';
import { receiveEvent, releaseParked } from '../webhooks/webhooks.service.ts';
import { processPayment } from './payments.service.ts';
import type { Payment } from './payments.ts';
import { resumeCommands } from './recovery.service.ts';
import { createSubscription } from './subscriptions/subscriptions.service.ts';

const lisa = { uid: 'lisa', email: 'lisa@example.se', name: 'Lisa Kund', coach: false, admin: false };
const card = 'pm_card_bypassPending';

let world: TestWorld;

beforeEach(async () => {
  world = await createTestWorld();
  const { ctx, stripe } = world;
  const account = await stripe.accounts.create({
    country: 'SE',
    controller: {
      fees: { payer: 'application' },
      losses: { payments: 'application' },
      stripe_dashboard: { type: 'express' },
      requirement_collection: 'stripe',
    },
    capabilities: { transfers: { requested: true } },
    settings: { payouts: { schedule: { interval: 'manual' } } },
  });
  const link = await stripe.accountLinks.create({
    account: account.id,
    type: 'account_onboarding',
    return_url: 'http://127.0.0.1/return',
    refresh_url: 'http://127.0.0.1/refresh',
  });
  await completeOnboarding(link.url);
  const coach: Coach = {
    stripeAccountId: account.id,
    accountStatus: 'active',
    chargesEnabled: true,
    payoutsEnabled: true,
    requirementsDue: [],
    acceptsPayments: true,
    currency: 'SEK',
    country: 'SE',
    terms: defaultTerms(testConfig),
    payoutSettings: { cadence: 'weekly', minimumMinor: minor(2_000) },
    createdAt: Timestamp.now(),
    updatedAt: Timestamp.now(),
  };
  await ctx.db.doc('coaches/karin').set(coach);
  const product = { name: 'Programme', currency: 'SEK', vatRate: 25, active: true };
  await ctx.db.doc('products/programme').set({ ...product, kind: 'programme', amountMinor: 49_900, coachId: 'karin' });
  await ctx.db.doc('products/premium').set({ ...product, kind: 'subscription', amountMinor: 9_900, interval: 'month' });
  await world.deliver();
});

afterEach(() => world.close());

const pay = (requestId: string, paymentMethodId?: string) =>
  processPayment(world.ctx, lisa, {
    productId: 'programme',
    requestId,
    ...(paymentMethodId ? { paymentMethodId } : {}),
  });

const read = async <T>(path: string) => (await world.ctx.db.doc(path).get()).data() as T | undefined;
const ledger = async () =>
  (await world.ctx.db.collection('ledger').get()).docs.map((doc) => doc.data() as LedgerDocument);
const intents = async () => (await world.stripe.paymentIntents.list({ limit: 100 })).data;

/** Calls fail as ordered, and no question after them is answered either. */
async function loseAnswers(kind: string, path: string): Promise<void> {
  await world.control('stripe', 'faults', { kind, method: 'POST', path, times: 100 });
  await world.control('stripe', 'faults', {
    kind: 'timeout_before',
    method: 'GET',
    path: '/v1/payment_intents',
    times: 100,
  });
}

const findStripeAgain = () => fetch(`${world.stripeEmulator.url}/_emulator/faults`, { method: 'DELETE' });

describe('processPayment', () => {
  it('sells a programme: 499 kr, 99 to the platform, 400 to the coach', async () => {
    const reply = await pay('request-1', card);
    expect(reply).toMatchObject({
      amount: 499,
      amountMinor: 49_900,
      currency: 'SEK',
      status: 'succeeded',
      breakdown: { subtotal: 399.2, vat: 99.8, total: 499, coach: 400, platformFee: 99 },
    });
    expect(reply.clientSecret).toMatch(/^pi_.+_secret_/);
    await world.deliver();
    expect(await read<Payment>(`payments/${reply.paymentId}`)).toMatchObject({
      status: 'succeeded',
      stripeFeeMinor: 929,
      netMinor: 8_971,
    });
    const moved = trialBalance(await ledger());
    expect(moved).toMatchObject({
      stripe_platform: 8_971,
      stripe_connected: 40_000,
      coach_payable: -40_000,
      fee_revenue: -9_900,
      stripe_fees: 929,
    });
    expect(await read(`coaches/karin/earnings/${reply.paymentId}`)).toMatchObject({
      amountMinor: 49_900,
      feeMinor: 9_900,
      paidMinor: 0,
    });
  });

  it('never stores a client secret', async () => {
    const reply = await pay('request-1');
    const everything = JSON.stringify([
      await read(`payments/${reply.paymentId}`),
      await read('requests/lisa_request-1'),
    ]);
    expect(everything).not.toContain('_secret_');
  });

  it('the same request again, and ten at once, is one PaymentIntent', async () => {
    const replies = await Promise.all(Array.from({ length: 10 }, () => pay('request-1', card)));
    expect(new Set(replies.map(({ paymentId }) => paymentId)).size).toBe(1);
    expect((await pay('request-1', card)).paymentId).toBe(replies[0]?.paymentId);
    expect(await intents()).toHaveLength(1);
    await expect(pay('request-1')).rejects.toMatchObject({ reason: 'request-id-reused' });
  });

  it('a declined card is the final answer of its request; another request may succeed', async () => {
    await expect(pay('request-1', 'pm_card_visa_chargeDeclined')).rejects.toMatchObject({ reason: 'card-declined' });
    const [intent] = await intents();
    expect(await read<Payment>(`payments/${intent?.id}`)).toMatchObject({ status: 'failed' });
    await expect(pay('request-1', 'pm_card_visa_chargeDeclined')).rejects.toMatchObject({ reason: 'card-declined' });
    expect((await pay('request-2', card)).status).toBe('succeeded');
  });

  it.each([
    ['nothing under that name', { productId: 'nothing' }, 'product-not-found'],
    ['a subscription', { productId: 'premium' }, 'use-create-subscription'],
  ])('refuses %s', async (_what, input, reason) => {
    await expect(processPayment(world.ctx, lisa, { requestId: 'request-1', ...input })).rejects.toMatchObject({
      reason,
    });
    expect(await intents()).toHaveLength(0);
  });

  it('refuses while the coach cannot take payments', async () => {
    await world.ctx.db.doc('coaches/karin').update({ acceptsPayments: false });
    await expect(pay('request-1')).rejects.toMatchObject({ reason: 'coach-not-accepting' });
  });

  it('Stripe takes the money and is gone: the same request finds it later, once', async () => {
    await loseAnswers('timeout_after_success', '/v1/payment_intents/');
    await expect(pay('request-1', card)).rejects.toMatchObject({ reason: 'outcome-unknown' });
    await findStripeAgain();
    expect((await pay('request-1', card)).status).toBe('succeeded');
    await world.deliver();
    expect((await intents()).map(({ status }) => status)).toEqual(['succeeded']);
    expect((await ledger()).filter(({ kind }) => kind === 'sale')).toHaveLength(1);
  });

  it('a 500 that Stripe replays under the key, after the effect: what was made is found', async () => {
    const order = { kind: 'error_500_after', method: 'POST', times: 20 };
    await world.control('stripe', 'faults', order);
    await expect(pay('request-1', card)).resolves.toMatchObject({ status: 'succeeded' });
    await world.deliver();
    expect((await intents()).map(({ status }) => status)).toEqual(['succeeded']);
    expect((await ledger()).filter(({ kind }) => kind === 'sale')).toHaveLength(1);
  });

  it('a client that never comes back: the sweep finds what was made and charges nothing', async () => {
    await loseAnswers('timeout_after_success', '/v1/payment_intents');
    await expect(pay('request-1', card)).rejects.toMatchObject({ reason: 'outcome-unknown' });
    await findStripeAgain();
    await world.advance(600_000);
    expect(await resumeCommands(world.ctx, world.now())).toMatchObject({ resumed: 1 });
    expect((await intents()).map(({ status }) => status)).toEqual(['requires_payment_method']);
    expect((await pay('request-1', card)).status).toBe('pending');
    // The customer had already bought it anew.
    expect((await pay('request-2', card)).status).toBe('succeeded');
    await world.deliver();
    expect((await ledger()).filter(({ kind }) => kind === 'sale')).toHaveLength(1);
  });

  it('a client that never comes back after the charge: the sweep learns that it succeeded', async () => {
    await loseAnswers('timeout_after_success', '/v1/payment_intents/');
    await expect(pay('request-1', card)).rejects.toMatchObject({ reason: 'outcome-unknown' });
    await findStripeAgain();
    await world.advance(600_000);
    expect(await resumeCommands(world.ctx, world.now())).toMatchObject({ resumed: 1 });
    expect((await pay('request-1', card)).status).toBe('succeeded');
  });

  it('a day later nothing is asked again: what was made is found, what was not is given up', async () => {
    await loseAnswers('timeout_after_success', '/v1/payment_intents');
    await expect(pay('request-1', card)).rejects.toMatchObject({ reason: 'outcome-unknown' });
    await findStripeAgain();
    await loseAnswers('timeout_before', '/v1/payment_intents');
    await expect(pay('request-2', card)).rejects.toMatchObject({ reason: 'outcome-unknown' });
    await findStripeAgain();
    await world.advance(hours(30));
    await resumeCommands(world.ctx, world.now());
    expect(await read('requests/lisa_request-1')).toMatchObject({ state: 'done' });
    expect(await read('requests/lisa_request-2')).toMatchObject({ state: 'refused' });
    expect((await intents()).map(({ status }) => status)).toEqual(['requires_payment_method']);
  });
});

describe('events', () => {
  it('in reverse, twice, and before our document is there: one sale', async () => {
    const reply = await pay('request-1', card);
    const payment = await read<Payment>(`payments/${reply.paymentId}`);
    await world.ctx.db.doc(`payments/${reply.paymentId}`).delete();
    const { data } = await world.control<{ data: Parameters<typeof receiveEvent>[1][] }>('stripe', 'events');
    const events = data.filter(({ type }) => type.startsWith('payment_intent.') || type.startsWith('charge.'));
    const early = await Promise.all([...events].reverse().map((event) => receiveEvent(world.ctx, event)));
    expect(early).toContain('parked');
    await world.ctx.db.doc(`payments/${reply.paymentId}`).set({ ...payment, status: 'pending' });
    await releaseParked(world.ctx, `payments/${reply.paymentId}`);
    for (const event of [...events, ...events]) await receiveEvent(world.ctx, event);
    expect(await read<Payment>(`payments/${reply.paymentId}`)).toMatchObject({ status: 'succeeded', netMinor: 8_971 });
    expect((await ledger()).map(({ kind }) => kind).sort()).toEqual(['fee', 'sale']);
  });

  it.each([
    ['abandoned', 'applied'],
    ['requested_by_customer', 'parked'],
  ] as const)('of an intent without a payment that was canceled (%s): %s', async (cancellation_reason, receipt) => {
    const { id } = await world.stripe.paymentIntents.create({ amount: 49_900, currency: 'sek' });
    await world.stripe.paymentIntents.cancel(id, { cancellation_reason });
    const told = (await world.deliver()).find(({ event }) => event.type === 'payment_intent.canceled');
    expect(told?.receipt).toBe(receipt);
    expect(await read(`payments/${id}`)).toBeUndefined();
  });

  it('whose balance transactions come late book the sale when they come', async () => {
    await world.control('stripe', 'switches', { chargeBalanceTransactionDelaySeconds: 60 });
    const reply = await pay('request-1', card);
    await world.deliver();
    expect(await read<Payment>(`payments/${reply.paymentId}`)).toMatchObject({ status: 'succeeded', netMinor: null });
    expect(await ledger()).toHaveLength(0);
    await world.advance(61_000);
    await world.deliver();
    expect(await read<Payment>(`payments/${reply.paymentId}`)).toMatchObject({ netMinor: 8_971 });
  });

  it('that never come are made up for by the sweep', async () => {
    const reply = await pay('request-1', card);
    await world.advance(hours(1));
    expect(await resumeCommands(world.ctx, world.now())).toMatchObject({ booked: 1 });
    expect(await read<Payment>(`payments/${reply.paymentId}`)).toMatchObject({ netMinor: 8_971 });
  });

  it('of a type nobody handles are kept as envelopes', async () => {
    const [received] = (await world.stripe.products.create({ name: 'Of nobody’s' })) ? await world.deliver() : [];
    expect(received?.receipt).toBe('ignored');
    const stored = await read<{ state: string; payload?: object }>(`stripeEvents/${received?.event.id}`);
    expect(stored).toMatchObject({ state: 'ignored' });
    expect(stored?.payload).toBeUndefined();
  });
});

describe('createSubscription', () => {
  const subscribe = (requestId: string, paymentMethodId?: string) =>
    createSubscription(world.ctx, lisa, {
      productId: 'premium',
      requestId,
      ...(paymentMethodId ? { paymentMethodId } : {}),
    });

  it('sells premium as own revenue and becomes active', async () => {
    const reply = await subscribe('request-1', card);
    expect(reply).toMatchObject({ amount: 99, amountMinor: 9_900, currency: 'SEK' });
    await world.deliver();
    expect(await read(`subscriptions/${reply.subscriptionId}`)).toMatchObject({
      userId: 'lisa',
      productId: 'premium',
      status: 'active',
    });
    expect(await read(`payments/${reply.paymentId}`)).toMatchObject({
      status: 'succeeded',
      subscriptionId: reply.subscriptionId,
      netMinor: 9_571,
    });
    expect(trialBalance(await ledger())).toMatchObject({
      stripe_platform: 9_571,
      own_revenue: -9_900,
      stripe_fees: 329,
    });
  });

  it('waits for the client when no payment method is named, and is made once', async () => {
    const first = await subscribe('request-1');
    expect(first.status).toBe('incomplete');
    expect(first.clientSecret).toMatch(/_secret_/);
    expect((await subscribe('request-1')).subscriptionId).toBe(first.subscriptionId);
    expect(await subscribe('request-2')).toMatchObject({
      paymentId: first.paymentId,
      clientSecret: first.clientSecret,
    });
    expect((await subscribe('request-3', card)).subscriptionId).toBe(first.subscriptionId);
    await expect(subscribe('request-4')).rejects.toMatchObject({ reason: 'already-subscribed' });
  });

  it('a second subscriber pays the same Stripe price', async () => {
    await subscribe('request-1', card);
    await createSubscription(
      world.ctx,
      { ...lisa, uid: 'eva', email: 'eva@example.se' },
      { productId: 'premium', requestId: 'request-1' },
    );
    expect((await world.stripe.prices.list()).data).toHaveLength(1);
  });
});
