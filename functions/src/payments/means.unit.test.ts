import type Stripe from 'stripe';
import { days } from '../platform/clock.ts';
import type { Letter } from '../platform/mail.ts';
import { minor } from '../platform/money.ts';
import { createTestWorld, type TestWorld } from '../testing/world.ts';
import { chargeStep, requireChargeable } from './amounts.ts';
import { processPayment } from './payments.service.ts';
import type { Payment } from './payments.ts';

const lisa = { uid: 'lisa', email: 'lisa@example.se', name: 'Lisa Kund', coach: false, admin: false };
const { email: _address, ...nameless } = { ...lisa, uid: 'nils' };
const card = 'pm_card_bypassPending';

let world: TestWorld;

beforeEach(async () => {
  world = await createTestWorld();
  const product = { name: 'Mat', kind: 'good', currency: 'SEK', amountMinor: 49_900, vatRate: 25, active: true };
  await world.ctx.db.doc('products/mat').set(product);
  await world.ctx.db.doc('products/euro').set({ ...product, currency: 'EUR' });
});

afterEach(() => world.close());

const buy = (requestId: string, more: { paymentMethodId?: string; savePaymentMethod?: boolean } = {}, who = lisa) =>
  processPayment(world.ctx, who, { productId: 'mat', requestId, ...more });
const payment = async (id: string) => (await world.ctx.db.doc(`payments/${id}`).get()).data() as Payment;
const letters = async () =>
  (await world.ctx.db.collection('mail').get()).docs.map((doc) => ({ id: doc.id, ...(doc.data() as Letter) }));

describe('3-D Secure', () => {
  /** The page that Stripe.js opens, and what the holder clicks on it. */
  async function authenticate(paymentId: string, outcome: 'complete' | 'fail'): Promise<void> {
    const { next_action: next } = await world.stripe.paymentIntents.retrieve(paymentId);
    const url = next?.redirect_to_url?.url ?? (next?.use_stripe_sdk as { stripe_js?: string } | undefined)?.stripe_js;
    if (!url) throw new Error(`${paymentId} asks for nothing.`);
    await fetch(url, { method: 'POST', redirect: 'manual', body: new URLSearchParams({ outcome }) });
    await world.deliver();
  }
  const begin = () => buy('request-1', { paymentMethodId: 'pm_card_authenticationRequired' });

  it('is asked for, and the payment waits until the holder has answered', async () => {
    const reply = await begin();
    expect(reply.status).toBe('pending');
    expect(reply.clientSecret).toMatch(/_secret_/);
    await world.deliver();
    expect(await payment(reply.paymentId)).toMatchObject({ status: 'pending' });
    await authenticate(reply.paymentId, 'complete');
    expect(await payment(reply.paymentId)).toMatchObject({ status: 'succeeded', stripeFeeMinor: 929 });
    expect((await begin()).status).toBe('succeeded');
  });

  it('not passed is a failed payment, and nothing was charged', async () => {
    const { paymentId } = await begin();
    await authenticate(paymentId, 'fail');
    expect(await payment(paymentId)).toMatchObject({
      status: 'failed',
      failureCode: 'payment_intent_authentication_failure',
    });
    expect((await world.stripe.charges.list()).data.filter(({ paid }) => paid)).toHaveLength(0);
  });
});

describe('a saved card', () => {
  it('is saved when the customer says so, and pays again', async () => {
    const { paymentId } = await buy('request-1', { paymentMethodId: card, savePaymentMethod: true });
    const saved = (await world.stripe.paymentIntents.retrieve(paymentId)).payment_method as string;
    expect((await buy('request-2', { paymentMethodId: saved })).status).toBe('succeeded');
  });

  it('of somebody else, or one that is not there, is refused by name', async () => {
    const { paymentId } = await buy('request-1', { paymentMethodId: card, savePaymentMethod: true });
    const saved = (await world.stripe.paymentIntents.retrieve(paymentId)).payment_method as string;
    const eva = { ...lisa, uid: 'eva', email: 'eva@example.se' };
    for (const [n, paymentMethodId] of [saved, 'pm_nobody'].entries()) {
      const attempt = buy(`request-${n}`, { paymentMethodId }, eva);
      await expect(attempt).rejects.toMatchObject({ code: 'failed-precondition', reason: 'payment-method-refused' });
    }
  });
});

describe('a bank debit', () => {
  const debit = async (iban: string): Promise<Stripe.PaymentMethod> => {
    await world.control('stripe', 'switches', { debitsInSek: true });
    const holder = { name: 'Lisa Kund', email: 'lisa@example.se' };
    return world.stripe.paymentMethods.create({ type: 'sepa_debit', sepa_debit: { iban }, billing_details: holder });
  };

  it('is pending until the bank has paid', async () => {
    const { id } = await debit('DE89370400440532013000');
    const { paymentId, status } = await buy('request-1', { paymentMethodId: id });
    expect(status).toBe('pending');
    await world.advance(days(4));
    await world.deliver();
    expect(await payment(paymentId)).toMatchObject({ status: 'succeeded' });
    expect(await letters()).toHaveLength(0);
  });

  it('that fails days later makes the payment failed and tells the customer, once', async () => {
    const { id } = await debit('DE62370400440532013001');
    const { paymentId } = await buy('request-1', { paymentMethodId: id });
    await world.advance(days(4));
    await world.deliver();
    expect(await payment(paymentId)).toMatchObject({ status: 'failed' });
    const written = await letters();
    expect(written).toHaveLength(1);
    expect(written[0]).toMatchObject({ toUids: ['lisa'] });
    expect(written[0]?.message.text).toContain('Mat');
  });
});

describe('the receipt', () => {
  const receiptOf = async (paymentId: string) => {
    await world.deliver();
    const { receipt_email: email } = await world.stripe.paymentIntents.retrieve(paymentId);
    return { email, letters: (await letters()).map(({ id }) => id) };
  };

  it('is Stripe’s where there is an address', async () => {
    const { paymentId } = await buy('request-1', { paymentMethodId: card });
    expect(await receiptOf(paymentId)).toEqual({ email: 'lisa@example.se', letters: [] });
  });

  it('is one letter where there is none, or where RECEIPTS says so: never both', async () => {
    const first = await buy('request-1', { paymentMethodId: card }, nameless as typeof lisa);
    expect(await receiptOf(first.paymentId)).toEqual({ email: null, letters: [`receipt_${first.paymentId}`] });
    world.ctx.config.receipts = 'letter';
    const second = await buy('request-2', { paymentMethodId: card });
    const { email, letters: written } = await receiptOf(second.paymentId);
    expect(email).toBeNull();
    expect(written.sort()).toEqual([`receipt_${first.paymentId}`, `receipt_${second.paymentId}`].sort());
    expect((await letters())[0]?.message.text).toContain('VAT: 99,80');
  });
});

describe('amounts and currencies', () => {
  it('a currency that is not listed is refused; listed, it is asked of Stripe', async () => {
    const pay = (requestId: string) => processPayment(world.ctx, lisa, { productId: 'euro', requestId });
    await expect(pay('request-1')).rejects.toMatchObject({ reason: 'currency-not-accepted' });
    world.ctx.config.acceptedCurrencies = ['EUR'];
    // The emulator settles kronor only and says so.
    await expect(pay('request-2')).rejects.toMatchObject({ reason: 'stripe-refused' });
  });

  it.each([
    [299, 'SEK', 'amount-out-of-range'],
    [100_000_000, 'SEK', 'amount-out-of-range'],
    [49, 'EUR', 'amount-out-of-range'],
    [1_005, 'KWD', 'amount-not-chargeable'],
    [1_050, 'ISK', 'amount-not-chargeable'],
  ])('%i of %s is refused', (amount, currency, reason) => {
    expect(() => requireChargeable(minor(amount), currency, 'it')).toThrow(
      expect.objectContaining({ reason }) as Error,
    );
  });

  it.each([
    [300, 'SEK'],
    [99_999_999, 'SEK'],
    [1, 'JPY'],
    [1_010, 'KWD'],
    [1_100, 'ISK'],
  ])('%i of %s is charged', (amount, currency) => {
    expect(() => requireChargeable(minor(amount), currency, 'it')).not.toThrow();
    expect(amount % chargeStep(currency)).toBe(0);
  });
});
