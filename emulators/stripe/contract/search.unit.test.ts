/** Searching payments as one searches at Stripe. */
import type Stripe from 'stripe';
import { refusal, startBench } from './harness.ts';
import type { Bench } from './harness.ts';

let bench: Bench;
let stripe: Stripe;
let customer: string;
beforeAll(async () => {
  bench = await startBench();
  stripe = bench.stripe;
  customer = (await stripe.customers.create({})).id;
  const pay = (amount: number, order: string, more: Partial<Stripe.PaymentIntentCreateParams> = {}) =>
    stripe.paymentIntents.create({ amount, currency: 'sek', metadata: { order }, ...more });
  await pay(49_900, 'o 1', { customer, payment_method: 'pm_card_se', confirm: true });
  await pay(9_900, 'OR "2"', { payment_method: 'pm_card_visa', confirm: true });
  await pay(9_900, 'o3');
  await refusal(pay(100_000, 'o4', { payment_method: 'pm_card_visa_chargeDeclined', confirm: true }));
});
afterAll(() => bench.close());

const orders = async (query: string) =>
  (await stripe.paymentIntents.search({ query })).data.map((intent) => intent.metadata.order);

it.each([
  ['status:"succeeded"', ['OR "2"', 'o 1']],
  ["metadata['order']:'o 1'", ['o 1']],
  ['metadata["order"]~"o"', ['o4', 'o3', 'OR "2"', 'o 1']],
  [`metadata["order"]:'OR "2"'`, ['OR "2"']],
  ['amount>9900 AND amount<100000', ['o 1']],
  ['amount>=100000 OR amount<=9900', ['o4', 'o3', 'OR "2"']],
  ['amount:9900 AND -status:"succeeded"', ['o3']],
  ['customer:null AND status:"succeeded"', ['OR "2"']],
])('%s', async (query, found) => {
  expect(await orders(query)).toEqual(found);
});

it('finds charges, in pages', async () => {
  const first = await stripe.charges.search({ query: 'amount>0', limit: 2 });
  expect([first.data.length, first.has_more]).toEqual([2, true]);
  const rest = await stripe.charges.search({ query: 'amount>0', limit: 2, page: first.next_page! });
  expect([rest.data.length, rest.has_more, rest.next_page]).toEqual([1, false, null]);
  const swedish = await stripe.charges.search({ query: 'payment_method_details.card.last4:"0008"' });
  expect(swedish.data.map((charge) => charge.customer)).toEqual([customer]);
  const all: string[] = [];
  for await (const charge of stripe.charges.search({ query: 'refunded:"false"', limit: 1 })) all.push(charge.id);
  expect(all).toHaveLength(3);
});

it.each(['bogus:"1"', 'status', 'status:"a" AND amount>1 OR amount<1', ''])('refuses %j', async (query) => {
  expect((await refusal(stripe.paymentIntents.search({ query }))).param).toBe('query');
});

it('sees an object only after a while, with the switch', async () => {
  await bench.control('POST', '/switches', { searchDelaySeconds: 60 });
  const made = await stripe.paymentIntents.create({ amount: 12_300, currency: 'sek' });
  expect((await stripe.paymentIntents.search({ query: 'amount:12300' })).data).toEqual([]);
  await bench.advance(60);
  expect((await stripe.paymentIntents.search({ query: 'amount:12300' })).data.map((each) => each.id)).toEqual([
    made.id,
  ]);
});
