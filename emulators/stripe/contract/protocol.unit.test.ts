import type Stripe from 'stripe';
import { int } from '../core/params.ts';
import type { ParamSpec } from '../core/params.ts';
import { ROUTES } from '../core/routes.ts';
import { route } from '../core/table/route.ts';
import { createPaymentIntent } from '../resources/payment-intents.ts';
import { client, newAccount, onboardedCoach, refusal, sellProgramme, startBench } from './harness.ts';
import type { Bench } from './harness.ts';

let bench: Bench;
let stripe: Stripe;
beforeAll(async () => {
  bench = await startBench();
  stripe = bench.stripe;
});
afterAll(() => bench.close());

interface Raw {
  status: number;
  headers: Headers;
  error: { type: string; code?: string; param?: string; message: string };
}

async function raw(method: string, path: string, parameters = '', headers: Record<string, string> = {}): Promise<Raw> {
  const inBody = method === 'POST';
  const response = await fetch(`${bench.emulator.url}${path}${inBody || parameters === '' ? '' : `?${parameters}`}`, {
    method,
    headers: {
      authorization: 'Bearer sk_test_contract',
      'content-type': 'application/x-www-form-urlencoded',
      ...headers,
    },
    ...(inBody ? { body: parameters } : {}),
  });
  const body = (await response.json()) as { error: Raw['error'] };
  return { status: response.status, headers: response.headers, error: body.error };
}

/** Bodies of v2 are JSON. */
const bogusFor = (method: string, path: string) =>
  method === 'POST' && path.startsWith('/v2/') ? '{"bogus":"1"}' : 'bogus=1';

describe('every route', () => {
  it.each(ROUTES.map((route) => [route.method, route.path]))(
    '%s %s refuses an unknown parameter',
    async (method, path) => {
      const { status, error } = await raw(method, path.replaceAll('{}', 'some_id'), bogusFor(method, path));
      expect([status, error.code, error.param]).toEqual([400, 'parameter_unknown', 'bogus']);
    },
  );

  it('wants a key', async () => {
    expect((await raw('GET', '/v1/balance', '', { authorization: '' })).status).toBe(401);
    expect((await raw('GET', '/v1/balance', '', { authorization: 'Bearer sk_live_x' })).error.code).toBe(
      'api_key_invalid',
    );
    expect((await refusal(client(bench.emulator.port, 'sk_wrong').balance.retrieve())).type).toBe(
      'StripeAuthenticationError',
    );
  });

  it('speaks one version of the API', async () => {
    expect((await raw('GET', '/v1/balance', '', { 'stripe-version': '2024-06-20' })).error.message).toContain(
      '2026-10-28.endive',
    );
  });

  it('is refused for a connected account where the emulator has none of that', async () => {
    const account = await newAccount(stripe);
    const nested = stripe.accounts.list({}, { stripeAccount: account.id });
    expect((await refusal(nested)).code).toBe('emulator_unsupported');
  });
});

describe('the table', () => {
  it('takes only names that the SDK knows: the compiler refuses others', () => {
    // @ts-expect-error PaymentIntents have no such parameter.
    const named = route('POST', '/v1/x', 'any', { amount: int, amuont: int }, createPaymentIntent);
    const nested: ParamSpec<Stripe.PaymentIntentCreateParams.TransferData> = {
      destination: int,
      // @ts-expect-error transfer_data has no such field.
      destinaton: int,
    };
    expect([named.path, Object.keys(nested)]).toEqual(['/v1/x', ['destination', 'destinaton']]);
  });
});

describe('what is not there', () => {
  it.each([
    ['GET', '/v1/quotes'],
    ['POST', '/v1/quotes'],
    ['PUT', '/v1/customers'],
    ['GET', '/v1/customers/a/b/c'],
    ['GET', '/v2/core/accounts'],
    ['GET', '/'],
  ])('%s %s is an unrecognized URL', async (method, path) => {
    const { status, error, headers } = await raw(method, path);
    expect([status, error.type]).toEqual([404, 'invalid_request_error']);
    expect(error.message).toContain(`Unrecognized request URL (${method}: ${path})`);
    expect(headers.get('request-id')).toMatch(/^req_/);
  });

  it('is an error in the SDK too', async () => {
    expect(await refusal(stripe.quotes.create({}))).toMatchObject({
      type: 'StripeInvalidRequestError',
      statusCode: 404,
    });
  });
});

describe('parameters', () => {
  it.each([
    ['amount=abc&currency=sek', 'parameter_invalid_integer', 'amount'],
    ['currency=sek', 'parameter_missing', 'amount'],
    ['amount=9900&currency=', 'parameter_invalid_empty', 'currency'],
    ['amount=9900&currency=sek&confirm=maybe', undefined, 'confirm'],
    ['amount=9900&currency=sek&transfer_data=acct_1', undefined, 'transfer_data'],
    [
      'amount=9900&currency=sek&transfer_data[destination]=a&transfer_data[bogus]=1',
      'parameter_unknown',
      'transfer_data[bogus]',
    ],
    ['amount=9900&currency=sek&setup_future_usage=always', undefined, 'setup_future_usage'],
    ['amount=9900&currency=sek&expand[]=latest_chargee', undefined, 'expand'],
    ['amount=9900&currency=sek&__proto__[polluted]=1', 'parameter_unknown', '__proto__'],
    ['amount=9900&currency=%zz', undefined, ''],
  ])('%s', async (form, code, param) => {
    const { status, error } = await raw('POST', '/v1/payment_intents', form);
    expect([status, error.code, error.param]).toEqual([400, code, param]);
    expect((await stripe.paymentIntents.list()).data).toEqual([]);
  });

  it('hold metadata to its limits', async () => {
    const many = Object.fromEntries(Array.from({ length: 51 }, (_, i) => [`k${i}`, 'v']));
    expect((await refusal(stripe.customers.create({ metadata: many }))).param).toBe('metadata');
    expect((await refusal(stripe.customers.create({ metadata: { k: 'x'.repeat(501) } }))).param).toBe('metadata[k]');
    expect((await refusal(stripe.customers.create({ metadata: { ['k'.repeat(41)]: 'x' } }))).param).toBe('metadata');
  });
});

describe('lists', () => {
  it('go page by page in both directions, newest first, and filter by creation', async () => {
    const made: string[] = [];
    for (let i = 0; i < 25; i++) made.push((await stripe.products.create({ name: `p${i}` })).id);
    const newest = [...made].reverse();
    const ids = (page: Stripe.ApiList<Stripe.Product>) => page.data.map((each) => each.id);
    const first = await stripe.products.list();
    expect([ids(first), first.has_more]).toEqual([newest.slice(0, 10), true]);
    const second = await stripe.products.list({ limit: 20, starting_after: newest[9]! });
    expect([ids(second), second.has_more]).toEqual([newest.slice(10), false]);
    const back = await stripe.products.list({ limit: 5, ending_before: newest[10]! });
    expect([ids(back), back.has_more]).toEqual([newest.slice(5, 10), true]);
    const all: string[] = [];
    for await (const product of stripe.products.list({ limit: 7 })) all.push(product.id);
    expect(all).toEqual(newest);
    const from = bench.emulator.core.now() + 10;
    await bench.advance(10);
    const late = await stripe.products.create({ name: 'late' });
    expect(ids(await stripe.products.list({ created: { gte: from } }))).toEqual([late.id]);
    expect(ids(await stripe.products.list({ limit: 1, created: { lt: from } }))).toEqual([newest[0]]);
    expect((await refusal(stripe.products.list({ limit: 101 }))).param).toBe('limit');
    expect((await refusal(stripe.products.list({ starting_after: 'prod_none' }))).code).toBe('resource_missing');
  });
});

describe('expand', () => {
  it('follows paths through lists and into connected accounts', async () => {
    const coach = await onboardedCoach(stripe);
    const { id } = await sellProgramme(stripe, coach);
    const list = await stripe.paymentIntents.list({
      expand: ['data.latest_charge.transfer.destination_payment.balance_transaction'],
    });
    const charge = list.data[0]?.latest_charge as Stripe.Charge;
    const payment = (charge.transfer as Stripe.Transfer).destination_payment as Stripe.Charge;
    expect((payment.balance_transaction as Stripe.BalanceTransaction).net).toBe(40_000);
    const transactions = await stripe.balanceTransactions.list({ type: 'application_fee', expand: ['data.source'] });
    expect(transactions.data[0]?.source).toMatchObject({ object: 'application_fee', account: coach });
    expect((await refusal(stripe.paymentIntents.retrieve(id, { expand: ['amount'] }))).param).toBe('expand');
    expect((await refusal(stripe.paymentIntents.retrieve(id, { expand: ['transfer'] }))).param).toBe('expand');
    // The stored object is as it was.
    expect(typeof (await stripe.paymentIntents.retrieve(id)).latest_charge).toBe('string');
  });
});
