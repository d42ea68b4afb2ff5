import { anna, karin, lisa } from '../../../../scripts/story/people.ts';
import { trialBalance, type LedgerDocument } from '../../ledger/ledger.ts';
import { balanceAt } from '../../testing/coach.ts';
import { startHarness, type Harness } from '../../testing/harness.ts';
import type { Payment } from '../payments.ts';
import type { RefundReply } from './refunds.service.ts';

let harness: Harness;
let account: string;
let tokens: { coach: string; customer: string; admin: string; second: string };
const bo = { ...anna, uid: 'admin-bo', email: 'bo@example.se', name: 'Bo' };

beforeAll(async () => {
  harness = await startHarness();
  const [coach, customer, admin, second] = await Promise.all([karin, lisa, anna, bo].map((who) => harness.login(who)));
  tokens = { coach: coach ?? '', customer: customer ?? '', admin: admin ?? '', second: second ?? '' };
  account = await harness.onboard(karin, tokens.coach);
  const product = { currency: 'SEK', vatRate: 25, active: true, kind: 'programme', coachId: karin.uid };
  await harness.db.doc('products/programme').set({ ...product, name: 'Programme', amountMinor: 49_900 });
  await harness.db.doc('products/year').set({ ...product, name: 'Year', amountMinor: 600_000 });
  await harness.db
    .doc('products/mat')
    .set({ currency: 'SEK', vatRate: 25, active: true, kind: 'good', name: 'Mat', amountMinor: 49_900 });
}, 60_000);

afterAll(() => harness.close());

const buy = async (productId: string, requestId: string) => {
  const payment = { productId, requestId, paymentMethodId: 'pm_card_bypassPending' };
  const { paymentId } = await harness.call<{ paymentId: string }>('processPayment', payment, tokens.customer);
  await harness.settle();
  return paymentId;
};
const refund = <T = RefundReply>(data: object, token = tokens.admin) => harness.call<T>('refundPayment', data, token);
const rest = async (data: object) => {
  const headers = { 'Content-Type': 'application/json', Authorization: `Bearer ${tokens.admin}` };
  const url = `${harness.urlOf('api')}/refund`;
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(data) });
  return { status: response.status, body: (await response.json()) as RefundReply & { error?: { reason: string } } };
};
const payment = async (id: string) => (await harness.db.doc(`payments/${id}`).get()).data() as Payment;

describe('refunds through the exported functions', () => {
  it('by callable and by REST, four at once: never more than was paid, and the ledger as Stripe’s balances', async () => {
    await buy('mat', 'purchase-mat');
    const paymentId = await buy('programme', 'purchase-programme');
    await expect(refund({ paymentId, requestId: 'refund-1' }, tokens.customer)).rejects.toMatchObject({
      details: { reason: 'coach-only' },
    });
    await expect(refund({ paymentId, requestId: 'refund-1' }, tokens.coach)).rejects.toMatchObject({
      details: { reason: 'terms-without-refunds' },
    });
    const answers = await Promise.allSettled(
      Array.from({ length: 4 }, (_, index) =>
        index % 2 === 0
          ? refund({ paymentId, amountMinor: 20_000, requestId: 'refund-twice' })
          : rest({ paymentId, amountMinor: 20_000, requestId: `refund-rest-${index}` }),
      ),
    );
    const reasons = answers.flatMap((answer) =>
      answer.status === 'rejected'
        ? [(answer.reason as { details?: { reason: string } }).details?.reason]
        : 'body' in answer.value && answer.value.body.error
          ? [answer.value.body.error.reason]
          : [],
    );
    expect(new Set(reasons)).toEqual(new Set(['refund-exceeds-payment']));
    const last = await rest({ paymentId, amountMinor: 20_000, requestId: 'refund-too-much' });
    expect(last).toMatchObject({ status: 400, body: { error: { reason: 'refund-exceeds-payment' } } });
    expect(await rest({ paymentId, requestId: 'refund-rest' })).toMatchObject({
      status: 200,
      body: { amountMinor: 9_900 },
    });
    await harness.settle();
    expect(await payment(paymentId)).toMatchObject({ status: 'refunded', refundedMinor: 49_900 });
    const { data } = await harness.stripe.refunds.list({ payment_intent: paymentId });
    expect(data.map(({ amount }) => amount).sort()).toEqual([20_000, 20_000, 9_900].sort());
    const ledger = (await harness.db.collection('ledger').get()).docs.map((doc) => doc.data() as LedgerDocument);
    expect(trialBalance(ledger)).toMatchObject({
      stripe_platform: await balanceAt(harness.stripe),
      stripe_connected: await balanceAt(harness.stripe, account),
      coach_payable: 0,
      coach_receivable: 0,
      fee_revenue: 0,
    });
  }, 60_000);

  it('above the limit another administrator confirms', async () => {
    const paymentId = await buy('year', 'purchase-year');
    const waiting = await refund<{ status: string; approvalId: string }>({ paymentId, requestId: 'refund-year' });
    expect(waiting.status).toBe('awaiting-approval');
    const decision = { approvalId: waiting.approvalId, requestId: 'approve-year' };
    await expect(harness.call('approveOperation', decision, tokens.admin)).rejects.toMatchObject({
      details: { reason: 'second-administrator-needed' },
    });
    expect(await harness.call('approveOperation', decision, tokens.second)).toMatchObject({
      status: 'approved',
      result: { amountMinor: 600_000, status: 'succeeded' },
    });
    await harness.settle();
    expect(await payment(paymentId)).toMatchObject({ status: 'refunded' });
  }, 60_000);
});
