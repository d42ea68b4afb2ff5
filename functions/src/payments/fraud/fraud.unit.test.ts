import type { Flag } from '../../admin/flags.ts';
import { minutes } from '../../platform/clock.ts';
import { requireRoom } from '../../platform/throttle.ts';
import { createTestWorld, type TestWorld } from '../../testing/world.ts';
import { receiveEvent } from '../../webhooks/webhooks.service.ts';
import { processPayment } from '../payments.service.ts';

const lisa = { uid: 'lisa', email: 'lisa@example.se', name: 'Lisa Kund', coach: false, admin: false };
const cards = { perMinute: 20, perDay: 200, cards: true } as const;

let world: TestWorld;

beforeEach(async () => {
  world = await createTestWorld();
  const product = { name: 'Book', kind: 'good', amountMinor: 19_900, currency: 'SEK', vatRate: 25, active: true };
  await world.ctx.db.doc('products/book').set(product);
});

afterEach(() => world.close());

const pay = (requestId: string, paymentMethodId: string) =>
  processPayment(world.ctx, lisa, { productId: 'book', requestId, paymentMethodId });
const read = async <T>(path: string) => (await world.ctx.db.doc(path).get()).data() as T | undefined;
const flags = async () => (await world.ctx.db.collection('flags').get()).docs.map((doc) => doc.data() as Flag);
const room = () => requireRoom(world.ctx, 'lisa', 'processPayment', cards, {});

async function decline(times: number): Promise<void> {
  for (let n = 0; n < times; n++) {
    await expect(pay(`declined-${n}`, 'pm_card_visa_chargeDeclined')).rejects.toMatchObject({
      reason: 'card-declined',
    });
  }
}

describe('cards that are tried out', () => {
  it('pauses the user and tells a person, once, however often the events come', async () => {
    await decline(4);
    await world.deliver();
    await room();
    await decline(6);
    const delivered = await world.deliver();
    for (const { event } of delivered) await receiveEvent(world.ctx, event);
    await expect(room()).rejects.toMatchObject({ reason: 'too-many-declines' });
    expect(await flags()).toMatchObject([{ kind: 'card-testing', status: 'open', subject: 'customers/lisa' }]);
    await world.advance(minutes(16));
    await room();
  });

  it('ends the intent that a browser still holds the secret of', async () => {
    const { paymentId } = await processPayment(world.ctx, lisa, { productId: 'book', requestId: 'in-browser' });
    for (let n = 0; n < 5; n++) {
      await expect(
        world.stripe.paymentIntents.confirm(paymentId, { payment_method: 'pm_card_visa_chargeDeclined' }),
      ).rejects.toMatchObject({ code: 'card_declined' });
    }
    await world.deliver();
    await world.deliver();
    expect((await world.stripe.paymentIntents.retrieve(paymentId)).status).toBe('canceled');
    expect(await read(`payments/${paymentId}`)).toMatchObject({ status: 'canceled' });
  });

  it('cards tried out by saving them count as well', async () => {
    const setup = await world.stripe.setupIntents.create({
      automatic_payment_methods: { enabled: true, allow_redirects: 'never' },
      metadata: { userId: 'lisa' },
    });
    for (let n = 0; n < 5; n++) {
      await expect(
        world.stripe.setupIntents.confirm(setup.id, { payment_method: 'pm_card_visa_chargeDeclined' }),
      ).rejects.toMatchObject({ code: 'card_declined' });
    }
    await world.deliver();
    await expect(room()).rejects.toMatchObject({ reason: 'too-many-declines' });
    expect((await world.stripe.setupIntents.retrieve(setup.id)).status).toBe('canceled');
  });

  it('a tenant’s word on whose card it was is not taken', async () => {
    await decline(6);
    const { data } = await world.control<{ data: Parameters<typeof receiveEvent>[1][] }>('stripe', 'events');
    const failed = data.filter(({ type }) => type === 'payment_intent.payment_failed');
    expect(failed).toHaveLength(6);
    for (const event of failed) await receiveEvent(world.ctx, { ...event, account: 'acct_tenant' });
    await room();
    expect((await flags()).filter(({ kind }) => kind === 'card-testing')).toEqual([]);
  });
});

describe('what Stripe warns of', () => {
  it('an early fraud warning is a flag that closes when the payment is refunded, in any order of the events', async () => {
    const { paymentId } = await pay('efw', 'pm_card_createIssuerFraudRecord');
    await world.deliver();
    const [open] = await flags();
    expect(open).toMatchObject({ kind: 'early-fraud-warning', status: 'open', subject: `payments/${paymentId}` });
    await world.stripe.refunds.create({ payment_intent: paymentId });
    await world.deliver();
    expect(await flags()).toMatchObject([{ kind: 'early-fraud-warning', status: 'resolved', resolvedBy: 'system' }]);
    const { data } = await world.control<{ data: Parameters<typeof receiveEvent>[1][] }>('stripe', 'events');
    const warnings = data.filter(({ type }) => type.startsWith('radar.'));
    for (const event of warnings.reverse()) await receiveEvent(world.ctx, { ...event, id: `${event.id}_late` });
    expect(await flags()).toMatchObject([{ status: 'resolved' }]);
  });

  it('a review is a flag until it is closed; the payment stands meanwhile', async () => {
    const { paymentId } = await pay('review', 'pm_card_riskLevelElevated');
    await world.deliver();
    expect(await flags()).toMatchObject([{ kind: 'review', status: 'open' }]);
    expect(await read(`payments/${paymentId}`)).toMatchObject({ status: 'succeeded' });
    const [review] = (await world.stripe.reviews.list()).data;
    await world.stripe.reviews.approve(review?.id ?? '');
    await world.deliver();
    expect(await flags()).toMatchObject([
      { kind: 'review', status: 'resolved', resolution: 'At Stripe it is approved.' },
    ]);
  });
});
