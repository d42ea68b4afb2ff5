/** Changes with prorations, invoices by hand, previews, coupons. */
import fc from 'fast-check';
import type Stripe from 'stripe';
import { discountShares } from '../resources/billing/lines.ts';
import { restOf } from '../resources/billing/time.ts';
import { at, billing, period, told } from './billing-bench.ts';
import type { Billing } from './billing-bench.ts';
import { DAY, onboardedCoach, refusal, startBench } from './harness.ts';
import type { Bench } from './harness.ts';

/** A month of 30 days. */
const APRIL = at('2026-04-01T00:00:00');

let bench: Bench;
let stripe: Stripe;
let b: Billing;
beforeEach(async () => {
  bench = await startBench();
  stripe = bench.stripe;
  b = await billing(bench, 'pm_card_bypassPending', APRIL);
});
afterEach(() => bench.close());

const subscribe = (more: Partial<Stripe.SubscriptionCreateParams> = {}) =>
  stripe.subscriptions.create({ customer: b.customer.id, items: [{ price: b.price.id }], ...more });
const latest = async (subscription: string) => (await stripe.invoices.list({ subscription })).data[0]!;
const customer = async () => (await stripe.customers.retrieve(b.customer.id)) as Stripe.Customer;

describe('a change in the middle of a period', () => {
  it('credits what is not used and charges the rest, with the next invoice', async () => {
    const made = await subscribe();
    const [item] = made.items.data;
    await b.until(APRIL + 10 * DAY);
    const changed = await stripe.subscriptions.update(made.id, { items: [{ id: item!.id, price: b.dear.id }] });
    expect(period(changed)).toEqual(period(made));
    const { data: pending } = await stripe.invoiceItems.list({ customer: b.customer.id, pending: true });
    expect(pending.map((each) => [each.amount, each.proration]).reverse()).toEqual([
      [-6_600, true],
      [13_267, true],
    ]);
    const preview = await stripe.invoices.createPreview({ subscription: made.id });
    expect(preview).toMatchObject({ total: 19_900 - 6_600 + 13_267, status: 'draft', billing_reason: 'upcoming' });
    await b.until(APRIL + 31 * DAY);
    const invoice = await latest(made.id);
    expect(invoice).toMatchObject({ status: 'paid', total: preview.total, billing_reason: 'subscription_cycle' });
    expect(invoice.lines.data.map((line) => line.amount).sort((x, y) => x - y)).toEqual([-6_600, 13_267, 19_900]);
    expect((await stripe.invoiceItems.list({ pending: true })).data).toEqual([]);
  });

  it('is invoiced at once, or not at all, where that is asked', async () => {
    const made = await subscribe();
    const [item] = made.items.data;
    await b.until(APRIL + 15 * DAY);
    const subscription_details = {
      items: [{ id: item!.id, quantity: 3 }],
      proration_behavior: 'always_invoice' as const,
    };
    const preview = await stripe.invoices.createPreview({ subscription: made.id, subscription_details });
    expect(preview.total).toBe(-4_950 + 14_850);
    expect((await stripe.invoices.list({ subscription: made.id })).data).toHaveLength(1);
    await stripe.subscriptionItems.update(item!.id, { quantity: 3, proration_behavior: 'always_invoice' });
    expect(await latest(made.id)).toMatchObject({
      status: 'paid',
      total: 9_900,
      billing_reason: 'subscription_update',
    });
    await stripe.subscriptions.update(made.id, {
      items: [{ id: item!.id, quantity: 1 }],
      proration_behavior: 'none',
    });
    expect((await stripe.invoiceItems.list({ pending: true })).data).toEqual([]);
    const items = await stripe.subscriptionItems.list({ subscription: made.id });
    expect(items.data.map((each) => [each.id, each.quantity])).toEqual([[item!.id, 1]]);
  });

  it('leaves a credit on the customer, which the next invoice takes', async () => {
    const made = await subscribe({ items: [{ price: b.dear.id }] });
    const [item] = made.items.data;
    await b.until(APRIL + 15 * DAY);
    await stripe.subscriptions.update(made.id, {
      items: [{ id: item!.id, price: b.price.id }],
      proration_behavior: 'always_invoice',
    });
    expect(await latest(made.id)).toMatchObject({ total: -5_000, amount_due: 0, status: 'paid' });
    expect((await customer()).balance).toBe(-5_000);
    await b.until(APRIL + 31 * DAY);
    expect(await latest(made.id)).toMatchObject({ total: 9_900, starting_balance: -5_000, amount_due: 4_900 });
    expect((await customer()).balance).toBe(0);
  });

  it('to another rhythm, or with a new anchor, begins a period now', async () => {
    const made = await subscribe();
    const yearly = await stripe.prices.create({
      currency: 'sek',
      product: b.price.product as string,
      unit_amount: 99_000,
      recurring: { interval: 'year' },
    });
    await b.until(APRIL + 15 * DAY);
    const [item] = made.items.data;
    const year = await stripe.subscriptions.update(made.id, { items: [{ id: item!.id, price: yearly.id }] });
    expect(period(year)).toEqual([APRIL + 15 * DAY, at('2027-04-16T00:00:00')]);
    expect(await latest(made.id)).toMatchObject({ status: 'paid', total: 99_000 - 4_950 });
    const again = await stripe.subscriptions.update(made.id, {
      billing_cycle_anchor: { type: 'now' },
      proration_behavior: 'none',
    });
    expect(again.billing_cycle_anchor).toBe(APRIL + 15 * DAY);
  });

  it('adds and removes items, and refuses what names none', async () => {
    const made = await subscribe();
    const added = await stripe.subscriptions.update(made.id, { items: [{ price: b.dear.id, quantity: 2 }] });
    expect(added.items.data.map((each) => each.quantity)).toEqual([1, 2]);
    const [first, second] = added.items.data;
    const removed = await stripe.subscriptions.update(made.id, { items: [{ id: first!.id, deleted: true }] });
    expect(removed.items.data.map((each) => each.id)).toEqual([second!.id]);
    const none = stripe.subscriptions.update(made.id, { items: [{ id: second!.id, deleted: true }] });
    expect((await refusal(none)).message).toContain('at least one');
    const strange = stripe.subscriptions.update(made.id, { items: [{ id: 'si_none', quantity: 1 }] });
    expect((await refusal(strange)).code).toBe('resource_missing');
  });

  it('is exact by the second and never more than the whole', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 99_999_999 }),
        fc.integer({ min: 1, max: 3 * 366 * DAY }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (amount, length, part) => {
          const moment = Math.floor(length * part);
          const rest = restOf(amount, { start: 0, end: length }, moment);
          expect(Math.abs(rest - (amount * (length - moment)) / length)).toBeLessThanOrEqual(0.5000001);
          expect(restOf(-amount, { start: 0, end: length }, moment) + rest).toBe(0);
        },
      ),
    );
  });
});

describe('an invoice made by hand', () => {
  const drafted = async (amount = 50_000, more: Partial<Stripe.InvoiceCreateParams> = {}) => {
    await stripe.invoiceItems.create({ customer: b.customer.id, amount, currency: 'sek', description: 'A day' });
    return stripe.invoices.create({
      customer: b.customer.id,
      pending_invoice_items_behavior: 'include',
      ...more,
    });
  };

  it('is drafted, finalized and paid, with a page and a PDF', async () => {
    const draft = await drafted();
    expect(draft).toMatchObject({ status: 'draft', amount_due: 50_000, number: null, auto_advance: false });
    const open = await stripe.invoices.finalizeInvoice(draft.id);
    expect(open.status).toBe('open');
    const page = await (await fetch(open.hosted_invoice_url!)).text();
    expect(page).toContain('500.00 SEK');
    const pdf = await fetch(open.invoice_pdf!);
    expect(pdf.headers.get('content-type')).toBe('application/pdf');
    expect((await pdf.text()).startsWith('%PDF-1.4')).toBe(true);
    const declined = await fetch(open.hosted_invoice_url!, {
      method: 'POST',
      body: new URLSearchParams({ card: 'pm_card_visa_chargeDeclined' }),
    });
    expect(declined.status).toBe(402);
    const paid = await fetch(open.hosted_invoice_url!, {
      method: 'POST',
      body: new URLSearchParams({ card: 'pm_card_visa' }),
    });
    expect(await paid.text()).toContain('paid');
    expect(await stripe.invoices.retrieve(draft.id)).toMatchObject({ status: 'paid', attempt_count: 2 });
    const second = await stripe.invoices.pay((await drafted()).id);
    expect([open.number?.slice(-4), second.number?.slice(-4), second.status]).toEqual(['0001', '0002', 'paid']);
    const payments = await stripe.invoicePayments.list({ invoice: draft.id });
    expect(payments.data.map((each) => each.status)).toEqual(['paid']);
  });

  it('advances by itself after an hour where that is asked', async () => {
    const draft = await drafted(20_000, { auto_advance: true });
    await b.until(APRIL + 3_600);
    expect((await stripe.invoices.retrieve(draft.id)).status).toBe('paid');
  });

  it('is voided, given up, sent, changed and deleted', async () => {
    const voided = await stripe.invoices.voidInvoice((await stripe.invoices.finalizeInvoice((await drafted()).id)).id);
    expect(voided.status).toBe('void');
    expect((await refusal(stripe.invoices.pay(voided.id))).code).toBe('invoice_not_open');
    const open = await stripe.invoices.finalizeInvoice((await drafted()).id);
    expect((await stripe.invoices.markUncollectible(open.id)).status).toBe('uncollectible');
    const sent = await drafted(30_000, { collection_method: 'send_invoice', days_until_due: 30 });
    expect(await stripe.invoices.sendInvoice(sent.id)).toMatchObject({ status: 'open', due_date: APRIL + 30 * DAY });
    const draft = await drafted();
    await stripe.invoices.update(draft.id, { description: 'For May', metadata: { a: 'b' } });
    await stripe.invoiceItems.create({ customer: b.customer.id, invoice: draft.id, amount: 700, currency: 'sek' });
    expect(await stripe.invoices.retrieve(draft.id)).toMatchObject({ description: 'For May', amount_due: 50_700 });
    expect((await stripe.invoices.listLineItems(draft.id)).data).toHaveLength(2);
    await stripe.invoices.del(draft.id);
    expect((await refusal(stripe.invoices.retrieve(draft.id))).statusCode).toBe(404);
    const late = stripe.invoices.update(open.id, { description: 'x' });
    expect((await refusal(late)).code).toBe('invoice_not_editable');
    expect(await told(stripe)).toEqual(
      expect.arrayContaining(['invoice.voided', 'invoice.marked_uncollectible', 'invoice.sent', 'invoice.deleted']),
    );
  });

  it('below the smallest charge waits on the balance of the customer', async () => {
    const small = await stripe.invoices.pay((await drafted(200)).id);
    expect(small).toMatchObject({ status: 'paid', amount_due: 0, ending_balance: 200 });
    const next = await stripe.invoices.pay((await drafted(1_000)).id);
    expect(next).toMatchObject({ status: 'paid', amount_due: 1_200, starting_balance: 200 });
  });

  it('is shared as it says itself', async () => {
    const coach = await onboardedCoach(stripe);
    const draft = await drafted(50_000);
    await stripe.invoices.update(draft.id, { transfer_data: { destination: coach, amount: 40_000 } });
    await stripe.invoices.pay(draft.id);
    expect((await stripe.transfers.list()).data[0]).toMatchObject({ amount: 40_000, destination: coach });
  });

  it('says why it cannot be finalized when its destination may no longer be paid', async () => {
    const coach = await onboardedCoach(stripe);
    const { id } = await subscribe({ transfer_data: { destination: coach } });
    await stripe.accounts.reject(coach, { reason: 'fraud_other' });
    await b.until(APRIL + 31 * DAY);
    const invoice = await latest(id);
    expect(invoice).toMatchObject({
      status: 'draft',
      auto_advance: false,
      last_finalization_error: { code: 'insufficient_capabilities_for_transfer' },
    });
    expect(await told(stripe)).toContain('invoice.finalization_failed');
    expect((await refusal(stripe.invoices.finalizeInvoice(invoice.id))).code).toBe(
      'insufficient_capabilities_for_transfer',
    );
  });

  it('is previewed for what is not there yet, and not for what will not be', async () => {
    const details = { items: [{ price: b.dear.id, quantity: 2 }] };
    const preview = await stripe.invoices.createPreview({ customer: b.customer.id, subscription_details: details });
    expect(preview).toMatchObject({ total: 39_800, status: 'draft' });
    expect((await stripe.subscriptions.list()).data).toEqual([]);
    const items = [{ amount: 5_000, currency: 'sek' }];
    const bare = await stripe.invoices.createPreview({ customer: b.customer.id, invoice_items: items });
    expect(bare.total).toBe(5_000);
    const nothing = stripe.invoices.createPreview({ customer: b.customer.id });
    expect((await refusal(nothing)).code).toBe('invoice_upcoming_none');
    const { id } = await subscribe({ cancel_at_period_end: true });
    expect((await refusal(stripe.invoices.createPreview({ subscription: id }))).code).toBe('invoice_upcoming_none');
    expect((await stripe.invoices.list()).data).toHaveLength(1);
  });

  it('of a change that the card does not pay is refused before anything changes, or left open', async () => {
    const made = await subscribe();
    const bad = await stripe.paymentMethods.attach('pm_card_chargeCustomerFail', { customer: b.customer.id });
    await stripe.subscriptions.update(made.id, { default_payment_method: bad.id });
    await b.until(APRIL + 15 * DAY);
    const change = (payment_behavior: 'error_if_incomplete' | 'default_incomplete' | 'allow_incomplete') =>
      stripe.subscriptions.update(made.id, {
        items: [{ id: made.items.data[0]!.id, price: b.dear.id }],
        proration_behavior: 'always_invoice',
        payment_behavior,
      });
    expect((await refusal(change('error_if_incomplete'))).code).toBe('card_declined');
    expect((await stripe.subscriptions.retrieve(made.id)).items.data[0]?.price.id).toBe(b.price.id);
    expect((await change('default_incomplete')).status).toBe('active');
    expect(await latest(made.id)).toMatchObject({ status: 'open', attempt_count: 0, total: 5_000 });
  });

  it('has no taxes and no credit notes', async () => {
    const taxed = stripe.invoices.create({ customer: b.customer.id, automatic_tax: { enabled: true } });
    expect((await refusal(taxed)).code).toBe('emulator_unsupported');
    expect((await refusal(stripe.creditNotes.list())).statusCode).toBe(404);
  });
});

describe('coupons', () => {
  it('take off once, for months, or for ever', async () => {
    const discounts = async (params: Stripe.CouponCreateParams) => [
      { coupon: (await stripe.coupons.create(params)).id },
    ];
    const totals = async (params: Stripe.CouponCreateParams) => {
      const { id } = await subscribe({ discounts: await discounts(params) });
      return id;
    };
    const once = await totals({ percent_off: 25, duration: 'once' });
    const months = await totals({ amount_off: 1_000, currency: 'sek', duration: 'repeating', duration_in_months: 2 });
    const always = await totals({ percent_off: 33.33, duration: 'forever' });
    await b.until(at('2026-06-02T00:00:00'));
    const of = async (subscription: string) =>
      (await stripe.invoices.list({ subscription })).data.map((each) => each.total).reverse();
    expect(await of(once)).toEqual([7_425, 9_900, 9_900]);
    expect(await of(months)).toEqual([8_900, 8_900, 9_900]);
    expect(await of(always)).toEqual([6_600, 6_600, 6_600]);
    const invoice = await latest(always);
    expect(invoice.total_discount_amounts).toEqual([{ amount: 3_300, discount: invoice.discounts[0] }]);
  });

  it('come by promotion codes with limits', async () => {
    const coupon = await stripe.coupons.create({ percent_off: 50, duration: 'once', name: 'Spring' });
    const promotion = { coupon: coupon.id, type: 'coupon' as const };
    const code = await stripe.promotionCodes.create({ promotion, code: 'VAR26', max_redemptions: 1 });
    const made = await subscribe({ discounts: [{ promotion_code: code.id }] });
    expect(await latest(made.id)).toMatchObject({ total: 4_950 });
    expect((await refusal(subscribe({ discounts: [{ promotion_code: code.id }] }))).code).toBe('coupon_expired');
    expect((await stripe.promotionCodes.list({ code: 'var26' })).data[0]?.times_redeemed).toBe(1);
    expect((await refusal(stripe.promotionCodes.create({ promotion, code: 'var26' }))).param).toBe('code');
    await stripe.coupons.del(coupon.id);
    expect((await refusal(stripe.coupons.retrieve(coupon.id))).statusCode).toBe(404);
    expect((await refusal(stripe.coupons.create({ duration: 'once' }))).param).toBe('percent_off');
  });

  it('never take more than there is', () => {
    const coupon = fc.record({
      percent_off: fc.option(fc.integer({ min: 1, max: 100 }), { nil: null }),
      amount_off: fc.integer({ min: 1, max: 100_000 }),
    });
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 50_000 }), { minLength: 1, maxLength: 5 }),
        fc.array(coupon, { maxLength: 3 }),
        (amounts, coupons) => {
          const shares = discountShares(amounts, coupons as unknown as Stripe.Coupon[]);
          amounts.forEach((amount, i) => {
            const off = shares.map((share) => share[i]!);
            expect(Math.min(0, ...off)).toBe(0);
            expect(off.reduce((sum, each) => sum + each, 0)).toBeLessThanOrEqual(amount);
          });
        },
      ),
    );
  });
});

describe('collection', () => {
  it.each([
    ['void', 'void'],
    ['mark_uncollectible', 'uncollectible'],
    ['keep_as_draft', 'draft'],
  ] as const)('paused with %s leaves an invoice %s, and goes on', async (behavior, status) => {
    const made = await subscribe();
    await stripe.subscriptions.update(made.id, { pause_collection: { behavior, resumes_at: APRIL + 40 * DAY } });
    await b.until(APRIL + 31 * DAY);
    expect((await latest(made.id)).status).toBe(status);
    await b.until(APRIL + 62 * DAY);
    expect((await latest(made.id)).status).toBe('paid');
  });

  it('is found by search', async () => {
    const made = await subscribe({ metadata: { uid: 'u7' } });
    const found = await stripe.subscriptions.search({ query: "status:'active' AND metadata['uid']:'u7'" });
    expect(found.data.map((each) => each.id)).toEqual([made.id]);
    expect((await refusal(stripe.subscriptions.search({ query: 'created>5' }))).param).toBe('query');
  });
});
