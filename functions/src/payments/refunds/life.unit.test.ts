import fc from 'fast-check';
import { trialBalance, type LedgerDocument } from '../../ledger/ledger.ts';
import { days, hours, minutes } from '../../platform/clock.ts';
import { minor } from '../../platform/money.ts';
import { runWrites } from '../../platform/write.ts';
import { openShop, payOutAll, type Shop } from '../../testing/shop.ts';
import { resolveTransfers } from '../transfers/resolve.service.ts';
import type { Transfer } from '../transfers/transfers.ts';
import { resolveRefunds } from './resolve.service.ts';
import type { RefundOrder } from './orders.ts';
import { planRefund, refundPayment, sendRefund, type RefundReply } from './refunds.service.ts';
import { refundIdOf, type Refund } from './refunds.ts';

const anna = { uid: 'anna', coach: false, admin: true };

let shop: Shop;
afterEach(() => shop.close());

let asked = 0;
const refund = async (paymentId: string, amountMinor?: number) =>
  (await refundPayment(shop.ctx, anna, {
    paymentId,
    requestId: `refund-${++asked}000`,
    ...(amountMinor === undefined ? {} : { amountMinor }),
  })) as RefundReply;
const books = async () => trialBalance(await shop.all<LedgerDocument>('ledger'));
const refunds = () => shop.all<Refund>('refunds');
const orders = () => shop.all<RefundOrder>('refundOrders');
const letters = async () =>
  (await shop.all<{ toUids: string[]; message: { subject: string } }>('mail')).map(({ toUids, message }) => [
    ...toUids,
    message.subject,
  ]);

describe('a refund', () => {
  beforeEach(async () => {
    shop = await openShop();
  });

  it('may be pending for a day, and then is done', async () => {
    const paymentId = await shop.buy({ card: 'pm_card_pendingRefund' });
    expect(await refund(paymentId)).toMatchObject({ status: 'pending' });
    await expect(refund(paymentId)).rejects.toMatchObject({ reason: 'already-refunded' });
    await shop.advance(days(1) + hours(1));
    await shop.deliver();
    expect(await refunds()).toMatchObject([{ status: 'succeeded' }]);
    expect(await shop.payment(paymentId)).toMatchObject({ status: 'refunded', refundedMinor: 49_900 });
    await shop.expectBooksAsStripe();
    expect(await shop.openFlags()).toEqual([]);
  });

  it('whose events are all lost is booked by the sweep', async () => {
    const paymentId = await shop.buy();
    await refund(paymentId, 10_000);
    await shop.advance(minutes(6));
    await resolveRefunds(shop.ctx, shop.now());
    expect(await shop.payment(paymentId)).toMatchObject({ status: 'partially_refunded', refundedMinor: 10_000 });
    expect(await orders()).toMatchObject([{ checkAt: null }]);
    await shop.expectBooksAsStripe();
  });

  it('pending whose events are lost is looked up by the sweep', async () => {
    const paymentId = await shop.buy({ card: 'pm_card_pendingRefund' });
    await refund(paymentId);
    await shop.advance(days(1) + hours(1));
    await resolveRefunds(shop.ctx, shop.now());
    expect(await refunds()).toMatchObject([{ status: 'succeeded' }]);
    expect(await orders()).toMatchObject([{ checkAt: null }]);
  });

  it('that fails later is owed to the customer, who is told; made anew it takes nothing more from the coach', async () => {
    const paymentId = await shop.buy({ card: 'pm_card_refundFail' });
    expect(await refund(paymentId)).toMatchObject({ status: 'succeeded' });
    await shop.advance(days(1) + hours(1));
    await shop.deliver();
    expect(await refunds()).toMatchObject([{ status: 'failed', failureReason: 'expired_or_canceled_card' }]);
    expect(await shop.payment(paymentId)).toMatchObject({ status: 'succeeded', refundedMinor: 0 });
    expect(await books()).toMatchObject({ customer_payable: -49_900, coach_receivable: 0, stripe_connected: 0 });
    expect(await letters()).toContainEqual(['lisa', expect.stringContaining('did not arrive')]);
    expect(await shop.openFlags()).toEqual([expect.stringMatching(/^refund-failed_/)]);
    await refund(paymentId, 20_000);
    await refund(paymentId);
    await shop.deliver();
    expect(await orders()).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ way: 'plain', amountMinor: 20_000, recovery: 'none' }),
        expect.objectContaining({ way: 'plain', amountMinor: 29_900, recovery: 'none' }),
      ]),
    );
    expect(await books()).toMatchObject({ customer_payable: 0, coach_receivable: 0, coach_payable: 0, fee_revenue: 0 });
    expect(await shop.payment(paymentId)).toMatchObject({ status: 'refunded', refundedMinor: 49_900 });
    await shop.expectBooksAsStripe();
  });

  it('that waits for the platform’s money and is canceled never was; the share it took serves the next', async () => {
    const paymentId = await shop.buy();
    // A share of 400 comes back, and 499 are to go: without the mat's money that must wait.
    const { available } = await shop.stripe.balance.retrieve();
    await shop.stripe.payouts.create({ amount: available[0]?.amount ?? 0, currency: 'sek' });
    const first = await refund(paymentId);
    expect(first.status).toBe('pending');
    const [made] = (await shop.stripe.refunds.list({ payment_intent: paymentId })).data;
    await shop.stripe.refunds.cancel(made?.id ?? '');
    await shop.deliver();
    expect(await refunds()).toMatchObject([{ refundId: first.refundId, status: 'canceled' }]);
    expect(await shop.payment(paymentId)).toMatchObject({ status: 'succeeded', refundedMinor: 0 });
    expect(await shop.openFlags()).toContain(`refund-canceled_${first.refundId}`);
    await shop.buy({ productId: 'mat' });
    expect(await refund(paymentId)).toMatchObject({ status: 'succeeded' });
    await shop.deliver();
    expect(await orders()).toContainEqual(
      expect.objectContaining({ way: 'plain', recovery: 'none', aheadMinor: 49_900 }),
    );
    expect(await books()).toMatchObject({ coach_receivable: 0, coach_payable: 0, stripe_connected: 0 });
  });

  it('made in Stripe’s dashboard has a document and stands in the audit log; ours counts it', async () => {
    const paymentId = await shop.buy();
    const made = await shop.stripe.refunds.create({
      payment_intent: paymentId,
      amount: 10_000,
      reason: 'duplicate',
      reverse_transfer: true,
      refund_application_fee: true,
    });
    await shop.deliver();
    await shop.deliver();
    expect(await refunds()).toMatchObject([
      {
        refundId: made.id,
        origin: 'stripe',
        amountMinor: 10_000,
        status: 'succeeded',
        reason: 'duplicate',
        userId: 'lisa',
      },
    ]);
    expect(await shop.all('auditLog')).toMatchObject([{ action: 'refund-at-stripe', subject: `refunds/${made.id}` }]);
    expect(await shop.openFlags()).toEqual([]);
    expect(await refund(paymentId)).toMatchObject({ amountMinor: 39_900, refundedMinor: 49_900 });
    await shop.deliver();
    await shop.expectBooksAsStripe();
  });

  it('that names one of ours and is not it is no refund of ours, and a person is told', async () => {
    const paymentId = await shop.buy();
    const ours = await refund(paymentId, 10_000);
    const params = { payment_intent: paymentId, amount: 10_000, metadata: { refundId: ours.refundId } };
    const lie = await shop.stripe.refunds.create(params);
    await shop.deliver();
    expect(await shop.openFlags()).toContain(`refund-twice_${lie.id}`);
    expect(await shop.read(`refunds/${lie.id}`)).toMatchObject({ origin: 'stripe', amountMinor: 10_000 });
    expect(await shop.payment(paymentId)).toMatchObject({ refundedMinor: 20_000 });
    await shop.expectBooksAsStripe();
  });
});

describe('any sequence of parts', () => {
  it('ends where one full refund would: nobody has anything of it, to the öre', async () => {
    const sequences = fc.array(fc.integer({ min: 1, max: 20_000 }), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(sequences, fc.boolean(), async (parts, poor) => {
        shop = await openShop({ feePercent: 17.35, feeRounding: 'minor' });
        const paymentId = await shop.buy();
        if (poor) await payOutAll(shop);
        for (const part of parts) await refund(paymentId, part).catch(() => undefined);
        await refund(paymentId).catch(() => undefined);
        await shop.deliver();
        expect(await shop.payment(paymentId)).toMatchObject({ status: 'refunded', refundedMinor: 49_900 });
        const { coach_payable, coach_receivable, fee_revenue } = await books();
        const coach = await shop.read<{ amountMinor: number; feeMinor: number; paidMinor: number }>(
          `coaches/karin/earnings/${paymentId}`,
        );
        expect({ coach: coach_payable + coach_receivable, fee_revenue }).toEqual({
          coach: coach?.paidMinor,
          fee_revenue: 0,
        });
        await shop.expectBooksAsStripe();
        await shop.close();
      }),
      { numRuns: 6 },
    );
    shop = await openShop();
  }, 120_000);
});

describe('other charge models', () => {
  it('separate: the platform refunds, then takes the coach’s part of the transfer back', async () => {
    shop = await openShop({ chargeModel: 'separate' });
    const paymentId = await shop.buy();
    await resolveTransfers(shop.ctx, shop.now());
    await shop.deliver();
    const held = (await shop.payment(paymentId)).held;
    expect(held).toBeUndefined();
    expect(await refund(paymentId, 10_000)).toMatchObject({ status: 'succeeded' });
    expect(await orders()).toMatchObject([{ way: 'plain', recovery: 'done' }]);
    await refund(paymentId);
    await shop.deliver();
    expect(await books()).toMatchObject({ coach_payable: 0, coach_receivable: 0, stripe_connected: 0, fee_revenue: 0 });
    const backs = (await shop.all<Transfer>('transfers')).filter(({ kind }) => kind === 'reversal');
    expect(backs.reduce((sum, { amountMinor }) => sum + amountMinor, 0)).toBe(40_000);
    await shop.expectBooksAsStripe();
    expect(await shop.openFlags()).toEqual([]);
  });

  it('held money goes back without touching the coach; of a late cancellation what is kept is shared like a sale', async () => {
    shop = await openShop({ chargeModel: 'separate' });
    const bundle = {
      kind: 'bundle',
      name: 'Bundle',
      currency: 'SEK',
      amountMinor: 90_000,
      credits: 3,
      coachId: 'karin',
    };
    await shop.ctx.db.doc('products/bundle').set({ ...bundle, vatRate: 25, active: true, interval: 'month' });
    const before = await books();
    const paymentId = await shop.buy({ productId: 'bundle' });
    expect((await shop.payment(paymentId)).held).toMatchObject({ leftMinor: 90_000 });
    await refund(paymentId, 30_000);
    await shop.deliver();
    const refundId = refundIdOf({ uid: 'karin', requestId: 'late-session-1' });
    const kept = { coachMinor: minor(24_000), feeMinor: minor(6_000) };
    await shop.ctx.db.runTransaction(async (tx) => {
      const ask = { refundId, amountMinor: minor(30_000), by: 'karin', kept };
      const planned = await planRefund(shop.ctx, tx, await shop.payment(paymentId), ask);
      runWrites(tx, planned.writes);
    });
    await sendRefund(shop.ctx, refundId);
    await shop.deliver();
    expect(await orders()).toContainEqual(expect.objectContaining({ refundId, way: 'plain', recovery: 'none', kept }));
    const after = await books();
    const moved = (account: 'session_held' | 'coach_payable' | 'fee_revenue') => after[account] - before[account];
    expect([moved('session_held'), moved('coach_payable'), moved('fee_revenue')]).toEqual([0, -24_000, -6_000]);
    await shop.expectBooksAsStripe();
  });

  it('direct: on the tenant’s account, with the platform’s fee', async () => {
    shop = await openShop({ chargeModel: 'direct' });
    const paymentId = await shop.buy();
    await shop.buy();
    expect(await refund(paymentId, 10_000)).toMatchObject({ status: 'succeeded', refundedMinor: 10_000 });
    expect(await refund(paymentId)).toMatchObject({ refundedMinor: 49_900 });
    await shop.deliver();
    await shop.expectBooksAsStripe();
    expect((await books()).fee_revenue).toBe(-9_900);
  });

  it('the platform’s own sale', async () => {
    shop = await openShop();
    const paymentId = await shop.buy({ productId: 'mat' });
    expect(await refund(paymentId)).toMatchObject({ status: 'succeeded', refundedMinor: 49_900 });
    await shop.deliver();
    expect(await books()).toMatchObject({ own_revenue: -49_900 });
    await shop.expectBooksAsStripe();
  });
});
