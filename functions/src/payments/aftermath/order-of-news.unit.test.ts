import { trialBalance, type LedgerDocument } from '../../ledger/ledger.ts';
import { days, hours } from '../../platform/clock.ts';
import { openShop, type Shop } from '../../testing/shop.ts';
import { refundPayment } from '../refunds/refunds.service.ts';
import type { Entitlements } from '../entitlements/entitlements.ts';

const anna = { uid: 'anna', coach: false, admin: true };

let shop: Shop;
afterEach(() => shop.close());

const books = async () => trialBalance(await shop.all<LedgerDocument>('ledger'));

it.each(['as they happen', 'all at once at the end'])(
  'two refunds that fail one after the other are owed both, heard of %s',
  async (how) => {
    shop = await openShop();
    const before = await books();
    const paymentId = await shop.buy({ productId: 'mat', card: 'pm_card_refundFail' });
    const hear = async () => void (how === 'as they happen' ? await shop.deliver() : undefined);
    for (const amount of [10_000, 20_000]) {
      await shop.stripe.refunds.create({ payment_intent: paymentId, amount });
      await hear();
      await shop.advance(hours(6));
    }
    // The first is back, the second not yet.
    await shop.advance(hours(20));
    await hear();
    await shop.advance(days(1));
    await shop.deliver();
    const after = await books();
    expect(after.customer_payable).toBe(-30_000);
    expect(after.own_revenue - before.own_revenue).toBe(-19_900);
    await shop.expectBooksAsStripe();
  },
);

it('a tenant’s lost dispute ends what the payment gave access to', async () => {
  shop = await openShop({ chargeModel: 'direct' });
  const calm = { name: 'Calm', kind: 'programme', amountMinor: 49_900, currency: 'SEK', vatRate: 25, active: true };
  await shop.ctx.db.doc('products/calm').set({ ...calm, coachId: 'karin', accessWeeks: 4 });
  await shop.buy({ productId: 'calm', card: 'pm_card_createDispute' });
  await shop.deliver();
  const open = async () => {
    const customer = await shop.read<{ entitlements: Entitlements }>('customers/lisa');
    return Object.keys(customer?.entitlements.programmes ?? {});
  };
  expect(await open()).toEqual(['calm']);
  const there = { stripeAccount: shop.account };
  const [found] = (await shop.stripe.disputes.list({}, there)).data;
  const evidence = { uncategorized_text: 'losing_evidence' };
  await shop.stripe.disputes.update(found?.id ?? '', { evidence, submit: true }, there);
  await shop.advance(days(1));
  await shop.deliver();
  expect(await open()).toEqual([]);
  await shop.expectBooksAsStripe();
});

it('a tenant’s charge by bank debit is refunded like any other', async () => {
  shop = await openShop({ chargeModel: 'direct' });
  await shop.control('stripe', 'switches', { debitsInSek: true });
  const there = { stripeAccount: shop.account };
  const method = await shop.stripe.paymentMethods.create(
    {
      type: 'sepa_debit',
      sepa_debit: { iban: 'DE89370400440532013000' },
      billing_details: { name: 'Lisa Kund', email: 'lisa@example.se' },
    },
    there,
  );
  const paymentId = await shop.buy({ card: method.id });
  await shop.advance(days(12));
  await shop.deliver();
  await shop.stripe.refunds.create({ payment_intent: paymentId, amount: 10_000 }, there);
  await shop.deliver();
  expect(await shop.payment(paymentId)).toMatchObject({ status: 'partially_refunded', refundedMinor: 10_000 });
  expect(await shop.all('refunds')).toMatchObject([{ status: 'succeeded', amountMinor: 10_000 }]);
  await shop.expectBooksAsStripe();
});

it.each([
  ['destination', 'programme'],
  ['separate', 'programme'],
  ['separate', 'bundle'],
] as const)(
  'the bank takes all of what was refunded in part while it asked (%s, %s): the coach bears their share and no more',
  async (chargeModel, productId) => {
    shop = await openShop({ chargeModel });
    const bundle = { kind: 'bundle', name: 'Three', currency: 'SEK', amountMinor: 90_000, credits: 3, vatRate: 25 };
    await shop.ctx.db.doc('products/bundle').set({ ...bundle, coachId: 'karin', active: true });
    const before = await books();
    const paymentId = await shop.buy({ productId, card: 'pm_card_createDisputeInquiry' });
    await shop.deliver();
    await refundPayment(shop.ctx, anna, { paymentId, amountMinor: 10_000, requestId: 'refund-1' });
    await shop.deliver();
    const [asked] = (await shop.stripe.disputes.list()).data;
    for (const text of ['escalate_inquiry_evidence', 'losing_evidence']) {
      await shop.stripe.disputes.update(asked?.id ?? '', { evidence: { uncategorized_text: text }, submit: true });
      await shop.advance(days(1));
      await shop.deliver();
    }
    await shop.deliver();
    const after = await books();
    expect(after).toMatchObject({ coach_payable: 0, coach_receivable: 0, stripe_connected: 0, dispute_held: 0 });
    expect(after.session_held).toBe(0);
    expect(after.fee_revenue - before.fee_revenue).toBe(10_000);
    expect((await shop.all<{ state: string }>('stripeEvents')).filter(({ state }) => state === 'failed')).toEqual([]);
    await shop.expectBooksAsStripe();
  },
);
