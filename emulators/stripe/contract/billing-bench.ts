/** What the billing tests share: a customer on a test clock with a monthly price, and time that passes. */
import type Stripe from 'stripe';
import { DAY } from './harness.ts';
import type { Bench } from './harness.ts';

/** 31 January 2026, 10:00 UTC: the month's end shows how periods are anchored. */
export const START = Date.UTC(2026, 0, 31, 10) / 1000;
export const at = (text: string): number => Date.parse(`${text}Z`) / 1000;

export interface Billing {
  clock: string;
  customer: Stripe.Customer;
  card: string;
  price: Stripe.Price;
  dear: Stripe.Price;
  /** Lets the clock's time pass to a moment, in steps the clock allows. */
  until(moment: number): Promise<void>;
}

export async function billing({ stripe }: Bench, card = 'pm_card_bypassPending', start = START): Promise<Billing> {
  const clock = await stripe.testHelpers.testClocks.create({ frozen_time: start, name: 'contract' });
  const customer = await stripe.customers.create({ email: 'kund@example.se', test_clock: clock.id });
  const method = await stripe.paymentMethods.attach(card, { customer: customer.id });
  await stripe.customers.update(customer.id, { invoice_settings: { default_payment_method: method.id } });
  const product = await stripe.products.create({ name: 'Premium' });
  const priced = (unit_amount: number) =>
    stripe.prices.create({ currency: 'sek', product: product.id, unit_amount, recurring: { interval: 'month' } });
  const until = async (moment: number) => {
    for (;;) {
      const { frozen_time: now } = await stripe.testHelpers.testClocks.retrieve(clock.id);
      if (now >= moment) return;
      await stripe.testHelpers.testClocks.advance(clock.id, { frozen_time: Math.min(moment, now + 50 * DAY) });
    }
  };
  return { clock: clock.id, customer, card: method.id, price: await priced(9_900), dear: await priced(19_900), until };
}

export const told = async (stripe: Stripe): Promise<string[]> => {
  const types: string[] = [];
  for await (const event of stripe.events.list({ limit: 100 })) types.push(event.type);
  return types.reverse();
};

export const period = (subscription: Stripe.Subscription): [number, number] => [
  subscription.items.data[0]!.current_period_start,
  subscription.items.data[0]!.current_period_end,
];
