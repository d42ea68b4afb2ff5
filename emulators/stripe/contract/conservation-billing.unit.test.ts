/** Subscriptions that are begun, changed, left unpaid and ended in any order: each öre billed is paid, owed or credited. */
import fc from 'fast-check';
import Stripe from 'stripe';
import { completeOnboarding, createInProcessHttpClient, createStripeCore } from '../index.ts';
import type { StripeCore } from '../index.ts';
import { balanceOf } from '../core/balance.ts';
import { DAY, FORM, newAccount } from './harness.ts';

const CARDS = ['pm_card_visa', 'pm_card_bypassPending', 'pm_card_chargeCustomerFail', 'pm_card_authenticationRequired'];
const which = fc.nat(3);

const operation = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('subscribe' as const),
      price: fc.nat(2),
      quantity: fc.integer({ min: 1, max: 4 }),
      trial: fc.constantFrom(0, 0, 5),
      share: fc.constantFrom(null, 80, 33.33),
      percentOff: fc.constantFrom(0, 0, 25, 100),
      sends: fc.boolean(),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('change' as const),
      which,
      price: fc.nat(2),
      quantity: fc.integer({ min: 1, max: 4 }),
      behavior: fc.constantFrom('create_prorations' as const, 'none' as const, 'always_invoice' as const),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('cancel' as const), which, prorate: fc.boolean(), now: fc.boolean() }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('pause' as const), which, on: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('card' as const), card: fc.nat(3) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('pay' as const), which }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('void' as const), which }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('item' as const), amount: fc.integer({ min: -9_000, max: 9_000 }) }),
  },
  {
    weight: 8,
    arbitrary: fc.record({ do: fc.constant('wait' as const), hours: fc.integer({ min: 1, max: 24 * 14 }) }),
  },
);
type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never;

interface Stage {
  stripe: Stripe;
  core: StripeCore;
  clock: string | null;
  customer: string;
  coach: string;
  prices: string[];
}

const sum = (values: number[]) => values.reduce((total, value) => total + value, 0);

async function setStage(onClock: boolean): Promise<Stage> {
  const core = createStripeCore({ now: 1_795_000_000 });
  const stripe = new Stripe('sk_test_sim', {
    httpClient: createInProcessHttpClient(core),
    maxNetworkRetries: 0,
    telemetry: false,
  });
  const { id: coach } = await newAccount(stripe);
  completeOnboarding(core.world, coach, FORM);
  const clock = onClock ? (await stripe.testHelpers.testClocks.create({ frozen_time: 1_770_000_000 })).id : null;
  const { id: customer } = await stripe.customers.create({
    email: 'a@b.se',
    ...(clock === null ? {} : { test_clock: clock }),
  });
  const { id: product } = await stripe.products.create({ name: 'P' });
  const prices: string[] = [];
  for (const [unit_amount, interval] of [
    [9_900, 'month'],
    [2_501, 'week'],
    [123, 'month'],
  ] as const)
    prices.push((await stripe.prices.create({ currency: 'sek', product, unit_amount, recurring: { interval } })).id);
  const stage = { stripe, core, clock, customer, coach, prices };
  await changeCard(stage, 'pm_card_visa');
  return stage;
}

async function changeCard({ stripe, customer }: Stage, card: string): Promise<void> {
  const { id } = await stripe.paymentMethods.attach(card, { customer });
  await stripe.customers.update(customer, { invoice_settings: { default_payment_method: id } });
}

async function play(stage: Stage, step: Operation): Promise<void> {
  const { stripe, core, clock, customer, coach, prices } = stage;
  const subscription = async (n: number) => (await stripe.subscriptions.list({ customer })).data[n];
  const invoice = async (n: number) => (await stripe.invoices.list({ customer, status: 'open' })).data[n];
  switch (step.do) {
    case 'subscribe': {
      const off = step.percentOff;
      const coupon = off === 0 ? null : await stripe.coupons.create({ percent_off: off, duration: 'once' });
      await stripe.subscriptions.create({
        customer,
        items: [{ price: prices[step.price]!, quantity: step.quantity }],
        ...(step.trial === 0 ? {} : { trial_period_days: step.trial }),
        ...(step.share === null ? {} : { transfer_data: { destination: coach, amount_percent: step.share } }),
        ...(coupon ? { discounts: [{ coupon: coupon.id }] } : {}),
        ...(step.sends ? { collection_method: 'send_invoice', days_until_due: 5 } : {}),
      });
      return;
    }
    case 'change': {
      const found = await subscription(step.which);
      if (!found) return;
      const items = [{ id: found.items.data[0]!.id, price: prices[step.price]!, quantity: step.quantity }];
      await stripe.subscriptions.update(found.id, { items, proration_behavior: step.behavior });
      return;
    }
    case 'cancel': {
      const found = await subscription(step.which);
      if (!found) return;
      if (step.now) await stripe.subscriptions.cancel(found.id, { prorate: step.prorate, invoice_now: step.prorate });
      else await stripe.subscriptions.update(found.id, { cancel_at_period_end: true });
      return;
    }
    case 'pause': {
      const found = await subscription(step.which);
      if (found) await stripe.subscriptions.update(found.id, { pause_collection: step.on ? { behavior: 'void' } : '' });
      return;
    }
    case 'card':
      return changeCard(stage, CARDS[step.card]!);
    case 'pay': {
      const found = await invoice(step.which);
      if (found) await stripe.invoices.pay(found.id);
      return;
    }
    case 'void': {
      const found = await invoice(step.which);
      if (found) await stripe.invoices.voidInvoice(found.id);
      return;
    }
    case 'item':
      await stripe.invoiceItems.create({ customer, amount: step.amount, currency: 'sek' });
      return;
    case 'wait': {
      if (clock === null) {
        core.advance(step.hours * 3_600);
        return;
      }
      const { frozen_time } = await stripe.testHelpers.testClocks.retrieve(clock);
      await stripe.testHelpers.testClocks.advance(clock, { frozen_time: frozen_time + step.hours * 3_600 });
      core.tick();
      return;
    }
  }
}

function conserved({ core, clock, customer }: Stage): void {
  const { world } = core;
  const { platform } = world;
  const books = [platform, ...world.books.values()];
  const held = books.flatMap((book) => {
    const balance = balanceOf(world, book);
    return [...balance.available, ...balance.pending].map((each) => each.amount);
  });
  const charges = platform.charges.values().filter((charge) => charge.status === 'succeeded');
  const fees = sum(platform.balanceTransactions.values().map((txn) => txn.fee));
  expect(sum(held)).toBe(sum(charges.map((charge) => charge.amount)) - fees);

  const invoices = platform.invoices.values();
  const final = invoices.filter((each) => each.status !== 'draft' && each.status !== 'void');
  const { balance } = platform.customers.get(customer)!;
  // Everything billed is due on an invoice or stands on the customer's balance.
  expect(sum(final.map((each) => each.total))).toBe(sum(final.map((each) => each.amount_due)) + balance);
  // Everything paid on an invoice is a charge, and every charge paid an invoice.
  const paid = final.filter((each) => each.status === 'paid');
  expect(sum(paid.map((each) => each.amount_paid))).toBe(sum(charges.map((charge) => charge.amount)));
  for (const each of invoices) {
    expect(each.subtotal).toBe(sum(each.lines.data.map((line) => line.amount)));
    expect(each.total).toBe(each.subtotal - sum((each.total_discount_amounts ?? []).map((one) => one.amount)));
    expect(each.amount_due).toBeGreaterThanOrEqual(0);
  }
  // An invoice item is billed once.
  const billed = invoices.flatMap((each) =>
    each.lines.data.flatMap((line) => line.parent?.invoice_item_details?.invoice_item ?? []),
  );
  expect(new Set(billed).size).toBe(billed.length);
  const now = clock === null ? world.now : world.testClocks.objects.get(clock)!.frozen_time;
  for (const each of platform.subscriptions.values()) {
    if (!['active', 'past_due', 'trialing'].includes(each.status)) continue;
    for (const item of each.items.data) {
      expect(item.current_period_start).toBeLessThanOrEqual(now);
      expect(item.current_period_end).toBeGreaterThan(now);
    }
  }
}

it.each([
  ["by the emulator's clock", false],
  ['by a test clock', true],
])(
  'bills and pays to the öre %s',
  async (_, onClock) => {
    let renewals = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { minLength: 20, maxLength: 60, size: 'max' }), async (steps) => {
        const stage = await setStage(onClock);
        for (const step of steps) {
          // Refusals (a decline, a step too long for the clock) are part of the game.
          await play(stage, step).catch((error: unknown) => {
            if (!(error instanceof Stripe.errors.StripeError)) throw error;
          });
          conserved(stage);
        }
        const { invoices } = stage.core.world.platform;
        renewals += invoices.values().filter((each) => each.billing_reason === 'subscription_cycle').length;
      }),
      { numRuns: 40 },
    );
    expect(renewals).toBeGreaterThan(40);
  },
  120_000,
);

it('lives the same years twice from the same seed', async () => {
  const life = async () => {
    const stage = await setStage(false);
    const { stripe, core, customer, prices } = stage;
    await stripe.subscriptions.create({ customer, items: [{ price: prices[0]! }] }, { idempotencyKey: 'k' });
    core.advance(701 * DAY);
    conserved(stage);
    expect(core.world.platform.charges.size).toBe(24);
    return JSON.stringify(core.world.platform.invoices.values());
  };
  expect(await life()).toBe(await life());
});
