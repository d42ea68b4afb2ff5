import type { LedgerDocument } from '../../ledger/ledger.ts';
import { refundPayment } from '../../payments/refunds/refunds.service.ts';
import { processPayment } from '../../payments/payments.service.ts';
import { businessDate, days, hours } from '../../platform/clock.ts';
import { answer } from '../../platform/entrance.ts';
import { silentLog } from '../../platform/log.ts';
import { cancelSession, completeSession } from '../../sessions/life.service.ts';
import { lisa as bookingLisa, openBookings } from '../../testing/bookings.ts';
import { openShop, type Shop } from '../../testing/shop.ts';
import { getReceiptSpec } from './receipts.api.ts';
import { issueReceipt, issueReceipts } from './receipts.service.ts';
import type { Receipt } from './receipts.ts';

const nobody = { coach: false, admin: false };
const anna = { uid: 'anna', ...nobody, admin: true };
const lisa = { uid: 'lisa', ...nobody };
const karin = { uid: 'karin', ...nobody, coach: true };
const olle = { uid: 'olle', ...nobody, coach: true };

let shop: Shop;
let refunds = 0;
beforeEach(async () => {
  shop = await openShop();
});
afterEach(() => shop.close());

const refund = async (paymentId: string, amountMinor: number) => {
  await refundPayment(shop.ctx, anna, { paymentId, amountMinor, requestId: `refund-${++refunds}` });
  await shop.deliver();
};
const receipts = async () =>
  (await shop.all<Receipt>('receipts')).sort((a, b) => a.number.localeCompare(b.number, 'en', { numeric: true }));
const of = async (paymentId: string) => (await receipts()).filter((receipt) => receipt.paymentId === paymentId);
const issue = () => issueReceipts(shop.ctx);
const get = (caller: typeof anna, input: object) =>
  answer(shop.ctx, getReceiptSpec, caller, { locale: 'sv', ...input });

/** Numbers of every series are 1, 2, 3 …; each document that needs one has one, and no other. */
async function expectWhole(): Promise<void> {
  const series = new Map<string, number[]>();
  for (const { seriesId, number } of await receipts())
    series.set(seriesId, [...(series.get(seriesId) ?? []), Number(number.split('-')[2])]);
  for (const [id, numbers] of series) {
    expect(numbers.sort((a, b) => a - b)).toEqual(numbers.map((_, n) => n + 1));
    expect(await shop.read(`invoiceSeries/${id}`)).toEqual({ last: numbers.length });
  }
  const named = (await shop.all<LedgerDocument>('ledger')).flatMap(({ receiptId }) => receiptId ?? []);
  const made = (await receipts()).map(({ ledgerId }) => ledgerId.replaceAll(':', '_'));
  expect(named.filter((id) => id !== 'none').sort()).toEqual(made.sort());
}

describe('receipts', () => {
  it('are made of every sale and refund once, in order, and end at zero when all went back', async () => {
    const paymentId = await shop.buy();
    await refund(paymentId, 12_345);
    expect(await issue()).toEqual({ issued: 3, waiting: 0 });
    await refund(paymentId, 37_555);
    expect(await issue()).toEqual({ issued: 1, waiting: 0 });
    expect(await issue()).toEqual({ issued: 0, waiting: 0 });
    const made = await of(paymentId);
    expect(made).toMatchObject([
      { kind: 'receipt', userId: 'lisa', amount: 499, vatMinor: 9_980, customerName: 'Lisa Kund' },
      { kind: 'credit_note', amountMinor: -12_345, refersTo: { number: made[0]?.number } },
      { kind: 'credit_note', amountMinor: -37_555 },
    ]);
    expect(made.reduce((total, { vatMinor }) => total + vatMinor, 0)).toBe(0);
    expect(made[0]?.seller).toEqual({
      name: shop.ctx.config.platformName,
      address: shop.ctx.config.platformAddress,
      vatNumber: shop.ctx.config.platformVatNumber,
    });
    await expectWhole();
  });

  it('are the coach’s own where the platform is an agent, in a series of the coach’s, and wait for the coach’s name', async () => {
    shop.ctx.config.accountingProfile = 'agent';
    const paymentId = await shop.buy();
    await shop.buy({ productId: 'mat' });
    await refund(paymentId, 100);
    expect(await issue()).toEqual({ issued: 2, waiting: 2 });
    expect(await shop.openFlags()).toEqual(['receipt-seller_karin']);
    await expect(get(lisa, { paymentId })).rejects.toMatchObject({ reason: 'seller-details-missing' });
    const invoiceDetails = { name: 'Karins coachning', address: 'Gatan 2, 111 22 Stockholm' };
    await shop.ctx.db.doc('coaches/karin').update({ invoiceDetails });
    expect(await issue()).toEqual({ issued: 2, waiting: 0 });
    expect(await of(paymentId)).toMatchObject([
      {
        number: `R-${businessDate(shop.now()).slice(0, 4)}-00001`,
        seller: { coachId: 'karin', ...invoiceDetails, vatNumber: null },
        mediator: { name: shop.ctx.config.platformName },
        vatMinor: 0,
      },
      {
        number: `R-${businessDate(shop.now()).slice(0, 4)}-00002`,
        kind: 'credit_note',
        amountMinor: -100,
        vatMinor: 0,
      },
    ]);
    await expectWhole();
  });

  it('have VAT in what a coach sells who was registered for it when it was sold', async () => {
    shop.ctx.config.accountingProfile = 'agent';
    const coach = shop.ctx.db.doc('coaches/karin');
    const invoiceDetails = { name: 'Karins coachning', address: 'Gatan 2, 111 22 Stockholm' };
    await coach.update({ invoiceDetails });
    const before = await shop.buy();
    await coach.update({ vatNumber: 'SE800101123401' });
    const after = await shop.buy();
    await issue();
    expect(await of(before)).toMatchObject([{ seller: { vatNumber: null }, vatMinor: 0 }]);
    expect(await of(after)).toMatchObject([{ seller: { vatNumber: 'SE800101123401' }, vatMinor: 9_980 }]);
  });

  it('wait for the platform’s name and address, whose params a flag names', async () => {
    const { platformName } = shop.ctx.config;
    shop.ctx.config.platformName = '';
    await shop.buy();
    expect(await issue()).toEqual({ issued: 0, waiting: 2 });
    expect(await shop.openFlags()).toEqual(['receipt-seller_platform']);
    shop.ctx.config.platformName = platformName;
    expect(await issue()).toEqual({ issued: 2, waiting: 0 });
    await expectWhole();
    expect(await shop.openFlags()).toEqual([]);
  });

  it('that wait for the platform are counted, however many: the sweep does not read them all every five minutes', async () => {
    shop.ctx.config.platformName = '';
    const operations = async () => {
      for (let more = 1; ; more += 1) {
        shop.dieAfter(more);
        await issue().catch(() => undefined);
        if (!shop.revive()) return more;
      }
    };
    const few = await operations();
    const [sold] = (await shop.ctx.db.collection('ledger').where('receiptId', '==', null).get()).docs;
    for (let i = 0; i < 900; i += 1)
      await shop.ctx.db.doc(`ledger/ch_${i}:sale`).set({ ...sold?.data(), id: `ch_${i}:sale` });
    expect(await issue()).toEqual({ issued: 0, waiting: 901 });
    expect(await operations()).toBeLessThanOrEqual(few + 1);
  });

  it('that cannot be made are flagged, each by itself, until they are', async () => {
    const [lost, other] = [await shop.buy(), await shop.buy()];
    const payment = await shop.payment(lost);
    await shop.ctx.db.doc(`payments/${lost}`).delete();
    await issue();
    expect(await of(other)).toHaveLength(1);
    const failed = (await shop.openFlags())[0] ?? '';
    expect(failed).toBe(`receipt_${payment.stripeChargeId ?? ''}:sale`);
    await issue();
    expect(await shop.openFlags()).toEqual([failed]);
    await shop.ctx.db.doc(`payments/${lost}`).set(payment);
    await issue();
    expect(await of(lost)).toHaveLength(1);
    expect(await shop.openFlags()).toEqual([]);
    await expectWhole();
  });

  it('have no gaps and no doubles, however many make them at once', async () => {
    const bought = [await shop.buy(), await shop.buy(), await shop.buy({ productId: 'mat' })];
    await refund(bought[0] ?? '', 10_000);
    const ids = (await shop.all<LedgerDocument>('ledger')).map(({ id }) => id);
    const logged: unknown[] = [];
    shop.ctx.log = {
      ...silentLog,
      info: (event, fields) => void (event === 'receipt.issued' && logged.push(fields?.number)),
    };
    await Promise.all([issue(), ...ids.map((id) => issueReceipt(shop.ctx, id).catch(() => undefined)), issue()]);
    await issue();
    expect(await receipts()).toHaveLength(5);
    await expectWhole();
    // Each is told of once, with the number it has, also where it was tried with one that another took.
    expect(logged.sort()).toEqual((await receipts()).map(({ number }) => number));
  });

  it('begin anew with the year in Stockholm, whatever year the money moved in', async () => {
    const moveTo = (at: string) => shop.advance(new Date(at).getTime() - shop.now().getTime());
    await issue();
    await moveTo('2031-12-31T22:59:00Z');
    const old = await shop.buy();
    const late = await shop.buy();
    await issueReceipt(shop.ctx, `${(await shop.payment(old)).stripeChargeId ?? ''}:sale`);
    await moveTo('2031-12-31T23:00:30Z');
    await issue();
    await refund(old, 100);
    await issue();
    const [last, first] = [await of(old), await of(late)];
    expect(last).toMatchObject([
      { number: 'R-2031-00001', issuedOn: '2031-12-31', date: '2031-12-31' },
      { number: 'R-2032-00002', kind: 'credit_note', refersTo: { number: 'R-2031-00001' } },
    ]);
    expect(first).toMatchObject([{ number: 'R-2032-00001', issuedOn: '2032-01-01', date: '2031-12-31' }]);
    await expectWhole();
  });

  it('have no gaps when the process dies, at whatever operation', async () => {
    for (let operations = 0; ; operations++) {
      const paymentId = await shop.buy();
      await refund(paymentId, 10_000);
      shop.dieAfter(operations);
      await issue().catch(() => undefined);
      const died = shop.revive();
      await issue();
      expect((await of(paymentId)).map(({ amountMinor }) => amountMinor)).toEqual([49_900, -10_000]);
      await expectWhole();
      if (!died) break;
    }
  });

  it('are credited once when a refund fails and is made again', async () => {
    const paymentId = await shop.buy({ card: 'pm_card_refundFail' });
    await refund(paymentId, 49_900);
    await shop.advance(days(2));
    await shop.deliver();
    await refund(paymentId, 49_900);
    await issue();
    expect((await of(paymentId)).map(({ amountMinor }) => amountMinor)).toEqual([49_900, -49_900]);
    await expectWhole();
  });

  it('are credited when a dispute is lost', async () => {
    const paymentId = await shop.buy({ card: 'pm_card_createDispute' });
    await shop.deliver();
    const [dispute] = (await shop.stripe.disputes.list()).data;
    const evidence = { uncategorized_text: 'losing_evidence' };
    await shop.stripe.disputes.update(dispute?.id ?? '', { evidence, submit: true });
    await shop.advance(days(1));
    await shop.deliver();
    await issue();
    expect(await of(paymentId)).toMatchObject([{ amountMinor: 49_900 }, { kind: 'credit_note', amountMinor: -49_900 }]);
  });
});

describe('a session', () => {
  it('has its receipt when it is paid in advance; canceled late, what went back is credited', async () => {
    const bookings = await openBookings();
    const { ctx } = bookings;
    const ofPayment = async (paymentId: string) =>
      (await bookings.all<Receipt>('receipts')).filter((receipt) => receipt.paymentId === paymentId);
    const pay = async () => {
      const { sessionId } = await bookings.book({ hours: 2 });
      const paid = { sessionId, requestId: `pay-${sessionId}`, paymentMethodId: 'pm_card_bypassPending' };
      const { paymentId } = await processPayment(ctx, bookingLisa, paid);
      await bookings.deliver();
      return { sessionId, paymentId };
    };
    const late = await pay();
    await issueReceipts(ctx);
    expect(await ofPayment(late.paymentId)).toMatchObject([{ kind: 'receipt', amount: 600, vatMinor: 12_000 }]);
    await cancelSession(ctx, bookingLisa, { sessionId: late.sessionId, requestId: 'cancel-late' });
    await bookings.deliver();
    const kept = await pay();
    await bookings.advance(hours(4));
    await completeSession(ctx, karin, { sessionId: kept.sessionId, requestId: 'completed-1' });
    await issueReceipts(ctx);
    const amounts = async (paymentId: string) => (await ofPayment(paymentId)).map(({ amountMinor }) => amountMinor);
    expect((await amounts(late.paymentId)).sort((a, b) => b - a)).toEqual([60_000, -30_000]);
    expect(await amounts(kept.paymentId)).toEqual([60_000]);
    await bookings.close();
  });
});

describe('getReceipt', () => {
  it('gives a PDF in both languages, made now if it was to be, to its customer, its coach and administrators only', async () => {
    const paymentId = await shop.buy();
    const first = await get(lisa, { paymentId });
    expect(first).toMatchObject({
      kind: 'receipt',
      number: `R-${businessDate(shop.now()).slice(0, 4)}-00001`,
      contentType: 'application/pdf',
    });
    expect(Buffer.from(first.base64, 'base64').subarray(0, 5).toString()).toBe('%PDF-');
    await refund(paymentId, 100);
    await issue();
    const { documents } = await get(karin, { paymentId, locale: 'en' });
    expect(documents.map(({ kind }) => kind)).toEqual(['receipt', 'credit_note']);
    const receiptId = documents[1]?.receiptId;
    expect(await get(anna, { receiptId })).toMatchObject({ kind: 'credit_note', receiptId });
    for (const input of [{ paymentId }, { receiptId }])
      await expect(get(olle, input)).rejects.toMatchObject({ reason: 'receipt-not-found' });
    await expect(get(lisa, { paymentId: 'pi_none' })).rejects.toMatchObject({ reason: 'receipt-not-found' });
    await expect(get(lisa, {})).rejects.toMatchObject({ reason: 'payment-or-receipt' });
    await expect(get(lisa, { paymentId, receiptId })).rejects.toMatchObject({ reason: 'payment-or-receipt' });
  });

  it('has none for what is not paid, and none of a tenant’s sale', async () => {
    const paymentId = await shop.buy();
    const payment = shop.ctx.db.doc(`payments/${paymentId}`);
    const { stripeChargeId: _, ...unpaid } = await shop.payment(paymentId);
    await payment.set(unpaid);
    await expect(get(lisa, { paymentId })).rejects.toMatchObject({ reason: 'not-paid' });
    await payment.update({ chargeModel: 'direct' });
    await expect(get(lisa, { paymentId })).rejects.toMatchObject({ reason: 'receipt-of-the-seller' });
  });
});
