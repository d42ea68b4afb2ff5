import { anna, karin, lisa } from '../../../scripts/story/people.ts';
import { trialBalance, type LedgerDocument } from '../ledger/ledger.ts';
import { startHarness, type Harness } from '../testing/harness.ts';
import type { PayoutReply } from './by-hand.ts';
import type { Payout } from './payouts.ts';
import type { PayPlatformReply } from './platform/platform.service.ts';
import type { PlatformPayout } from './platform/platform.ts';

/** Payouts that a person starts, through the exported functions on a real database, many at once. */
let harness: Harness;

beforeAll(async () => {
  harness = await startHarness();
}, 60_000);

afterAll(() => harness.close());

/** What came of calls at once: the replies, and the reasons of those refused. */
async function atOnce<T>(calls: readonly Promise<T>[]): Promise<{ replies: T[]; reasons: string[] }> {
  const all = await Promise.allSettled(calls);
  return {
    replies: all.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : [])),
    reasons: all.flatMap((each) =>
      each.status === 'rejected' ? [(each.reason as { details?: { reason?: string } }).details?.reason ?? 'none'] : [],
    ),
  };
}

const all = async <T>(collection: string) =>
  (await harness.db.collection(collection).get()).docs.map((doc) => doc.data() as T);
const refusal = (reason: string) => ({ details: { reason } });

/** A programme of 499 with Karin's share of 400, loose at once. */
async function sell(coach: string): Promise<string> {
  const account = await harness.onboard(karin, coach);
  const programme = { name: 'Programme', kind: 'programme', amountMinor: 49_900, coachId: karin.uid, active: true };
  await harness.db.doc('products/programme').set({ ...programme, currency: 'SEK', vatRate: 25 });
  const payment = { productId: 'programme', requestId: 'programme-1', paymentMethodId: 'pm_card_bypassPending' };
  await harness.call('processPayment', payment, await harness.login(lisa));
  await harness.settle();
  return account;
}

it('asked for many times at once, each is made once', async () => {
  const admin = await harness.login(anna);
  const coach = await harness.login(karin);
  const account = await sell(coach);
  const run = (n: number) =>
    harness.call<{ payout: PayoutReply }>('runPayouts', { coachId: karin.uid, requestId: `by-hand-${n}` }, admin);
  const byHand = await atOnce([1, 1, 2, 3].map(run));
  const made = new Set(byHand.replies.map(({ payout }) => payout.payoutId));
  expect(made.size).toBe(1);
  for (const reason of byHand.reasons) {
    expect(['nothing-owed', 'nothing-available', 'earlier-payout-open', 'stripe-busy', 'internal']).toContain(reason);
  }
  await harness.settle();
  const { data } = await harness.stripe.payouts.list({}, { stripeAccount: account });
  expect(data.map(({ amount }) => amount)).toEqual([40_000]);

  const [payoutId = ''] = made;
  const early = harness.call('retryPayout', { payoutId, requestId: 'retry-too-early' }, coach);
  await expect(early).rejects.toMatchObject(refusal('payout-under-way'));
  const unasked = harness.call('requestPayout', { requestId: 'not-by-hand' }, coach);
  await expect(unasked).rejects.toMatchObject(refusal('payouts-by-schedule'));

  const own = (n: number) => harness.call<PayPlatformReply>('payPlatform', { requestId: `own-money-${n}` }, admin);
  const platform = await atOnce([1, 1, 2, 3].map(own));
  expect(new Set(platform.replies.map((reply) => reply.payoutId)).size).toBe(1);
  for (const reason of platform.reasons) {
    expect(['nothing-own', 'earlier-payout-open', 'stripe-busy', 'internal']).toContain(reason);
  }
  await harness.settle();
  expect(trialBalance(await all<LedgerDocument>('ledger'))).toMatchObject({
    stripe_platform: 0,
    stripe_connected: 0,
    // The fee of 99 less Stripe's 9.29.
    bank_platform: 8_971,
  });
  await harness.control('stripe', 'clock', { advanceSeconds: 6 * 86_400 });
  await harness.settle();
  expect(await all<Payout>('payouts')).toMatchObject([{ status: 'completed', amountMinor: 40_000 }]);
  expect(await all<PlatformPayout>('platformPayouts')).toMatchObject([{ status: 'completed', amountMinor: 8_971 }]);
  expect(await all('flags')).toEqual([]);
}, 60_000);
