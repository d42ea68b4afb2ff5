import type Stripe from 'stripe';
import { DAY, onboardedCoach, refusal, sellProgramme, startBench } from './harness.ts';
import type { Bench } from './harness.ts';

let bench: Bench;
let stripe: Stripe;
beforeEach(async () => {
  bench = await startBench();
  stripe = bench.stripe;
});
afterEach(() => bench.close());

const sale = { amount: 49_900, currency: 'sek', payment_method: 'pm_card_bypassPending', confirm: true };

describe('an idempotency key', () => {
  it('gives the first answer again, and does the thing once', async () => {
    const first = await stripe.paymentIntents.create(sale, { idempotencyKey: 'k1' });
    const again = await stripe.paymentIntents.create(sale, { idempotencyKey: 'k1' });
    expect(again.id).toBe(first.id);
    expect(again.lastResponse.headers).toMatchObject({ 'idempotent-replayed': 'true', 'idempotency-key': 'k1' });
    expect(first.lastResponse.headers).not.toHaveProperty('idempotent-replayed');
    expect(again.lastResponse.idempotencyKey).toBe('k1');
    expect((await stripe.charges.list()).data).toHaveLength(1);
    // The answer is the first one, not the state of today.
    await stripe.paymentIntents.update(first.id, { description: 'changed' });
    expect((await stripe.paymentIntents.create(sale, { idempotencyKey: 'k1' })).description).toBeNull();
  });

  it('gives a decline again', async () => {
    const declined = { ...sale, payment_method: 'pm_card_visa_chargeDeclined' };
    const first = await refusal(stripe.paymentIntents.create(declined, { idempotencyKey: 'k1' }));
    const again = await refusal(stripe.paymentIntents.create(declined, { idempotencyKey: 'k1' }));
    expect([again.statusCode, again.charge]).toEqual([402, first.charge]);
    expect((await stripe.paymentIntents.list()).data).toHaveLength(1);
  });

  it('is refused with other parameters and at another address', async () => {
    await stripe.customers.create({ email: 'a@example.se' }, { idempotencyKey: 'k1' });
    const other = await refusal(stripe.customers.create({ email: 'b@example.se' }, { idempotencyKey: 'k1' }));
    expect([other.type, other.statusCode]).toEqual(['StripeIdempotencyError', 400]);
    const elsewhere = await refusal(stripe.products.create({ name: 'x' }, { idempotencyKey: 'k1' }));
    expect(elsewhere.type).toBe('StripeIdempotencyError');
    // The same parameters in another order are the same.
    await stripe.products.create({ name: 'x', active: true }, { idempotencyKey: 'k2' });
    expect((await stripe.products.create({ active: true, name: 'x' }, { idempotencyKey: 'k2' })).name).toBe('x');
  });

  it('is not spent by a request that was never begun', async () => {
    await refusal(stripe.paymentIntents.create({ ...sale, amount: 1 }, { idempotencyKey: 'k1' }));
    expect((await stripe.paymentIntents.create(sale, { idempotencyKey: 'k1' })).status).toBe('succeeded');
  });

  it('is spent by a refusal of the moment', async () => {
    const coach = await onboardedCoach(stripe);
    const payOut = () =>
      stripe.payouts.create({ amount: 40_000, currency: 'sek' }, { stripeAccount: coach, idempotencyKey: 'p1' });
    expect((await refusal(payOut())).code).toBe('balance_insufficient');
    await sellProgramme(stripe, coach);
    expect((await refusal(payOut())).code).toBe('balance_insufficient');
  });

  it('is forgotten after 24 hours of the clock: the same key does it again', async () => {
    const first = await stripe.customers.create({}, { idempotencyKey: 'k1' });
    await bench.advance(DAY - 60);
    expect((await stripe.customers.create({}, { idempotencyKey: 'k1' })).id).toBe(first.id);
    await bench.advance(60);
    expect((await stripe.customers.create({}, { idempotencyKey: 'k1' })).id).not.toBe(first.id);
  });

  it('belongs to one account, or to all, as the switch says', async () => {
    const coach = await onboardedCoach(stripe);
    const first = await stripe.customers.create({}, { idempotencyKey: 'k1' });
    const second = await stripe.customers.create({}, { idempotencyKey: 'k1', stripeAccount: coach });
    expect(second.id).not.toBe(first.id);
    await bench.control('POST', '/switches', { idempotencyKeysPerAccount: false });
    await stripe.customers.create({}, { idempotencyKey: 'k2' });
    const error = await refusal(stripe.customers.create({}, { idempotencyKey: 'k2', stripeAccount: coach }));
    expect(error.type).toBe('StripeIdempotencyError');
  });

  it('is in use while its first request has not been answered', async () => {
    await bench.control('POST', '/faults', { kind: 'hang_after_success', path: '/v1/payment_intents', delayMs: 1_500 });
    const first = stripe.paymentIntents.create(sale, { idempotencyKey: 'k1' });
    const arrived = async () =>
      (await bench.control<{ data: object[] }>('GET', '/requests?idempotencyKey=k1')).data.length;
    while ((await arrived()) === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    const meanwhile = await refusal(stripe.paymentIntents.create(sale, { idempotencyKey: 'k1' }));
    expect([meanwhile.statusCode, meanwhile.code]).toEqual([409, 'idempotency_key_in_use']);
    const { id } = await first;
    expect((await stripe.paymentIntents.create(sale, { idempotencyKey: 'k1' })).id).toBe(id);
  });

  it('has at most 255 characters', async () => {
    expect((await refusal(stripe.customers.create({}, { idempotencyKey: 'k'.repeat(256) }))).statusCode).toBe(400);
  });
});

describe('faults of requests', () => {
  const order = (kind: string, more: object = {}) =>
    bench.control('POST', '/faults', { kind, path: '/v1/payment_intents', ...more });
  const count = async () => (await stripe.paymentIntents.list()).data.length;

  it.each([
    ['timeout_after_success', 'StripeConnectionError', 1],
    ['timeout_before', 'StripeConnectionError', 0],
    ['error_500_after', 'StripeAPIError', 1],
    ['error_500_before', 'StripeAPIError', 0],
    ['rate_limit', 'StripeRateLimitError', 0],
  ])('%s is %s, with %i payments made', async (kind, type, made) => {
    // The SDK itself tries once more after ECONNRESET: two strikes.
    await order(kind, { method: 'post', times: kind.startsWith('timeout') ? 2 : 1 });
    expect((await refusal(stripe.paymentIntents.create(sale, { idempotencyKey: 'k1' }))).type).toBe(type);
    expect(await count()).toBe(made);
    expect((await bench.control<{ data: object[] }>('GET', '/faults')).data).toEqual([]);
    // With the same key: the kept answer where there is one, else it happens now.
    const again = stripe.paymentIntents.create(sale, { idempotencyKey: 'k1' });
    if (kind === 'error_500_after') expect((await refusal(again)).statusCode).toBe(500);
    else expect((await again).status).toBe('succeeded');
    expect(await count()).toBe(1);
  });

  it('strike where they are aimed, as often as was asked', async () => {
    await order('error_500_before', { path: '^/v1/customers$', method: 'POST', times: 2 });
    expect((await stripe.customers.list()).data).toEqual([]);
    for (let i = 0; i < 2; i++) expect((await refusal(stripe.customers.create({}))).statusCode).toBe(500);
    expect((await stripe.customers.create({})).object).toBe('customer');
    await order('rate_limit');
    await bench.control('DELETE', '/faults');
    expect(await count()).toBe(0);
    await expect(order('no_such_fault')).rejects.toThrow('There is no fault');
    await expect(order('rate_limit', { bogus: 1 })).rejects.toThrow(`A fault has no 'bogus'`);
    await expect(order('rate_limit', { times: 0 })).rejects.toThrow('times');
    await expect(order('drop_delivery')).rejects.toThrow('eventType');
  });

  it('are seen in the log of requests', async () => {
    await order('error_500_before');
    await refusal(stripe.paymentIntents.create(sale, { idempotencyKey: 'k9' }));
    await stripe.paymentIntents.create(sale, { idempotencyKey: 'k9' });
    await stripe.paymentIntents.create(sale, { idempotencyKey: 'k9' });
    const { data } = await bench.control<{ data: object[] }>('GET', '/requests?idempotencyKey=k9&path=/v1/payment');
    expect(data).toMatchObject([
      { method: 'POST', path: '/v1/payment_intents', status: 500, fault: 'error_500_before', replayed: false },
      { status: 200, fault: null, replayed: false },
      { status: 200, replayed: true },
    ]);
  });
});
