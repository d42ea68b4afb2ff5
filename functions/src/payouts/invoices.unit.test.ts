import fc from 'fast-check';
import { Timestamp, type Firestore } from 'firebase-admin/firestore';
import { completeOnboarding } from '../../../emulators/stripe/index.ts';
import { newCoach, type Coach } from '../coaches/coaches.ts';
import { newEarning, type Earning } from '../coaches/earnings.ts';
import { startOnboarding } from '../coaches/onboarding.service.ts';
import { setCoachTerms } from '../coaches/settings.service.ts';
import type { Invoicing } from '../coaches/terms.ts';
import { processPayment } from '../payments/payments.service.ts';
import { businessDate, days } from '../platform/clock.ts';
import type { Context } from '../platform/context.ts';
import { answer } from '../platform/entrance.ts';
import { minor, sum } from '../platform/money.ts';
import { createTestWorld, testConfig, type TestWorld } from '../testing/world.ts';
import { receiveEvent } from '../webhooks/webhooks.service.ts';
import { issueInvoice, issueInvoices } from './invoices.service.ts';
import {
  creditOf,
  feePart,
  invoiceContents,
  numberOf,
  seriesOf,
  type InvoicedItem,
  type PayoutInvoice,
} from './invoices.ts';
import { payCoach } from './payouts.service.ts';
import { withInvoice, type Payout } from './payouts.ts';
import { getPayoutInvoiceSpec } from './reports.api.ts';

const at = Timestamp.fromDate(new Date('2026-11-23T08:00:00Z'));
const earning = (n: number, amountMinor: number, feeMinor: number): Earning =>
  newEarning(
    {
      paymentId: `pi_${n}`,
      amountMinor: minor(amountMinor),
      feeMinor: minor(feeMinor),
      currency: 'SEK',
      description: 'Programme',
      customerName: 'Anna',
      ledgerId: `ch_${n}:sale`,
    },
    at,
  );
const coach = (vatNumber?: string): Coach => ({
  ...newCoach(testConfig, at),
  invoiceDetails: { name: 'Karins coachning', address: 'Gatan 1, 111 22 Stockholm' },
  ...(vatNumber ? { vatNumber } : {}),
});
const facts = (kind: Invoicing, items: readonly InvoicedItem[], vatNumber?: string) =>
  invoiceContents({
    payoutId: 'p',
    coachId: 'karin',
    coach: coach(vatNumber),
    config: testConfig,
    kind,
    currency: 'SEK',
    items,
  });
const item = (n: number, amountMinor: number, paidBeforeMinor = 0): InvoicedItem => ({
  item: {
    paymentId: `pi_${n}`,
    kind: 'sale',
    amountMinor: minor(amountMinor),
    paidBeforeMinor: minor(paidBeforeMinor),
  },
  earning: earning(n, 49_900, 9_900),
  vatRate: 25,
  isSale: true,
});

describe('the fee that goes with a payout', () => {
  it('is the whole fee once the whole share is paid, in whatever parts, and comes back with the share', () => {
    const parts = fc.array(fc.integer({ min: -40_000, max: 40_000 }), { maxLength: 10 });
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 100_000 }),
        fc.integer({ min: 0, max: 50_000 }),
        parts,
        (share, fee, moves) => {
          const sold = { amountMinor: minor(share + fee), feeMinor: minor(fee) };
          let paid = 0;
          let charged = 0;
          const pay = (amountMinor: number) => {
            const paidBeforeMinor = minor(paid);
            charged += feePart(
              { paymentId: 'p', kind: 'sale', amountMinor: minor(amountMinor), paidBeforeMinor },
              sold,
            );
            paid += amountMinor;
          };
          for (const move of moves) pay(Math.max(-paid, Math.min(share - paid, move)));
          pay(share - paid);
          expect(charged).toBe(fee);
          pay(-share);
          expect(charged).toBe(0);
        },
      ),
    );
  });
});

describe('an invoice', () => {
  it('by self-billing is the coach’s, of exactly what was paid out, with VAT by the coach’s status', () => {
    const items = [item(1, 40_000), item(2, -10_000, 40_000)];
    const plain = facts('self_billing', items);
    expect(plain).toMatchObject({
      seller: { name: 'Karins coachning', vatNumber: null },
      buyer: { name: 'Inner Journey AB', vatNumber: 'SE556677889901' },
      totalMinor: 30_000,
      vat: [{ vatRate: 0, grossMinor: 30_000, vatMinor: 0 }],
    });
    expect(facts('self_billing', items, 'SE800101123401').vat).toEqual([
      { vatRate: 25, grossMinor: 30_000, vatMinor: 6_000 },
    ]);
  });

  it('leaves out what Stripe corrected on the coach’s balance: nobody sold it', () => {
    const corrected = { ...item(3, -1_500), isSale: false };
    expect(facts('self_billing', [item(1, 40_000), corrected]).lines.map(({ paymentId }) => paymentId)).toEqual([
      'pi_1',
    ]);
  });

  it('for commission is the platform’s, of its fee', () => {
    expect(facts('commission', [item(1, 40_000), item(2, 20_000)])).toMatchObject({
      seller: { name: 'Inner Journey AB' },
      buyer: { name: 'Karins coachning' },
      totalMinor: 14_850,
      vat: [{ vatRate: 25, grossMinor: 14_850, vatMinor: 2_970 }],
    });
  });

  it('adds up, and its credit note takes back exactly it', () => {
    const amounts = fc.array(fc.integer({ min: -40_000, max: 40_000 }), { maxLength: 20 });
    fc.assert(
      fc.property(amounts, fc.constantFrom('self_billing' as const, 'commission' as const), (parts, kind) => {
        const items = parts.map((amount, n) => item(n, amount, Math.max(0, -amount)));
        const contents = facts(kind, items, 'SE800101123401');
        const invoice = { ...contents, number: 'S-2026-0001' } as PayoutInvoice;
        expect(sum(contents.vat.map(({ grossMinor }) => grossMinor))).toBe(contents.totalMinor);
        if (kind === 'self_billing') expect(contents.totalMinor).toBe(sum(parts));
        const credit = creditOf(invoice);
        expect(credit.credits).toBe('S-2026-0001');
        expect(credit.totalMinor + invoice.totalMinor).toBe(0);
        expect(sum([...credit.vat, ...invoice.vat].map(({ vatMinor }) => vatMinor))).toBe(0);
      }),
    );
  });

  it('counts in the coach’s own series or the platform’s, anew each year', () => {
    expect(seriesOf('self_billing', 'karin', '2026-12-31')).toBe('self_billing_karin_2026');
    expect(seriesOf('commission', 'karin', '2027-01-01')).toBe('commission_2027');
    expect(numberOf('self_billing', '2026-12-31', 7)).toBe('S-2026-0007');
    expect(numberOf('commission', '2027-01-01', 12_345)).toBe('P-2027-12345');
  });

  it('is due when a payout arrives, and taken back when it comes back after that', () => {
    const pending = { status: 'pending' } as Payout;
    const paid = { ...pending, status: 'completed' } as Payout;
    const failed = { ...pending, status: 'failed' } as Payout;
    expect(withInvoice(pending, paid, 'commission')).toEqual({ ...paid, invoicing: 'commission', invoiceState: 'due' });
    expect(withInvoice(pending, paid, undefined)).toEqual(paid);
    expect(withInvoice(pending, failed, undefined)).toEqual(failed);
    const due = { ...paid, invoiceState: 'due' } as Payout;
    expect(withInvoice(due, { ...due, status: 'failed' }, undefined).invoiceState).toBeUndefined();
    const issued = { ...paid, invoiceState: 'issued' } as Payout;
    const back = withInvoice(issued, { ...issued, status: 'failed' }, undefined);
    expect(back.invoiceState).toBe('credit_due');
    expect(withInvoice(back, back, undefined)).toEqual(back);
  });
});

describe('with payouts', () => {
  const karin = { uid: 'karin', email: 'karin@example.se', coach: true, admin: false };
  const lisa = { uid: 'lisa', email: 'lisa@example.se', name: 'Lisa', coach: false, admin: false };
  const form = {
    firstName: 'Karin',
    lastName: 'Coach',
    email: karin.email,
    phone: '+46700000000',
    birthDate: '1980-01-01',
    street: 'Gatan 1',
    postalCode: '11122',
    city: 'Stockholm',
  };
  let world: TestWorld;
  let ctx: Context;
  let db: Firestore;
  let sales = 0;

  beforeEach(async () => {
    world = await createTestWorld();
    ctx = world.ctx;
    db = ctx.db;
    const product = {
      name: 'Programme',
      currency: 'SEK',
      vatRate: 25,
      active: true,
      kind: 'programme',
      coachId: 'karin',
    };
    await db.doc('products/programme').set({ ...product, amountMinor: 49_900 });
  });
  afterEach(() => world.close());

  async function onboard(iban: string): Promise<void> {
    const addresses = { returnUrl: 'http://127.0.0.1:5000/return', refreshUrl: 'http://127.0.0.1:5000/refresh' };
    const { reply } = await startOnboarding(ctx, karin, addresses);
    completeOnboarding(world.stripeEmulator.core.world, reply.stripeAccountId, { ...form, iban });
    await world.deliver();
  }
  const bill = (invoicing: Invoicing) =>
    setCoachTerms(ctx, 'anna', {
      coachId: 'karin',
      requestId: 'invoicing-1',
      note: 'Agreed.',
      invoicing,
      invoiceName: 'Karins coachning',
      invoiceAddress: 'Gatan 1, 111 22 Stockholm',
      vatNumber: 'SE800101123401',
    });
  async function sellAndPay(): Promise<string> {
    const requestId = `sale-${String(++sales).padStart(6, '0')}`;
    const card = 'pm_card_bypassPending';
    await processPayment(ctx, lisa, { productId: 'programme', requestId, paymentMethodId: card });
    await world.deliver();
    const day = businessDate(world.now());
    expect(await payCoach(ctx, { coachId: 'karin', currency: 'SEK', dueDate: day, runId: day })).toBe('settled');
    return `karin_SEK_${day}_1`;
  }
  const arrive = async () => {
    await world.advance(days(4));
    return world.deliver();
  };
  const invoice = async (id: string) =>
    (await db.doc(`payoutInvoices/${id}`).get()).data() as PayoutInvoice | undefined;
  const pdf = (payoutId: string, caller = karin) =>
    answer(ctx, getPayoutInvoiceSpec, caller, { payoutId, language: 'sv' });

  it('goes with each that arrives, once, numbered without gaps, however many write at once', async () => {
    await onboard('SE3550000000054910000003');
    await bill('self_billing');
    const first = await sellAndPay();
    await expect(pdf(first)).rejects.toMatchObject({ reason: 'no-invoice' });
    await arrive();
    const second = await sellAndPay();
    await arrive();
    await Promise.all([issueInvoices(ctx), issueInvoice(ctx, first), issueInvoice(ctx, second), issueInvoices(ctx)]);
    const made = [await invoice(first), await invoice(second)];
    expect(made.map((each) => each?.number).sort()).toEqual(['S-2026-0001', 'S-2026-0002']);
    expect(made[0]).toMatchObject({
      totalMinor: 40_000,
      vat: [{ vatRate: 25, vatMinor: 8_000 }],
      lines: [{ vatRate: 25 }],
    });
    expect((await db.doc('invoiceSeries/self_billing_karin_2026').get()).data()).toEqual({ last: 2 });
    expect(await issueInvoices(ctx)).toEqual({ issued: 0 });
    expect(
      Buffer.from((await pdf(first)).base64, 'base64')
        .subarray(0, 5)
        .toString(),
    ).toBe('%PDF-');
    await expect(pdf(first, { ...karin, uid: 'olle' })).rejects.toMatchObject({ reason: 'payout-not-found' });
  });

  it('is taken back by a credit note when the payout comes back, whatever is told again', async () => {
    await world.control('stripe', 'switches', { payoutFailsAfterPaidSeconds: days(7) / 1000 });
    await onboard('SE89370400440532013002');
    await bill('commission');
    const payoutId = await sellAndPay();
    const delivered = await arrive();
    await issueInvoices(ctx);
    expect(await invoice(payoutId)).toMatchObject({ number: 'P-2026-0001', totalMinor: 9_900 });
    await world.advance(days(12));
    delivered.push(...(await world.deliver()));
    await issueInvoices(ctx);
    for (const { event } of delivered.reverse()) await receiveEvent(ctx, { ...event, id: `${event.id}_again` });
    await issueInvoices(ctx);
    expect(await invoice(`${payoutId}_credit`)).toMatchObject({
      number: 'P-2026-0002',
      credits: 'P-2026-0001',
      totalMinor: -9_900,
    });
    expect((await db.collection('payoutInvoices').get()).size).toBe(2);
    expect((await db.doc(`payouts/${payoutId}`).get()).data()).toMatchObject({
      status: 'failed',
      invoiceState: 'credited',
    });
  });

  it('that cannot be written is a flag, holds up no other, and takes no number', async () => {
    await onboard('SE3550000000054910000003');
    await bill('commission');
    const broken = await sellAndPay();
    await arrive();
    const whole = await sellAndPay();
    await arrive();
    const items = await db.collection(`payouts/${broken}/items`).get();
    const sale = db.doc(`ledger/${items.docs[0]?.id ?? ''}`);
    const kept = (await sale.get()).data() ?? {};
    await sale.delete();
    expect(await issueInvoices(ctx)).toEqual({ issued: 1 });
    expect((await db.collection('flags').get()).docs.map((doc) => doc.data().kind as string)).toEqual([
      'payout-invoice',
    ]);
    expect(await invoice(whole)).toMatchObject({ number: 'P-2026-0001' });
    await sale.set(kept);
    expect(await issueInvoices(ctx)).toEqual({ issued: 1 });
    expect(await invoice(broken)).toMatchObject({ number: 'P-2026-0002' });
  });
});
