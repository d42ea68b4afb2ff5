import type { Approval, AwaitingApproval } from '../../admin/approvals.ts';
import { approveOperation } from '../../admin/decisions.service.ts';
import { approvedActions } from '../../admin/actions.service.ts';
import { trialBalance, type LedgerDocument } from '../../ledger/ledger.ts';
import { days, hours, minutes } from '../../platform/clock.ts';
import { openShop, payOutAll, type Shop } from '../../testing/shop.ts';
import { resumeCommands } from '../recovery.service.ts';
import { resolveTransfers } from '../transfers/resolve.service.ts';
import { resolveRefunds } from './resolve.service.ts';
import type { RefundOrder } from './orders.ts';
import { refundPayment, type RefundReply } from './refunds.service.ts';
import type { Refund } from './refunds.ts';

const anna = { uid: 'anna', coach: false, admin: true };
const bo = { uid: 'bo', coach: false, admin: true };
const karin = { uid: 'karin', coach: true, admin: false };

let shop: Shop;
let paymentId: string;

beforeEach(async () => {
  shop = await openShop();
  paymentId = await shop.buy();
});
afterEach(() => shop.close());

const refund = (
  more: { amountMinor?: number; requestId?: string; paymentId?: string; reason?: string } = {},
  who = anna,
) => refundPayment(shop.ctx, who, { paymentId, requestId: 'refund-1', ...more });
const done = async (...input: Parameters<typeof refund>) => (await refund(...input)) as RefundReply;
const atStripe = async () => (await shop.stripe.refunds.list({ payment_intent: paymentId })).data;
const ledger = () => shop.all<LedgerDocument>('ledger');
const sweep = () => resolveRefunds(shop.ctx, shop.now());

/** The whole 499 kr went back once, whoever had paid it out of what. */
async function expectWholeRefund() {
  await shop.deliver();
  expect((await atStripe()).map(({ amount, status }) => ({ amount, status }))).toEqual([
    { amount: 49_900, status: 'succeeded' },
  ]);
  expect(await shop.all<Refund>('refunds')).toMatchObject([
    { paymentId, userId: 'lisa', amount: 499, amountMinor: 49_900, currency: 'SEK', status: 'succeeded' },
  ]);
  expect(await shop.payment(paymentId)).toMatchObject({ status: 'refunded', refundedMinor: 49_900 });
  expect(await shop.read(`coaches/karin/earnings/${paymentId}`)).toMatchObject({ reversedMinor: 40_000 });
  await shop.expectBooksAsStripe();
}

describe('refundPayment', () => {
  it('gives 499 kr back: 400 from the coach, 99 from the platform, which keeps Stripe’s fee as a cost', async () => {
    const reply = await done({ reason: 'Ill' });
    expect(reply).toEqual({
      refundId: expect.stringMatching(/^rf_[0-9a-f]{32}$/) as string,
      paymentId,
      amount: 499,
      amountMinor: 49_900,
      currency: 'SEK',
      status: 'succeeded',
      reason: 'Ill',
      refundedMinor: 49_900,
    });
    await shop.deliver();
    await expectWholeRefund();
    expect(await shop.payment(paymentId)).toMatchObject({ refundReason: 'Ill' });
    expect(trialBalance(await ledger())).toMatchObject({
      stripe_platform: 49_900 - 2 * 929,
      stripe_connected: 0,
      coach_payable: 0,
      coach_receivable: 0,
      fee_revenue: 0,
      stripe_fees: 2 * 929,
    });
    expect(await shop.all('auditLog')).toMatchObject([{ by: 'anna', action: 'refundPayment', note: 'Ill' }]);
    expect(await shop.openFlags()).toEqual([]);
  });

  it('is one refund however often and however many at once ask under one requestId', async () => {
    const replies = await Promise.all(Array.from({ length: 8 }, () => done()));
    expect(new Set(replies.map(({ refundId }) => refundId)).size).toBe(1);
    expect(await done()).toMatchObject({ status: 'succeeded', refundedMinor: 49_900 });
    await expect(refund({ amountMinor: 100 })).rejects.toMatchObject({ reason: 'request-id-reused' });
    await expectWholeRefund();
  });

  it('several at once never exceed the payment', async () => {
    const asked = Array.from({ length: 6 }, (_, index) =>
      refund({ amountMinor: 20_000, requestId: `refund-${index}00` }).catch((error: unknown) => error),
    );
    const answers = await Promise.all(asked);
    expect(answers.filter((answer) => !(answer instanceof Error))).toHaveLength(2);
    expect(answers).toContainEqual(
      expect.objectContaining({ reason: 'refund-exceeds-payment', details: { leftMinor: 9_900 } }),
    );
    expect((await atStripe()).map(({ amount }) => amount)).toEqual([20_000, 20_000]);
    await shop.deliver();
    expect(await shop.payment(paymentId)).toMatchObject({ status: 'partially_refunded', refundedMinor: 40_000 });
    await shop.expectBooksAsStripe();
  });

  it.each([
    ['a payment that is not there', { paymentId: 'pi_none' }, anna, 'payment-not-found'],
    ['nothing', { amountMinor: 0 }, anna, 'refund-amount-not-positive'],
    ['less than nothing', { amountMinor: -100 }, anna, 'refund-amount-not-positive'],
    ['more than was paid', { amountMinor: 49_901 }, anna, 'refund-exceeds-payment'],
    ['a coach’s own, where the terms do not say so', {}, karin, 'terms-without-refunds'],
    ['another coach’s', {}, { ...karin, uid: 'kurt' }, 'not-your-payment'],
    ['one that is not there, for a coach', { paymentId: 'pi_none' }, karin, 'not-your-payment'],
  ])('refuses %s', async (_what, input, who, reason) => {
    await expect(refund(input, who)).rejects.toMatchObject({ reason });
    expect(await atStripe()).toEqual([]);
    expect(await shop.all('refunds')).toEqual([]);
  });

  it.each(['pending', 'failed', 'canceled'] as const)('refuses a payment that is %s', async (status) => {
    await shop.ctx.db.doc(`payments/${paymentId}`).update({ status });
    await expect(refund()).rejects.toMatchObject({ reason: 'payment-not-paid' });
  });

  it('refuses a disputed payment, and one that has gone back', async () => {
    await shop.ctx.db.doc(`payments/${paymentId}`).update({ status: 'disputed', disputedMinor: 49_900 });
    await expect(refund()).rejects.toMatchObject({ reason: 'payment-disputed' });
    await shop.ctx.db.doc(`payments/${paymentId}`).update({ status: 'succeeded', disputedMinor: 0 });
    await refund();
    await expect(refund({ requestId: 'refund-2' })).rejects.toMatchObject({ reason: 'already-refunded' });
  });

  it('is a coach’s too, where their terms allow it', async () => {
    await shop.ctx.db.doc('coaches/karin').update({ 'terms.mayRefund': true });
    expect(await done({ amountMinor: 10_000 }, karin)).toMatchObject({ status: 'succeeded', refundedMinor: 10_000 });
  });

  it('what Stripe refuses for good is refused by name, and may be asked for anew', async () => {
    const elsewhere = await shop.stripe.refunds.create({ payment_intent: paymentId, amount: 40_000 });
    // Not heard of yet: Stripe knows better than we do.
    await expect(refund()).rejects.toMatchObject({ reason: 'refund-refused', code: 'failed-precondition' });
    await expect(refund()).rejects.toMatchObject({ reason: 'refund-refused' });
    expect(await shop.all<Refund>('refunds')).toMatchObject([{ status: 'refused' }]);
    expect(await shop.openFlags()).toEqual([expect.stringMatching(/^refund-refused_rf_/)]);
    expect((await atStripe()).map(({ id }) => id)).toEqual([elsewhere.id]);
  });
});

describe('a second administrator', () => {
  it('confirms what is above the limit, also in parts', async () => {
    shop.ctx.config.refundApprovalLimit = 30_000;
    await done({ amountMinor: 20_000, requestId: 'refund-small' });
    const waiting = (await refund({ amountMinor: 20_000 })) as AwaitingApproval;
    expect(waiting).toEqual({ status: 'awaiting-approval', approvalId: expect.stringMatching(/^ap-/) as string });
    expect(await refund({ amountMinor: 20_000 })).toEqual(waiting);
    expect(await shop.read<Approval>(`approvals/${waiting.approvalId}`)).toMatchObject({
      action: 'refundPayment',
      by: 'anna',
      amountMinor: 20_000,
      currency: 'SEK',
      status: 'waiting',
    });
    expect(await atStripe()).toHaveLength(1);
    const decision = { approvalId: waiting.approvalId, requestId: 'approve-1' };
    await expect(approveOperation(shop.ctx, anna, decision, approvedActions)).rejects.toMatchObject({
      reason: 'second-administrator-needed',
    });
    const approve = () => approveOperation(shop.ctx, bo, decision, approvedActions);
    const [first] = await Promise.all([approve(), approve(), approve()]);
    expect(first).toMatchObject({ status: 'approved', result: { amountMinor: 20_000, status: 'succeeded' } });
    expect(await approve()).toEqual(first);
    expect(await atStripe()).toHaveLength(2);
    expect(await shop.all<RefundOrder>('refundOrders')).toContainEqual(
      expect.objectContaining({ by: 'anna', approvedBy: 'bo' }),
    );
  });

  it('is told when it cannot be done any more', async () => {
    shop.ctx.config.refundApprovalLimit = 0;
    const { approvalId } = (await refund()) as AwaitingApproval;
    shop.ctx.config.refundApprovalLimit = 500_000;
    await refund({ amountMinor: 10_000, requestId: 'refund-2' });
    await expect(
      approveOperation(shop.ctx, bo, { approvalId, requestId: 'approve-1' }, approvedActions),
    ).rejects.toMatchObject({ reason: 'refund-exceeds-payment' });
    expect(await atStripe()).toHaveLength(1);
  });
});

describe('a crash', () => {
  it('between any two operations: asked again it is one refund, booked once', async () => {
    let runs = 0;
    for (let died = true; died; runs++) {
      await shop.close();
      shop = await openShop();
      paymentId = await shop.buy();
      shop.dieAfter(runs);
      await refund().catch(() => undefined);
      died = shop.revive();
      expect(await done()).toMatchObject({ status: 'succeeded' });
      await shop.deliver();
      await expectWholeRefund();
      expect(await shop.openFlags()).toEqual([]);
    }
    expect(runs).toBeGreaterThan(10);
  }, 120_000);

  it('of a client that never comes back: the sweep makes it', async () => {
    shop.dieAfter(6);
    await expect(refund()).rejects.toThrow('died');
    shop.revive();
    expect(await atStripe()).toEqual([]);
    await shop.advance(minutes(6));
    await sweep();
    await resumeCommands(shop.ctx, shop.now());
    expect(await shop.read('requests/anna_refund-1')).toMatchObject({ state: 'done' });
    await expectWholeRefund();
  });

  it('of a second administrator’s yes: the sweep carries it out', async () => {
    shop.ctx.config.refundApprovalLimit = 0;
    const { approvalId } = (await refund()) as AwaitingApproval;
    const decision = { approvalId, requestId: 'approve-1' };
    shop.dieAfter(5);
    await expect(approveOperation(shop.ctx, bo, decision, approvedActions)).rejects.toThrow('died');
    shop.revive();
    expect(await shop.read(`approvals/${approvalId}`)).toMatchObject({ status: 'approved' });
    await shop.advance(minutes(6));
    await resumeCommands(shop.ctx, shop.now());
    expect(await shop.read('requests/bo_approve-1')).toMatchObject({ state: 'done' });
    await expectWholeRefund();
  });
});

describe('an answer that is lost', () => {
  it.each(['timeout_after_success', 'error_500_after', 'timeout_before', 'error_500_before', 'rate_limit'])(
    'is one refund in the end: %s',
    async (kind) => {
      await shop.fault(kind, '/v1/refunds', { times: 3 });
      await shop.fault('timeout_before', '/v1/refunds', { method: 'GET', times: 3 });
      const reply = await done();
      expect(['unknown', 'pending', 'succeeded']).toContain(reply.status);
      await shop.clearFaults();
      await expect(refund({ requestId: 'refund-2' })).rejects.toMatchObject({ reason: 'already-refunded' });
      await shop.advance(minutes(6));
      await sweep();
      expect(await done()).toMatchObject({ status: 'succeeded' });
      await expectWholeRefund();
    },
    30_000,
  );

  it('a day later nothing is asked again: what Stripe does not have is given up, and a person told', async () => {
    await shop.fault('timeout_before', '/v1/refunds', { times: 3 });
    await shop.fault('timeout_before', '/v1/refunds', { method: 'GET', times: 3 });
    expect(await done()).toMatchObject({ status: 'unknown' });
    await shop.clearFaults();
    await shop.advance(hours(30));
    await sweep();
    expect(await atStripe()).toEqual([]);
    expect(await shop.all<Refund>('refunds')).toMatchObject([{ status: 'refused' }]);
    expect(await shop.openFlags()).toEqual([expect.stringMatching(/^refund-refused_/)]);
    expect(await done({ requestId: 'refund-2' })).toMatchObject({ status: 'succeeded' });
  }, 30_000);

  it('and not to be found out: looked at after 5 minutes, an hour and a day, then a person is told', async () => {
    await shop.fault('error_500_before', '/v1/refunds', { times: 1_000 });
    await shop.fault('error_500_before', '/v1/refunds', { method: 'GET', times: 1_000 });
    await done();
    const waits: number[] = [];
    for (let look = 0; look < 3; look++) {
      const [order] = await shop.all<RefundOrder>('refundOrders');
      const wait = (order?.checkAt?.toMillis() ?? 0) - shop.now().getTime();
      waits.push(Math.round(wait / minutes(1)));
      await shop.advance(wait + 1_000);
      await sweep();
    }
    expect(waits).toEqual([5, 60, 24 * 60]);
    expect(await shop.openFlags()).toEqual([expect.stringMatching(/^refund-unknown_/)]);
  }, 60_000);
});

describe('a coach whose balance is too small', () => {
  it('owes the share: the customer is paid at once, the debt told to both and taken back from what is earned', async () => {
    await payOutAll(shop);
    expect(await done()).toMatchObject({ status: 'succeeded', refundedMinor: 49_900 });
    await shop.deliver();
    await expectWholeRefund();
    expect(await shop.all<RefundOrder>('refundOrders')).toMatchObject([
      { way: 'plain', failureCode: 'balance_insufficient', recovery: 'owed' },
    ]);
    expect(trialBalance(await ledger())).toMatchObject({ coach_receivable: 40_000, coach_payable: 0 });
    expect(await shop.read(`coaches/karin/earnings/${paymentId}`)).toMatchObject({ settlement: 'debt' });
    expect(await shop.openFlags()).toEqual([expect.stringMatching(/^refund-debt_/)]);
    expect(await shop.all('mail')).toContainEqual(
      expect.objectContaining({
        toUids: ['karin'],
        message: expect.objectContaining({ subject: expect.stringContaining('400,00') as string }) as object,
      }),
    );
    await shop.buy();
    await shop.advance(days(1) + hours(1));
    await resolveTransfers(shop.ctx, shop.now());
    await sweep();
    await shop.deliver();
    expect(trialBalance(await ledger())).toMatchObject({ coach_receivable: 0, stripe_connected: 0, coach_payable: 0 });
    await shop.expectBooksAsStripe();
    expect(await shop.openFlags()).toEqual([]);
    expect(await shop.all<RefundOrder>('refundOrders')).toMatchObject([{ recovery: 'done', checkAt: null }]);
  }, 30_000);

  it('an unclear outcome of the first way is never followed by the second', async () => {
    await payOutAll(shop);
    await shop.fault('timeout_before', '/v1/refunds', { times: 3 });
    await shop.fault('timeout_before', '/v1/refunds', { method: 'GET', times: 3 });
    expect(await done()).toMatchObject({ status: 'unknown' });
    expect(await shop.all<RefundOrder>('refundOrders')).toMatchObject([{ way: 'reversing' }]);
    await shop.clearFaults();
    await shop.advance(minutes(6));
    await sweep();
    expect(await shop.all<RefundOrder>('refundOrders')).toMatchObject([{ way: 'plain' }]);
    await expectWholeRefund();
  }, 30_000);

  it('many at once and a crash at any point: paid back once', async () => {
    let runs = 0;
    for (let died = true; died; runs += 3) {
      await shop.close();
      shop = await openShop();
      paymentId = await shop.buy();
      await payOutAll(shop);
      shop.dieAfter(runs);
      await Promise.allSettled([refund(), refund()]);
      died = shop.revive();
      await Promise.all([done(), done()]);
      await shop.advance(minutes(6));
      await sweep();
      await expectWholeRefund();
      expect(trialBalance(await ledger())).toMatchObject({ coach_receivable: 40_000 });
    }
  }, 180_000);
});
