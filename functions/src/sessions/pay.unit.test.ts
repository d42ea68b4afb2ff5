import type Stripe from 'stripe';
import { createCheckoutSession } from '../payments/checkout/checkout.service.ts';
import { processPayment } from '../payments/payments.service.ts';
import { resumeCommands } from '../payments/recovery.service.ts';
import { refundPayment, resolveRefunds } from '../payments/refunds/refunds.service.ts';
import { days, minutes } from '../platform/clock.ts';
import { lisa, omar, openBookings, type Bookings } from '../testing/bookings.ts';
import type { LedgerDocument } from '../ledger/ledger.ts';
import { receiveEvent } from '../webhooks/webhooks.service.ts';
import { expireSessions } from './expiry.service.ts';
import type { Session } from './sessions.ts';

const card = 'pm_card_bypassPending';
const admin = { ...lisa, uid: 'anna', admin: true };

let shop: Bookings;
let asked: number;
beforeEach(async () => {
  shop = await openBookings();
  asked = 0;
});
afterEach(() => shop.close());

const pay = (sessionId: string, paymentMethodId = card, by = lisa) =>
  processPayment(shop.ctx, by, {
    sessionId,
    requestId: `payment-${++asked}`,
    paymentMethodId,
  });
const begin = async (sessionId: string) =>
  (await processPayment(shop.ctx, lisa, { sessionId, requestId: `payment-${++asked}` })).paymentId;
const confirm = (paymentId: string, payment_method = card) =>
  shop.stripe.paymentIntents.confirm(paymentId, { payment_method, return_url: 'http://127.0.0.1/' });
const page = async (sessionId: string) => {
  const input = { mode: 'payment', sessionId, successUrl: 'http://127.0.0.1:5000/done' } as const;
  return createCheckoutSession(shop.ctx, lisa, { ...input, requestId: `page-${++asked}` });
};
const payOnPage = (url: string) =>
  fetch(url, { method: 'POST', redirect: 'manual', body: new URLSearchParams({ action: 'pay', card }) });
const sweep = () => expireSessions(shop.ctx, shop.now());
const charges = async () =>
  (await shop.stripe.charges.list({ limit: 100 })).data.filter(({ metadata }) => metadata.sessionId);
const refunded = async () => (await charges()).map(({ amount_refunded }) => amount_refunded);

describe('paying for a session', () => {
  it('charges its price, which is held, and keeps the time for good', async () => {
    const { sessionId } = await shop.book();
    const { paymentId, status, breakdown } = await pay(sessionId);
    await shop.deliver();
    expect({ status, breakdown }).toMatchObject({
      status: 'succeeded',
      breakdown: { total: 600, platformFee: 120, coach: 480 },
    });
    const session = await shop.session(sessionId);
    expect(session).toMatchObject({
      paymentStatus: 'paid',
      activePaymentId: paymentId,
      paidBy: { with: 'payment', paymentId },
    });
    expect(session.payBy).toBeUndefined();
    expect(await shop.payment(paymentId)).toMatchObject({
      chargeModel: 'separate',
      sessionId,
      held: { leftMinor: 60_000 },
    });
    const sale = (await shop.all<LedgerDocument>('ledger')).find(
      (each) => each.paymentId === paymentId && each.kind === 'session_paid',
    );
    expect(sale?.deltas).toMatchObject({ stripe_platform: 60_000, session_held: -60_000 });
    await shop.advance(minutes(45));
    expect(await sweep()).toEqual({ expired: 0, givenBack: 0 });
    expect(await shop.holders()).toEqual([sessionId]);
    expect(await shop.read(`mail/session-booked_${sessionId}`)).toMatchObject({ toUids: ['karin', 'lisa'] });
    await shop.expectBooksAsStripe();
  });

  it('is for the payer only', async () => {
    const { sessionId } = await shop.book({ student: { name: 'Omar', userId: 'omar' } });
    await expect(pay(sessionId, card, omar)).rejects.toMatchObject({ reason: 'session-not-found' });
    await expect(pay('nothing')).rejects.toMatchObject({ reason: 'session-not-found' });
  });

  it('is refused for the product itself', async () => {
    const input = { productId: 'hour', requestId: 'payment-1' };
    await expect(processPayment(shop.ctx, lisa, input)).rejects.toMatchObject({ reason: 'use-book-session' });
  });

  it('is refused where it is paid, with money or a credit', async () => {
    const { sessionId } = await shop.book();
    await pay(sessionId);
    await expect(pay(sessionId)).rejects.toMatchObject({ reason: 'session-paid' });
    await shop.buy({ productId: 'two' });
    const { sessionId: withCredit } = await shop.book({ hours: 60, useCredit: true });
    await expect(pay(withCredit)).rejects.toMatchObject({ reason: 'paid-with-credit' });
  });

  it('goes on after a decline, with the same PaymentIntent', async () => {
    const { sessionId } = await shop.book();
    await expect(pay(sessionId, 'pm_card_visa_chargeDeclined')).rejects.toMatchObject({ reason: 'card-declined' });
    expect(await shop.session(sessionId)).toMatchObject({ paymentStatus: 'failed', status: 'booked' });
    const { activePaymentId } = await shop.session(sessionId);
    expect((await pay(sessionId)).paymentId).toBe(activePaymentId);
    expect(await shop.session(sessionId)).toMatchObject({ paymentStatus: 'paid' });
  });

  it('charges once from two tabs and a page', async () => {
    const { sessionId } = await shop.book();
    const tab = async () => void (await confirm(await begin(sessionId)));
    await Promise.allSettled([tab(), page(sessionId).then(({ url }) => payOnPage(url)), tab()]);
    await shop.deliver();
    const paid = (await charges()).length;
    expect(paid).toBeLessThanOrEqual(1);
    expect((await shop.session(sessionId)).paymentStatus).toBe(paid === 1 ? 'paid' : 'pending');
  });

  it('works on a page of Stripe’s', async () => {
    const { sessionId } = await shop.book();
    await payOnPage((await page(sessionId)).url);
    await shop.deliver();
    const { paymentStatus, activePaymentId = '' } = await shop.session(sessionId);
    expect(paymentStatus).toBe('paid');
    expect(await shop.payment(activePaymentId)).toMatchObject({ held: { leftMinor: 60_000 }, sessionId });
  });

  it('survives a death at every step', async () => {
    const { sessionId } = await shop.book();
    const input = { sessionId, requestId: 'the-payment', paymentMethodId: card };
    let died = 0;
    for (let done = false; !done; died++) {
      shop.dieAfter(died);
      done = await processPayment(shop.ctx, lisa, input).then(
        () => true,
        () => false,
      );
      shop.revive();
    }
    expect(died).toBeGreaterThan(10);
    const { data: events } = await shop.control<{ data: Stripe.Event[] }>('stripe', 'events');
    for (const event of events.toReversed()) await receiveEvent(shop.ctx, event);
    for (const event of events) await receiveEvent(shop.ctx, event);
    expect(await charges()).toHaveLength(1);
    expect(await shop.session(sessionId)).toMatchObject({ paymentStatus: 'paid' });
    expect(await shop.openFlags()).toEqual([]);
    await shop.expectBooksAsStripe();
  });

  it('to a tenant is the tenant’s at once', async () => {
    await shop.close();
    shop = await openBookings({ chargeModel: 'direct' });
    const { sessionId } = await shop.book();
    const paymentId = await begin(sessionId);
    await shop.stripe.paymentIntents.confirm(
      paymentId,
      { payment_method: card, return_url: 'http://127.0.0.1/' },
      { stripeAccount: shop.account },
    );
    await shop.deliver();
    expect(await shop.session(sessionId)).toMatchObject({ paymentStatus: 'paid' });
    expect((await shop.payment(paymentId)).held).toBeUndefined();
    await shop.expectBooksAsStripe();
  });
});

describe('a session’s payment afterwards', () => {
  const paid = async (more = {}) => {
    const { sessionId } = await shop.book(more);
    const { paymentId } = await pay(sessionId);
    await shop.deliver();
    return { sessionId, paymentId };
  };

  it('gives a part back: it takes place', async () => {
    const { sessionId, paymentId } = await paid();
    await refundPayment(shop.ctx, admin, { paymentId, amountMinor: 10_000, requestId: 'refund-1' });
    await shop.deliver();
    expect(await shop.session(sessionId)).toMatchObject({ status: 'booked', paymentStatus: 'partially_refunded' });
  });

  it('gives all back: it is canceled and its time free', async () => {
    const { sessionId, paymentId } = await paid();
    await refundPayment(shop.ctx, admin, { paymentId, requestId: 'refund-1' });
    await shop.deliver();
    expect(await shop.session(sessionId)).toMatchObject({
      status: 'canceled',
      paymentStatus: 'refunded',
      canceledBy: 'system',
    });
    expect(await shop.holders()).toEqual([]);
    expect(await sweep()).toEqual({ expired: 0, givenBack: 0 });
    await shop.expectBooksAsStripe();
  });

  it('gives back all that credits cost: what was booked with them is canceled', async () => {
    const paymentId = await shop.buy({ productId: 'two' });
    const { sessionId } = await shop.book({ useCredit: true });
    const { sessionId: other } = await paid({ hours: 60 });
    await refundPayment(shop.ctx, admin, { paymentId, amountMinor: 50_000, requestId: 'refund-1' });
    await shop.deliver();
    expect(await shop.session(sessionId)).toMatchObject({ status: 'booked' });
    await refundPayment(shop.ctx, admin, { paymentId, requestId: 'refund-2' });
    await shop.deliver();
    expect(await shop.session(sessionId)).toMatchObject({ status: 'canceled', canceledBy: 'system' });
    expect(await shop.holders()).toEqual([other]);
    await shop.expectBooksAsStripe();
  });

  it('is disputed: nothing changes before it is lost', async () => {
    const { sessionId } = await shop.book();
    await pay(sessionId, 'pm_card_createDispute');
    await shop.deliver();
    expect(await shop.session(sessionId)).toMatchObject({ status: 'booked', paymentStatus: 'paid' });
    const [dispute] = (await shop.stripe.disputes.list()).data;
    const evidence = { uncategorized_text: 'losing_evidence' };
    await shop.stripe.disputes.update(dispute?.id ?? '', { evidence, submit: true });
    await shop.advance(days(1));
    await shop.deliver();
    expect(await shop.session(sessionId)).toMatchObject({ status: 'canceled', paymentStatus: 'refunded' });
    await shop.expectBooksAsStripe();
  });

  it('that is not the session’s marks nothing paid, and a person hears of it', async () => {
    const { sessionId } = await shop.book();
    const paymentId = await begin(sessionId);
    await shop.ctx.db.doc(`sessions/${sessionId}`).update({ amountMinor: 50_000 });
    await confirm(paymentId);
    await shop.deliver();
    expect(await shop.session(sessionId)).toMatchObject({ paymentStatus: 'pending' });
    expect(await shop.openFlags()).toEqual([`session-payment-differs_${paymentId}`]);
  });
});

describe('a session that is not paid in time', () => {
  it('is canceled by the sweep', async () => {
    const { sessionId } = await shop.book();
    await shop.advance(minutes(31));
    await expect(pay(sessionId)).rejects.toMatchObject({ reason: 'booking-expired' });
    expect(await sweep()).toEqual({ expired: 1, givenBack: 0 });
    expect(await shop.session(sessionId)).toMatchObject({
      status: 'canceled',
      canceledBy: 'system',
      paymentStatus: 'unpaid',
    });
    expect(await shop.holders()).toEqual([]);
    await expect(pay(sessionId)).rejects.toMatchObject({ reason: 'session-not-booked' });
    expect(await sweep()).toEqual({ expired: 0, givenBack: 0 });
  });

  it('cannot be paid once its time is somebody else’s', async () => {
    const startsAt = shop.inHours(48).toISOString();
    const { sessionId } = await shop.book({ startsAt });
    await shop.advance(minutes(31));
    const { sessionId: other } = await shop.book({ startsAt }, omar);
    expect(await sweep()).toEqual({ expired: 1, givenBack: 0 });
    expect(await shop.session(sessionId)).toMatchObject({ status: 'canceled' });
    expect(await shop.holders()).toEqual([other]);
  });

  it('keeps its time while it is being paid, until nobody can pay any more', async () => {
    const startsAt = shop.inHours(48).toISOString();
    const { sessionId } = await shop.book({ startsAt });
    const paymentId = await begin(sessionId);
    await shop.advance(minutes(31));
    await expect(shop.book({ startsAt }, omar)).rejects.toMatchObject({ reason: 'time-taken' });
    expect(await sweep()).toMatchObject({ expired: 1 });
    await expect(confirm(paymentId)).rejects.toMatchObject({ code: 'payment_intent_unexpected_state' });
    await shop.book({ startsAt }, omar);
    await shop.deliver();
    expect(await shop.session(sessionId)).toMatchObject({ status: 'canceled', paymentStatus: 'unpaid' });
  });

  it('the same on a page', async () => {
    const { sessionId } = await shop.book();
    const { url, checkoutId } = await page(sessionId);
    await shop.advance(minutes(31));
    expect(await shop.holders()).toEqual([sessionId]);
    expect(await sweep()).toMatchObject({ expired: 1 });
    expect((await shop.stripe.checkout.sessions.retrieve(checkoutId)).status).toBe('expired');
    await payOnPage(url);
    expect(await charges()).toEqual([]);
  });

  it('is kept when the money came a moment before', async () => {
    const { sessionId } = await shop.book();
    await confirm(await begin(sessionId));
    await shop.advance(minutes(31));
    expect(await sweep()).toEqual({ expired: 0, givenBack: 0 });
    await shop.deliver();
    expect(await shop.session(sessionId)).toMatchObject({ status: 'booked', paymentStatus: 'paid' });
    expect((await shop.session(sessionId)).payBy).toBeUndefined();
  });

  it('waits for a bank debit, and is canceled when that fails', async () => {
    await shop.control('stripe', 'switches', { debitsInSek: true });
    const { sessionId } = await shop.book({ hours: 24 * 20 });
    const paymentId = await begin(sessionId);
    const debit = await shop.stripe.paymentMethods.create({
      type: 'sepa_debit',
      sepa_debit: { iban: 'DE62370400440532013001' },
      billing_details: { name: 'Lisa', email: 'lisa@example.se' },
    });
    await confirm(paymentId, debit.id);
    await shop.advance(minutes(31));
    expect(await sweep()).toEqual({ expired: 0, givenBack: 0 });
    expect(await shop.session(sessionId)).toMatchObject({ status: 'booked', paymentStatus: 'pending' });
    await shop.advance(days(10));
    await shop.deliver();
    expect(await shop.session(sessionId)).toMatchObject({ paymentStatus: 'failed' });
    expect(await sweep()).toEqual({ expired: 1, givenBack: 0 });
    expect(await shop.holders()).toEqual([]);
  });

  it('is canceled however often the process dies', async () => {
    const { sessionId } = await shop.book();
    await begin(sessionId);
    await shop.advance(minutes(31));
    for (let died = 0; ; died++) {
      shop.dieAfter(died);
      await sweep().catch(() => undefined);
      if (!shop.revive()) break;
    }
    expect(await shop.session(sessionId)).toMatchObject({ status: 'canceled', paymentStatus: 'unpaid' });
    expect(await shop.holders()).toEqual([]);
  });

  it('is not paid by a command that died before it, and finished later', async () => {
    const { sessionId } = await shop.book();
    const input = { sessionId, requestId: 'the-payment', paymentMethodId: card };
    shop.dieAfter(9);
    await processPayment(shop.ctx, lisa, input).catch(() => undefined);
    expect(shop.revive()).toBe(true);
    await shop.advance(minutes(31));
    await sweep();
    await resumeCommands(shop.ctx, shop.now());
    await shop.deliver();
    await sweep();
    expect(await charges()).toEqual([]);
    expect(await shop.session(sessionId)).toMatchObject({ status: 'canceled' });
    await expect(processPayment(shop.ctx, lisa, input)).rejects.toMatchObject({ reason: expect.any(String) as string });
  });
});

describe('money that comes after all', () => {
  /** Somebody canceled it while its bank debit was under way. */
  const late = async () => {
    const { sessionId } = await shop.book();
    const paymentId = await begin(sessionId);
    await shop.ctx.db.doc(`sessions/${sessionId}`).update({ status: 'canceled', canceledBy: 'coach' });
    await confirm(paymentId);
    await shop.deliver();
    return { sessionId, paymentId };
  };

  it('is given back whole, once, and a person hears of it', async () => {
    const { sessionId, paymentId } = await late();
    expect(await shop.session(sessionId)).toMatchObject({ status: 'canceled', paymentStatus: 'paid', refundDue: true });
    expect(await shop.openFlags()).toEqual([`session-paid-late_${paymentId}`]);
    for (let died = 0; ; died++) {
      shop.dieAfter(died);
      await sweep().catch(() => undefined);
      if (!shop.revive()) break;
    }
    await sweep();
    await shop.advance(minutes(6));
    await resolveRefunds(shop.ctx, shop.now());
    await shop.deliver();
    expect(await refunded()).toEqual([60_000]);
    const session: Session = await shop.session(sessionId);
    expect(session).toMatchObject({ status: 'canceled', paymentStatus: 'refunded' });
    expect(session.refundDue).toBeUndefined();
    await shop.expectBooksAsStripe();
  });

  it('is not given back twice where a person was faster', async () => {
    const { sessionId, paymentId } = await late();
    await refundPayment(shop.ctx, admin, { paymentId, requestId: 'refund-1' });
    await sweep();
    await shop.deliver();
    await sweep();
    expect(await refunded()).toEqual([60_000]);
    expect((await shop.session(sessionId)).refundDue).toBeUndefined();
  });
});
