import type Stripe from 'stripe';
import type { Caller } from '../../platform/auth.ts';
import { days, hours } from '../../platform/clock.ts';
import { createTestWorld, type TestWorld } from '../../testing/world.ts';
import { receiveEvent } from '../../webhooks/webhooks.service.ts';
import { ensureCustomer } from '../customers.service.ts';
import type { Customer } from '../customers.store.ts';
import { processPayment } from '../payments.service.ts';
import { noticeExpiring } from './expiry.service.ts';
import {
  createSetupIntent,
  listPaymentMethods,
  removePaymentMethod,
  requireNotAnothers,
  setDefaultPaymentMethod,
} from './methods.service.ts';
import type { SavedMethod } from './methods.ts';

const lisa: Caller = { uid: 'lisa', email: 'lisa@example.se', name: 'Lisa Kund', coach: false, admin: false };
const maja: Caller = { uid: 'maja', email: 'maja@example.se', coach: false, admin: false };

let world: TestWorld;
beforeEach(async () => {
  world = await createTestWorld();
});
afterEach(() => world.close());

const read = async <T>(path: string) => (await world.ctx.db.doc(path).get()).data() as T | undefined;
const documents = async () =>
  (await world.ctx.db.collection('paymentMethods').get()).docs.map((doc) => doc.data() as SavedMethod);
const customersAtStripe = async () => (await world.stripe.customers.list({ limit: 100 })).data;
const flags = async () => (await world.ctx.db.collection('flags').get()).docs.map((doc) => doc.id);
const letters = async () => (await world.ctx.db.collection('mail').get()).docs.map((doc) => doc.id);
const kinds = (received: { event: Stripe.Event; receipt: string }[]) => new Set(received.map(({ receipt }) => receipt));

/** The card a client confirms the SetupIntent with. */
async function save(caller: Caller, card: string, requestId = `save-${card}`): Promise<string> {
  const { setupIntentId } = await createSetupIntent(world.ctx, caller, requestId);
  const intent = await world.stripe.setupIntents.confirm(setupIntentId, {
    payment_method: card,
    return_url: 'http://127.0.0.1:5000/back',
  });
  return intent.payment_method as string;
}

async function subscribed(customer: string, method?: string): Promise<Stripe.Subscription> {
  const price = await world.stripe.prices.create({
    currency: 'sek',
    unit_amount: 9_900,
    recurring: { interval: 'month' },
    product_data: { name: 'Premium' },
  });
  const own = method ? { default_payment_method: method } : {};
  return world.stripe.subscriptions.create({ customer, items: [{ price: price.id }], ...own });
}

describe('the one customer of a user', () => {
  it('is made once however many calls race', async () => {
    const ids = await Promise.all(Array.from({ length: 10 }, () => ensureCustomer(world.ctx, lisa)));
    expect(new Set(ids).size).toBe(1);
    expect(await customersAtStripe()).toHaveLength(1);
    expect(await read<Customer>('customers/lisa')).toMatchObject({ stripeCustomerId: ids[0] });
  });

  it('is found after a timeout that came after it was made', async () => {
    const lost = { kind: 'timeout_after_success', method: 'POST', path: '/v1/customers', times: 3 };
    await world.control('stripe', 'faults', lost);
    const id = await ensureCustomer(world.ctx, lisa);
    expect((await customersAtStripe()).map((customer) => customer.id)).toEqual([id]);
  });

  it.each([1, 30])('is the one that was made before a crash %d h ago', async (ago) => {
    // The process ends between Stripe's answer and our commit.
    const crashing = { ...world.ctx, db: failingAfter(world.ctx.db, 1) };
    await expect(ensureCustomer(crashing, lisa)).rejects.toThrow('the process ended');
    const [made] = await customersAtStripe();
    await world.advance(hours(ago));
    expect(await ensureCustomer(world.ctx, { uid: 'lisa', email: 'new-address@example.se' })).toBe(made?.id);
    expect(await customersAtStripe()).toHaveLength(1);
  });

  it('is asked for anew when nothing came of the first asking', async () => {
    await world.control('stripe', 'faults', { kind: 'timeout_before', path: '/v1/customers', times: 100 });
    await expect(ensureCustomer(world.ctx, lisa)).rejects.toMatchObject({ reason: 'outcome-unknown' });
    await fetch(`${world.stripeEmulator.url}/_emulator/faults`, { method: 'DELETE' });
    await world.advance(hours(30));
    await Promise.all([ensureCustomer(world.ctx, lisa), ensureCustomer(world.ctx, lisa)]);
    expect(await customersAtStripe()).toHaveLength(1);
  });

  it('deleted at Stripe, is replaced on the next need; its late events change nothing', async () => {
    const first = await ensureCustomer(world.ctx, lisa);
    await save(lisa, 'pm_card_visa');
    await world.deliver();
    await world.stripe.customers.del(first);
    const late = await world.deliver();
    expect(await documents()).toEqual([]);
    expect(await flags()).toEqual([]);
    const second = await ensureCustomer(world.ctx, lisa);
    expect(second).not.toBe(first);
    for (const { event } of late) await receiveEvent(world.ctx, { ...event, id: `${event.id}_again` });
    await world.deliver();
    expect(await read<Customer>('customers/lisa')).toMatchObject({
      stripeCustomerId: second,
      formerCustomerIds: [first],
    });
    expect(await flags()).toEqual([]);
  });

  it.each(['active', 'canceled'])('deleted with a subscription that had time left (%s): a flag', async (status) => {
    const customer = await ensureCustomer(world.ctx, lisa);
    const currentPeriodEnd = new Date(world.now().getTime() + days(20));
    await world.ctx.db.doc('subscriptions/sub_1').set({ userId: 'lisa', status, currentPeriodEnd });
    await world.stripe.customers.del(customer);
    await world.deliver();
    expect(await flags()).toEqual([`customer-deleted_${customer}`]);
  });

  it('a second one at Stripe that says it is theirs is flagged and not used', async () => {
    const customer = await ensureCustomer(world.ctx, lisa);
    const other = await world.stripe.customers.create({ metadata: { userId: 'lisa' } });
    await world.stripe.customers.create({ metadata: { userId: 'a/b' } });
    await world.deliver();
    expect(await flags()).toEqual([`customer-second_${other.id}`]);
    expect(await read('customers/lisa')).toMatchObject({ stripeCustomerId: customer });
  });
});

/** Firestore whose transactions end the process, all after the first few. */
function failingAfter(db: TestWorld['ctx']['db'], kept: number): TestWorld['ctx']['db'] {
  let done = 0;
  return new Proxy(db, {
    get(target, property) {
      const value: unknown = Reflect.get(target, property);
      if (property === 'runTransaction' && done++ >= kept) throw new Error('the process ended');
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}

describe('createSetupIntent', () => {
  it('gives the same for the same request, ten at once, and stores no secret', async () => {
    const replies = await Promise.all(
      Array.from({ length: 10 }, () => createSetupIntent(world.ctx, lisa, 'request-1')),
    );
    expect(new Set(replies.map(({ setupIntentId }) => setupIntentId)).size).toBe(1);
    expect(replies[0]?.clientSecret).toMatch(/^seti_.+_secret_/);
    expect((await world.stripe.setupIntents.list()).data).toHaveLength(1);
    expect(JSON.stringify(await read('requests/lisa_request-1'))).not.toContain('_secret_');
  });

  it('finds what was made when the answer was lost, at once and a day later', async () => {
    const path = '/v1/setup_intents';
    await world.control('stripe', 'faults', { kind: 'timeout_after_success', method: 'POST', path, times: 100 });
    await createSetupIntent(world.ctx, lisa, 'request-1');
    await world.control('stripe', 'faults', { kind: 'timeout_before', method: 'GET', path, times: 100 });
    await expect(createSetupIntent(world.ctx, lisa, 'request-2')).rejects.toMatchObject({ reason: 'outcome-unknown' });
    await fetch(`${world.stripeEmulator.url}/_emulator/faults`, { method: 'DELETE' });
    await world.advance(hours(30));
    await createSetupIntent(world.ctx, lisa, 'request-2');
    expect((await world.stripe.setupIntents.list()).data).toHaveLength(2);
  });
});

describe('saved methods', () => {
  it('are mirrored by the events: brand, last4, expiry, default', async () => {
    const id = await save(lisa, 'pm_card_visa');
    expect(kinds(await world.deliver())).not.toContain('failed');
    expect(await documents()).toEqual([
      expect.objectContaining({ id, userId: 'lisa', type: 'card', brand: 'visa', last4: '4242', isDefault: false }),
    ]);
    const { paymentMethods } = await setDefaultPaymentMethod(world.ctx, 'lisa', id);
    expect(paymentMethods).toEqual([expect.objectContaining({ id, isDefault: true, expired: false, expMonth: 12 })]);
    expect(await read('customers/lisa')).toMatchObject({ defaultPaymentMethodId: id });
  });

  it('of a bank debit too', async () => {
    await world.control('stripe', 'switches', { debitsInSek: true });
    const customer = await ensureCustomer(world.ctx, lisa);
    const debit = await world.stripe.paymentMethods.create({
      type: 'sepa_debit',
      sepa_debit: { iban: 'DE89370400440532013000' },
      billing_details: { name: 'Lisa', email: 'lisa@example.se' },
    });
    await world.stripe.paymentMethods.attach(debit.id, { customer });
    await world.deliver();
    const [kept] = await documents();
    expect(kept).toMatchObject({ type: 'sepa_debit', last4: '3000', country: 'DE', expMonth: null, noticeAt: null });
  });

  it('end as Stripe has them in any order of events and twice', async () => {
    const one = await save(lisa, 'pm_card_visa');
    const two = await save(lisa, 'pm_card_mastercard');
    await world.stripe.paymentMethods.update(one, { card: { exp_month: 3, exp_year: 2031 } });
    const customer = (await read<Customer>('customers/lisa'))!.stripeCustomerId!;
    const settings = (id: string) => ({ invoice_settings: { default_payment_method: id } });
    await world.stripe.customers.update(customer, settings(two));
    await world.stripe.customers.update(customer, settings(one));
    await world.stripe.paymentMethods.detach(two);
    const { data } = await world.control<{ data: Stripe.Event[] }>('stripe', 'events');
    const order = [...data.toReversed(), ...data];
    await Promise.all(order.map((event) => receiveEvent(world.ctx, event)));
    expect(await documents()).toEqual([
      expect.objectContaining({ id: one, isDefault: true, expMonth: 3, expYear: 2031 }),
    ]);
  });

  it('listing repairs what lost events left out', async () => {
    const id = await save(lisa, 'pm_card_visa');
    expect(await documents()).toEqual([]);
    expect((await listPaymentMethods(world.ctx, 'lisa')).paymentMethods).toHaveLength(1);
    expect(await read(`paymentMethods/${id}`)).toBeDefined();
    expect(await listPaymentMethods(world.ctx, 'maja')).toEqual({ paymentMethods: [] });
  });

  it('somebody else’s, an unknown one and one of nobody are refused with the same words', async () => {
    const hers = await save(maja, 'pm_card_visa');
    await save(lisa, 'pm_card_mastercard');
    await world.deliver();
    const nobodys = (await world.stripe.paymentMethods.create({ type: 'card', card: { token: 'tok_visa' } })).id;
    for (const call of [setDefaultPaymentMethod, removePaymentMethod]) {
      const told = [];
      for (const id of [hers, 'pm_unknown', nobodys]) {
        const error: unknown = await call(world.ctx, 'lisa', id).catch((refused: unknown) => refused);
        told.push(error);
      }
      for (const error of told) expect(error).toMatchObject({ reason: 'payment-method-not-found', details: {} });
      expect(new Set(told.map((error) => (error as Error).message)).size).toBe(1);
    }
    await expect(requireNotAnothers(world.ctx, 'lisa', hers)).rejects.toMatchObject({
      reason: 'payment-method-not-found',
    });
    await requireNotAnothers(world.ctx, 'maja', hers);
    const product = { name: 'Mat', kind: 'good', amountMinor: 5_000, currency: 'SEK', vatRate: 25, active: true };
    await world.ctx.db.doc('products/mat').set(product);
    const theft = { productId: 'mat', requestId: 'request-1', paymentMethodId: hers };
    await expect(processPayment(world.ctx, lisa, theft)).rejects.toMatchObject({ reason: 'payment-method-not-found' });
    expect((await world.stripe.paymentIntents.list()).data).toEqual([]);
    expect((await listPaymentMethods(world.ctx, 'maja')).paymentMethods).toHaveLength(1);
  });

  it('a running subscription’s is not removed; making another the default moves the subscription to it', async () => {
    const one = await save(lisa, 'pm_card_visa');
    const two = await save(lisa, 'pm_card_mastercard');
    const customer = (await read<Customer>('customers/lisa'))!.stripeCustomerId!;
    const { id } = await subscribed(customer, one);
    await expect(removePaymentMethod(world.ctx, 'lisa', one)).rejects.toMatchObject({
      reason: 'payment-method-in-use',
    });
    await setDefaultPaymentMethod(world.ctx, 'lisa', two);
    expect((await world.stripe.subscriptions.retrieve(id)).default_payment_method).toBe(two);
    const { paymentMethods } = await removePaymentMethod(world.ctx, 'lisa', one);
    expect(paymentMethods.map((method) => method.id)).toEqual([two]);
    await expect(removePaymentMethod(world.ctx, 'lisa', two)).rejects.toMatchObject({
      reason: 'payment-method-in-use',
    });
  });

  it('the default of somebody without subscriptions goes and leaves none', async () => {
    const one = await save(lisa, 'pm_card_visa');
    await save(lisa, 'pm_card_mastercard');
    await setDefaultPaymentMethod(world.ctx, 'lisa', one);
    const path = `/v1/payment_methods/${one}/detach`;
    await world.control('stripe', 'faults', { kind: 'timeout_after_success', method: 'POST', path, times: 3 });
    const { paymentMethods } = await removePaymentMethod(world.ctx, 'lisa', one);
    expect(paymentMethods.map(({ isDefault }) => isDefault)).toEqual([false]);
    expect((await read<Customer>('customers/lisa'))?.defaultPaymentMethodId).toBeUndefined();
  });
});

describe('a method that expires', () => {
  const runEach = async (dates: string[]) => {
    for (const date of dates) await noticeExpiring(world.ctx, new Date(date));
  };

  it('is told of once, a month before; a renewed one again before its new end', async () => {
    const id = await save(lisa, 'pm_card_visa');
    await world.stripe.paymentMethods.update(id, { card: { exp_month: 3, exp_year: 2031 } });
    await world.deliver();
    await runEach(['2031-02-28T22:00:00Z']);
    expect(await letters()).toEqual([]);
    await runEach(['2031-02-28T23:30:00Z', '2031-03-10T00:00:00Z', '2031-03-10T00:00:00Z']);
    expect(await letters()).toEqual([`method-expiring_${id}_2031-03`]);
    await listPaymentMethods(world.ctx, 'lisa');
    await runEach(['2031-03-11T00:00:00Z']);
    expect(await letters()).toHaveLength(1);
    await world.stripe.paymentMethods.update(id, { card: { exp_month: 3, exp_year: 2036 } });
    await world.deliver();
    await runEach(['2036-03-01T12:00:00Z']);
    expect(await letters()).toHaveLength(2);
  });

  it('is not told of when it is gone, renewed or over already', async () => {
    const id = await save(lisa, 'pm_card_visa');
    const [gone] = [await save(lisa, 'pm_card_mastercard')];
    await world.stripe.paymentMethods.update(id, { card: { exp_month: 3, exp_year: 2031 } });
    await world.stripe.paymentMethods.detach(gone);
    await world.deliver();
    await runEach(['2032-01-01T00:00:00Z']);
    expect(await letters()).toEqual([]);
    const later = { ...world.ctx, clock: { now: () => new Date('2032-01-01T00:00:00Z') } };
    expect((await listPaymentMethods(later, 'lisa')).paymentMethods).toEqual([
      expect.objectContaining({ id, expired: true }),
    ]);
  });
});
