import fc from 'fast-check';
import type Stripe from 'stripe';
import type { Caller } from '../../platform/auth.ts';
import { hours } from '../../platform/clock.ts';
import { createTestWorld, type TestWorld } from '../../testing/world.ts';
import { receiveEvent } from '../../webhooks/webhooks.service.ts';
import { ensureCustomer } from '../customers.service.ts';
import type { Customer } from '../customers.store.ts';
import type { SavedMethod } from '../methods/methods.ts';
import { statusOfIntent, type Payment } from '../payments.ts';
import type { Checkout } from './checkout.ts';
import { createCheckoutSession } from './checkout.service.ts';

/**
 * Random histories of customers on Stripe's pages. Their events come late, shuffled and twice, while more happens; when all
 * have come, what we hold is what Stripe holds.
 */
const lisa: Caller = { uid: 'lisa', email: 'lisa@example.se', coach: false, admin: false };
const returnUrl = 'http://127.0.0.1:5000/done';

type Step =
  | { do: 'open' }
  | { do: 'pay'; page: number; card: string }
  | { do: 'code'; page: number }
  | { do: 'expire'; page: number }
  | { do: 'save'; card: string }
  | { do: 'drop' | 'prefer' | 'renew'; method: number }
  | { do: 'hear'; seed: number };

const which = fc.nat({ max: 3 });
const card = fc.constantFrom('pm_card_bypassPending', 'pm_card_visa_chargeDeclined', 'pm_card_authenticationRequired');
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constant('open' as const) }),
  { weight: 3, arbitrary: fc.record({ do: fc.constant('pay' as const), page: fc.nat({ max: 1 }), card }) },
  fc.record({ do: fc.constant('code' as const), page: which }),
  fc.record({ do: fc.constant('expire' as const), page: which }),
  fc.record({ do: fc.constant('save' as const), card: fc.constantFrom('pm_card_visa', 'pm_card_mastercard') }),
  fc.record({ do: fc.constantFrom('drop' as const, 'prefer' as const, 'renew' as const), method: which }),
  fc.record({ do: fc.constant('hear' as const), seed: fc.nat() }),
);

interface History {
  world: TestWorld;
  customer: string;
  pages: { id: string; url: string }[];
  methods: string[];
}

const click = (url: string, form: Record<string, string>) =>
  fetch(url, { method: 'POST', redirect: 'manual', body: new URLSearchParams(form) });

/** Some of what was told so far, in another order, all at once or one by one. */
async function hear({ world }: History, seed: number, every = false): Promise<void> {
  const { data } = await world.control<{ data: Stripe.Event[] }>('stripe', 'events');
  const mixed = data
    .map((event, at) => ({ event, rank: (Math.imul(at + 1, seed | 1) >>> 0) % 9973 }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ event }) => event);
  const heard = every ? mixed : mixed.filter((_, at) => at % 3 !== 0);
  if (seed % 2 === 0) await Promise.all(heard.map((event) => receiveEvent(world.ctx, event)));
  else for (const event of heard) await receiveEvent(world.ctx, event);
}

async function run(history: History, what: Step, at: number): Promise<void> {
  const { world, customer, pages, methods } = history;
  const { stripe, ctx } = world;
  if (what.do === 'hear') return hear(history, what.seed);
  if (what.do === 'save') {
    const { id } = await stripe.paymentMethods.attach(what.card, { customer });
    methods.push(id);
  } else if (what.do === 'open') {
    const wish = { mode: 'payment' as const, productId: 'course', successUrl: returnUrl, allowPromotionCodes: true };
    const { checkoutId: id, url } = await createCheckoutSession(ctx, lisa, { ...wish, requestId: `history-${at}` });
    pages.push({ id, url });
  } else if ('method' in what) {
    const [id] = methods.slice(what.method);
    if (!id) return;
    if (what.do === 'renew')
      await stripe.paymentMethods.update(id, { card: { exp_year: 2040, exp_month: 1 + (at % 12) } });
    if (what.do === 'prefer')
      await stripe.customers.update(customer, { invoice_settings: { default_payment_method: id } });
    if (what.do === 'drop') {
      await stripe.paymentMethods.detach(id);
      methods.splice(methods.indexOf(id), 1);
    }
  } else {
    const page = pages[what.page];
    if (!page) return;
    if (what.do === 'pay') await click(page.url, { action: 'pay', card: what.card });
    if (what.do === 'code') await click(page.url, { action: 'code', code: 'TEN' });
    if (what.do === 'expire') await stripe.checkout.sessions.expire(page.id).catch(() => undefined);
  }
}

async function begin(): Promise<History> {
  const world = await createTestWorld();
  const course = { name: 'Course', kind: 'programme', amountMinor: 49_900, currency: 'SEK', vatRate: 25, active: true };
  await world.ctx.db.doc('products/course').set(course);
  const { id } = await world.stripe.coupons.create({ percent_off: 10, duration: 'forever' });
  await world.stripe.promotionCodes.create({ promotion: { type: 'coupon', coupon: id }, code: 'TEN' });
  return { world, customer: await ensureCustomer(world.ctx, lisa), pages: [], methods: [] };
}

async function expectAsStripe({ world, customer }: History): Promise<void> {
  const { stripe, ctx } = world;
  const all = async <T>(collection: string) =>
    (await ctx.db.collection(collection).get()).docs.map((doc) => doc.data() as T);
  const events = await all<{ state: string }>('stripeEvents');
  expect(events.filter(({ state }) => state !== 'applied' && state !== 'ignored')).toEqual([]);
  const payments = await all<Payment>('payments');
  const ours = payments.map(({ stripePaymentId: id, amountMinor, status }) => [
    id,
    status === 'succeeded' ? amountMinor : 'not paid',
    status === 'failed' ? 'pending' : status,
  ]);
  const intents = (await stripe.paymentIntents.list({ limit: 100 })).data.map((intent) => {
    const status = statusOfIntent(intent);
    return [intent.id, status === 'succeeded' ? intent.amount : 'not paid', status === 'failed' ? 'pending' : status];
  });
  expect(ours.sort()).toEqual(intents.sort());
  const sales = (await all<{ kind: string; parts: { grossMinor: number } }>('ledger')).filter(
    ({ kind }) => kind !== 'fee',
  );
  const paid = payments.filter(({ status }) => status === 'succeeded');
  const sum = (amounts: number[]) => amounts.reduce((total, amount) => total + amount, 0);
  expect(sum(sales.map(({ parts }) => parts.grossMinor))).toBe(sum(paid.map(({ amountMinor }) => amountMinor)));
  for (const { id, status, paymentStatus } of await all<Checkout>('checkouts')) {
    const session = await stripe.checkout.sessions.retrieve(id);
    expect([status, paymentStatus]).toEqual([session.status, session.payment_status]);
  }
  const saved = (await all<SavedMethod>('paymentMethods')).map(({ id, expYear, expMonth }) => [id, expYear, expMonth]);
  const methods = (await stripe.customers.listPaymentMethods(customer, { limit: 100 })).data;
  expect(saved.sort()).toEqual(methods.map(({ id, card: of }) => [id, of?.exp_year, of?.exp_month]).sort());
  const { invoice_settings } = (await stripe.customers.retrieve(customer)) as Stripe.Customer;
  const known = (await ctx.db.doc('customers/lisa').get()).data() as Customer;
  expect(known.defaultPaymentMethodId ?? null).toBe(invoice_settings.default_payment_method);
}

it('whatever customers do on pages and with their cards, and however its news come, we end as Stripe does', async () => {
  const property = fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 16 }), fc.nat(), async (steps, seed) => {
    const history = await begin();
    try {
      await run(history, { do: 'open' }, 0);
      for (const [at, each] of steps.entries()) await run(history, each, at + 1);
      await history.world.advance(hours(1));
      await hear(history, seed, true);
      await hear(history, seed + 1, true);
      await expectAsStripe(history);
    } finally {
      await history.world.close();
    }
  });
  await fc.assert(property, { numRuns: 40 });
}, 120_000);
