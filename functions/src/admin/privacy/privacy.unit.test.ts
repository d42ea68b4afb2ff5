import { Timestamp } from 'firebase-admin/firestore';
import { syncBooks } from '../../accounting/accounting.service.ts';
import { issueReceipts } from '../../accounting/receipts/receipts.service.ts';
import { accounts } from '../../ledger/ledger.ts';
import { processPayment } from '../../payments/payments.service.ts';
import { days, hours } from '../../platform/clock.ts';
import { matrix } from '../../rules/access-matrix.ts';
import { cancelSession } from '../../sessions/life.service.ts';
import { addSessionNote } from '../../sessions/notes.service.ts';
import { lisa, openBookings, type Bookings } from '../../testing/bookings.ts';
import { erasePerson, goOnErasing } from './erase.service.ts';
import type { Erasure } from './erasure.ts';
import { eraseAfter } from './retention.ts';
import { emptyOldEvents } from './minimise.service.ts';

const anna = { uid: 'anna', coach: false, admin: true };
const karin = { uid: 'karin', coach: true, admin: false };
const paymentMethodId = 'pm_card_bypassPending';

let shop: Bookings;
let asked: number;
beforeEach(async () => {
  shop = await openBookings();
  asked = 0;
});
afterEach(() => shop.close());

const erase = (uid = 'lisa', requestId = `erasure-${++asked}`) =>
  erasePerson(shop.ctx, anna, { uid, note: 'Asked by letter.', requestId });
const record = () => shop.read<Erasure>('erasures/lisa');
const groups = [...new Set([...matrix.map(({ path }) => path.split('/').at(-1) ?? ''), 'erasures', 'locks'])];

/** Everything in the database, by path. */
async function everything(): Promise<Map<string, string>> {
  const all = new Map<string, string>();
  for (const group of groups) {
    for (const doc of (await shop.ctx.db.collectionGroup(group).get()).docs)
      all.set(doc.ref.path, JSON.stringify(doc.data()));
  }
  return all;
}

/** The collections in which Lisa's name or address stands. */
async function named(who = /Lisa|lisa@/): Promise<string[]> {
  const found = [...(await everything())].filter(([, text]) => who.test(text));
  return [...new Set(found.map(([path]) => path.split('/')[0] ?? ''))].sort();
}

/** What must be the same before and after. */
async function books(): Promise<object> {
  const all = [...(await everything())].filter(([path]) => /^(ledger|vouchers|receipts|payoutInvoices)\//.test(path));
  return Object.fromEntries(all);
}

/** Lisa buys a programme, books and pays a session, says why she cannot come, too late, and it is all booked. */
async function trade(): Promise<void> {
  await shop.buy();
  const { sessionId } = await shop.book({ hours: 12 });
  await processPayment(shop.ctx, lisa, { sessionId, requestId: 'session-1', paymentMethodId });
  await shop.deliver();
  await addSessionNote(shop.ctx, karin, { sessionId, text: 'Lisa is tired.', requestId: 'a-note-1' });
  await cancelSession(shop.ctx, lisa, { sessionId, reason: 'Lisa is ill', requestId: 'cancel-1' });
  for (let times = 0; times < 3; times++) await shop.deliver();
  await issueReceipts(shop.ctx);
}

const monthLater = async () => {
  await shop.deliver();
  await shop.advance(days(29));
  while ((await emptyOldEvents(shop.ctx, shop.now())).emptied > 0);
};

describe('a customer who is erased', () => {
  it('is nowhere by name or address but on receipts, and the books are what they were', async () => {
    await trade();
    expect(await named()).toEqual(expect.arrayContaining(['payments', 'coaches', 'sessions', 'stripeEvents']));
    const before = await books();
    const { state, kept, eraseAfter } = await erase();
    expect(state).toBe('kept');
    expect(Object.keys(kept)).toEqual(['receipts']);
    const year = shop.now().getFullYear();
    expect(eraseAfter).toBe(`${year + 7}-12-31T23:00:00.000Z`);
    await monthLater();
    expect(await named()).toEqual(['receipts']);
    expect(await named(/tired|is ill/)).toEqual([]);
    expect(await books()).toEqual(before);
    await shop.expectBooksAsStripe();
    expect(await shop.openFlags()).toEqual([]);
  });

  it('is not in the ledger, ever', async () => {
    await trade();
    expect((await syncBooks(shop.ctx, shop.now())).grouped).toBeGreaterThan(5);
    expect(await named()).not.toContain('ledger');
    expect(await named()).not.toContain('vouchers');
  });

  it('is erased from receipts too once the law lets them go; their numbers stay', async () => {
    await trade();
    await erase();
    await monthLater();
    const numbers = (await shop.all<{ number: string }>('receipts')).map(({ number }) => number);
    const until = (await record())?.eraseAfter?.toMillis() ?? 0;
    await goOnErasing(shop.ctx, new Date(until - 1));
    expect(await named()).toEqual(['receipts']);
    await shop.advance(until - shop.now().getTime());
    await goOnErasing(shop.ctx, shop.now());
    expect(await named()).toEqual([]);
    expect(await record()).toMatchObject({ state: 'done', eraseAfter: null, kept: {} });
    expect((await shop.all<{ number: string }>('receipts')).map(({ number }) => number)).toEqual(numbers);
  });

  it('is erased once: asked again nothing changes, and the record says no more', async () => {
    await trade();
    const first = await erase('lisa', 'erasure-1');
    await shop.deliver();
    const before = await everything();
    expect(await erase('lisa', 'erasure-1')).toEqual(first);
    expect(await everything()).toEqual(before);
    expect(await erase('lisa', 'erasure-2')).toEqual(first);
    for (const [path, text] of await everything()) {
      if (/^(erasures|requests|auditLog)\//.test(path)) continue;
      expect([path, text]).toEqual([path, before.get(path)]);
    }
  });

  it('is gone at Stripe; an unclear answer is asked again', async () => {
    const customer = (await shop.read<{ stripeCustomerId: string }>('customers/lisa'))?.stripeCustomerId ?? '';
    await issueReceipts(shop.ctx);
    await shop.fault('timeout_after_success', `/v1/customers/${customer}`, { method: 'DELETE', times: 9 });
    expect(await erase()).toMatchObject({ state: 'erasing' });
    await shop.clearFaults();
    await goOnErasing(shop.ctx, shop.now());
    expect(await record()).toMatchObject({ state: 'kept' });
    expect(await shop.stripe.customers.retrieve(customer)).toMatchObject({ deleted: true });
  });

  it('waits for receipts that are not made: they need the name', async () => {
    await shop.buy();
    expect(await erase()).toMatchObject({ state: 'erasing' });
    await issueReceipts(shop.ctx);
    await goOnErasing(shop.ctx, shop.now());
    expect(await record()).toMatchObject({ state: 'kept' });
    const names = (await shop.all<{ customerName: string }>('receipts')).map(({ customerName }) => customerName);
    expect(new Set(names)).toEqual(new Set(['Lisa Kund']));
  });

  it('is erased whole wherever the process dies', async () => {
    await trade();
    let deaths = 0;
    for (let operations = 1; ; operations += 2) {
      shop.dieAfter(operations);
      await erase('lisa', 'erasure-1').catch(() => undefined);
      if (!shop.revive()) break;
      deaths++;
    }
    await goOnErasing(shop.ctx, shop.now());
    expect(deaths).toBeGreaterThan(10);
    expect(await record()).toMatchObject({ state: 'kept', tallies: { payments: { changed: 3, deleted: 0, kept: 0 } } });
    await monthLater();
    expect(await named()).toEqual(['receipts']);
  });
});

describe('while it is under way', () => {
  /** Stripe gives no answer, so that it stops at its first step. */
  const begun = async () => {
    await trade();
    const customer = (await shop.read<{ stripeCustomerId: string }>('customers/lisa'))?.stripeCustomerId ?? '';
    await shop.fault('timeout_before', `/v1/customers/${customer}`, { method: 'DELETE', times: 9 });
    expect(await erase()).toMatchObject({ state: 'erasing' });
    await shop.clearFaults();
    return customer;
  };
  const goOn = () => goOnErasing(shop.ctx, shop.now());

  it('a subscription begun since keeps the customer at Stripe, until it is over', async () => {
    const customer = await begun();
    await shop.ctx.db.doc('subscriptions/sub_new').set({ userId: 'lisa', status: 'active' });
    await goOn();
    expect(await record()).toMatchObject({ state: 'erasing', step: 'stripe' });
    expect(await shop.stripe.customers.retrieve(customer)).not.toHaveProperty('deleted');
    await shop.ctx.db.doc('subscriptions/sub_new').update({ status: 'canceled' });
    await goOn();
    expect(await record()).toMatchObject({ state: 'kept' });
    expect(await shop.stripe.customers.retrieve(customer)).toMatchObject({ deleted: true });
  });

  it.each([
    ['payments', 'payments/pi_new', { status: 'pending' }, { status: 'canceled' }],
    ['approvals', 'approvals/new', { status: 'waiting' }, { status: 'rejected' }],
    ['requests', 'requests/lisa_new', { state: 'started' }, { state: 'done' }],
  ])('%s: what is under way is waited for, and not taken from the sweep', async (step, path, open, over) => {
    // Past the first step, waiting for a receipt.
    await shop.buy();
    expect(await erase()).toMatchObject({ state: 'erasing' });
    expect(await record()).toMatchObject({ step: 'payments' });
    await shop.ctx.db.doc(path).set({ userId: 'lisa', uid: 'lisa', about: ['lisa'], ...open });
    await issueReceipts(shop.ctx);
    await goOn();
    expect(await record()).toMatchObject({ state: 'erasing', step });
    expect(await shop.read(path)).toMatchObject(open);
    await shop.ctx.db.doc(path).update(over);
    await goOn();
    expect(await record()).toMatchObject({ state: 'kept' });
  });

  it('a person is told when it has not gone on for a week, once; the flag closes when it is done', async () => {
    await shop.buy();
    await erase();
    await shop.advance(days(7) - hours(1));
    await goOn();
    expect(await shop.openFlags()).not.toContain('erasure-waits_lisa');
    await shop.advance(hours(1));
    await goOn();
    expect(await shop.openFlags()).toContain('erasure-waits_lisa');
    await issueReceipts(shop.ctx);
    await goOn();
    expect(await shop.openFlags()).not.toContain('erasure-waits_lisa');
  });

  it('two administrators at once erase once', async () => {
    await trade();
    const berit = { ...anna, uid: 'berit' };
    const input = { uid: 'lisa', note: 'Asked by letter.' };
    const both = await Promise.all([
      erasePerson(shop.ctx, anna, { ...input, requestId: 'erasure-1' }),
      erasePerson(shop.ctx, berit, { ...input, requestId: 'erasure-2' }),
    ]);
    await goOn();
    expect(both.map(({ uid }) => uid)).toEqual(['lisa', 'lisa']);
    expect(await record()).toMatchObject({ state: 'kept', tallies: { payments: { changed: 3, deleted: 0 } } });
    await monthLater();
    expect(await named()).toEqual(['receipts']);
  });
});

it('who has come back since is left alone when the law lets go what was kept of before', async () => {
  await trade();
  await erase();
  await monthLater();
  const until = (await record())?.eraseAfter?.toMillis() ?? 0;
  await shop.advance(until - shop.now().getTime() - days(1));
  await shop.buy();
  await issueReceipts(shop.ctx);
  await shop.ctx.db.doc('subscriptions/sub_new').set({ userId: 'lisa', status: 'active', customerName: 'Lisa Kund' });
  await shop.ctx.db.doc('paymentMethods/pm_new').set({ userId: 'lisa', last4: '4242' });
  const customer = (await shop.read<{ stripeCustomerId: string }>('customers/lisa'))?.stripeCustomerId ?? '';
  await shop.advance(days(2));
  await goOnErasing(shop.ctx, shop.now());
  expect(await record()).toMatchObject({ state: 'kept', only: ['receipts'], kept: { receipts: { count: 1 } } });
  expect(await shop.stripe.customers.retrieve(customer)).not.toHaveProperty('deleted');
  expect(await shop.read('paymentMethods/pm_new')).toBeDefined();
  expect(await named()).toEqual(expect.arrayContaining(['coaches', 'payments', 'receipts', 'subscriptions']));
  const names = (await shop.all<{ customerName: string; date: string }>('receipts')).map(
    ({ customerName }) => customerName,
  );
  expect(names.filter((name) => name !== '')).toEqual(['Lisa Kund']);
});

it('what administrators wrote about a customer’s refunds, disputes and approvals goes; that they decided stays', async () => {
  const { db } = shop.ctx;
  await db.doc('refunds/rf_1').set({ userId: 'lisa', status: 'succeeded', reason: 'Lisa was ill' });
  const said = { by: 'anna', action: 'refundPayment', note: 'Lisa was ill', after: { amountMinor: 100 } };
  await db.doc('auditLog/refundPayment_rf_1').set({ ...said, subject: 'refunds/rf_1' });
  await db.doc('disputes/du_1').set({ userId: 'lisa', stage: 'lost' });
  const evidence = { customer_name: 'Lisa Kund', customer_email_address: 'lisa@example.se' };
  const answered = { by: 'anna', action: 'submitDisputeEvidence', subject: 'disputes/du_1', after: { evidence } };
  await db.doc('auditLog/submitDisputeEvidence_anna_evidence-1').set(answered);
  await db.doc('requests/anna_evidence-1').set({ uid: 'anna', state: 'done', plan: { evidence } });
  const input = { paymentId: 'pi_1', reason: 'Lisa was ill', amountMinor: 100 };
  const asked = { action: 'refundPayment', by: 'anna', input, reason: 'Lisa was ill', about: ['lisa', 'karin'] };
  await db.doc('approvals/ap-1').set({ ...asked, status: 'approved' });
  const approved = {
    by: 'berit',
    action: 'approveOperation',
    subject: 'approvals/ap-1',
    after: { input },
    note: 'Lisa',
  };
  await db.doc('auditLog/approveOperation_ap-1').set(approved);
  await issueReceipts(shop.ctx);
  await erase();
  await monthLater();
  expect(await named(/Lisa|lisa@/)).toEqual(['receipts']);
  expect(await shop.read('auditLog/refundPayment_rf_1')).toMatchObject({ by: 'anna', after: { amountMinor: 100 } });
  expect(await shop.read('auditLog/submitDisputeEvidence_anna_evidence-1')).toMatchObject({ by: 'anna' });
  expect(await shop.read('approvals/ap-1')).toMatchObject({ by: 'anna', input: { paymentId: 'pi_1', reason: '' } });
});

it('in pages, however much there is, and none of the transactions is large', async () => {
  const { db } = shop.ctx;
  await issueReceipts(shop.ctx);
  const customerName = 'Lisa Kund';
  for (let n = 0; n < 45; n++) await db.doc(`payments/pi_old${n}`).set({ userId: 'lisa', customerName });
  for (let n = 0; n < 12; n++) {
    await db.doc(`sessions/old${n}`).set({ userId: 'lisa', status: 'completed', student: { name: 'Lisas Elsa' } });
    await db.doc(`sessions/old${n}/notes/one`).set({ text: 'Lisa' });
  }
  await db
    .doc('sessions/other')
    .set({ userId: 'omar', status: 'completed', student: { name: customerName, userId: 'lisa' } });
  const { tallies } = await erase();
  expect(tallies.payments).toEqual({ changed: 46, deleted: 0, kept: 0 });
  expect(tallies.sessions).toEqual({ changed: 12, deleted: 0, kept: 0 });
  expect(await shop.read('sessions/other')).toMatchObject({ student: { name: '', userId: 'lisa' } });
  await monthLater();
  expect(await named()).toEqual(['receipts']);
});

it('a tenant’s customer is deleted on the tenant’s account; one that has shut us out is named', async () => {
  const { db } = shop.ctx;
  const stripeAccount = shop.account;
  const { id } = await shop.stripe.customers.create(
    { email: lisa.email, metadata: { userId: 'lisa' } },
    { stripeAccount },
  );
  const asked = { at: Timestamp.fromDate(shop.now()), email: lisa.email };
  // The answer was lost, so that we do not know its id.
  await db.doc(`customers/lisa/accounts/${stripeAccount}`).set({ asked });
  await db.doc('customers/lisa/accounts/acct_gone').set({ asked, stripeCustomerId: 'cus_there' });
  await issueReceipts(shop.ctx);
  await erase();
  expect(await shop.stripe.customers.retrieve(id, {}, { stripeAccount })).toMatchObject({ deleted: true });
  expect(await record()).toMatchObject({ state: 'kept', unreachable: ['acct_gone'] });
  await monthLater();
  expect(await named()).toEqual(['receipts']);
  expect(await shop.openFlags()).toEqual([]);
});

it.each([
  ['2026-01-01', '01-01', '2033-12-31T23:00:00.000Z'],
  ['2026-12-31', '01-01', '2033-12-31T23:00:00.000Z'],
  ['2026-06-30', '07-01', '2033-12-31T23:00:00.000Z'],
  ['2026-07-01', '07-01', '2034-12-31T23:00:00.000Z'],
])('what was booked on %s, in a financial year that begins on %s, may go on %s', (booked, yearStart, until) => {
  expect(eraseAfter(booked, yearStart).toDate().toISOString()).toBe(until);
});

describe('refused by name', () => {
  const at = Timestamp.fromMillis(0);
  it.each([
    ['subscription-active', 'subscriptions/sub_1', { userId: 'lisa', status: 'active' }],
    ['order-open', 'orders/one', { userId: 'lisa', status: 'open' }],
    ['order-open', 'orders/one', { userId: 'lisa', status: 'processing' }],
    ['session-booked', 'sessions/one', { userId: 'omar', student: { userId: 'lisa' }, status: 'booked' }],
    ['checkout-open', 'checkouts/cs_1', { userId: 'lisa', status: 'open' }],
    ['payment-pending', 'payments/pi_1', { userId: 'lisa', status: 'pending' }],
    ['dispute-open', 'disputes/du_1', { userId: 'lisa', stage: 'open' }],
    ['refund-pending', 'refunds/rf_1', { userId: 'lisa', status: 'unknown' }],
    ['transfer-pending', 'transfers/one', { coachId: 'lisa', status: 'planned' }],
    ['payout-pending', 'payouts/one', { coachId: 'lisa', status: 'unknown' }],
    ['command-running', 'requests/lisa_one', { uid: 'lisa', state: 'started' }],
    ['refund-due', 'sessions/one', { userId: 'lisa', status: 'canceled', refundDue: true }],
    ['approval-waiting', 'approvals/one', { about: ['lisa', 'karin'], status: 'waiting' }],
    ['customer-is-owed', 'payments/pi_1', { userId: 'lisa', status: 'refunded', returned: { owedMinor: 1 } }],
    [
      'credits-left',
      'customers/lisa',
      { entitlements: { credits: { pi_1: { left: 1, until: null } } }, createdAt: at },
    ],
  ])('%s: %s', async (reason, path, data) => {
    await shop.ctx.db.doc(path).set(data);
    await expect(erase()).rejects.toMatchObject({ code: 'failed-precondition', reason });
    expect(await record()).toBeUndefined();
  });

  it('a coach who is owed, who owes, or whose account is open; and oneself', async () => {
    await expect(erase('karin')).rejects.toMatchObject({ reason: 'account-open' });
    await shop.buy();
    await expect(erase('karin')).rejects.toMatchObject({ reason: 'coach-is-owed' });
    await shop.ctx.db.doc('coaches/vera').set({ currency: 'SEK', accountStatus: 'none' });
    const none = Object.fromEntries(accounts.map((account) => [account, 0]));
    const booked = { coachId: 'vera', currency: 'USD', deltas: { ...none, coach_payable: -100 } };
    await shop.ctx.db.doc('ledger/in-sek').set({ ...booked, currency: 'SEK', deltas: none });
    await shop.ctx.db.doc('ledger/in-usd').set(booked);
    await expect(erase('vera')).rejects.toMatchObject({ reason: 'coach-is-owed' });
    await shop.ctx.db.doc('ledger/in-usd').update({ deltas: { ...none, coach_receivable: 100 } });
    await expect(erase('vera')).rejects.toMatchObject({ reason: 'coach-owes' });
    await expect(erase('anna')).rejects.toMatchObject({ reason: 'own-erasure' });
  });
});

it('a coach is nowhere but where the law wants them; what the table of rooms says of each', async () => {
  const { db } = shop.ctx;
  await db.doc('coaches/karin').update({
    accountStatus: 'deauthorized',
    accountEmail: 'karin@example.se',
    invoiceDetails: { name: 'Karin Coach', address: 'Storgatan 2' },
    vatNumber: 'SE121212121201',
  });
  const on = Timestamp.fromDate(shop.now());
  await db.doc('sellerIdentities/karin').set({ name: 'Karin Coach', createdAt: on, updatedAt: on });
  const self = { coachId: 'karin', kind: 'self_billing', issuedOn: '2026-01-31' };
  await db.doc('payoutInvoices/one').set({ ...self, seller: { name: 'Karin Coach' }, buyer: { name: 'The platform' } });
  await db.doc('mail/one').set({ toUids: ['karin'], message: { text: 'Karin Coach' } });
  await db.doc('coaches/karin').update({ hold: { reason: 'Karin Coach is ill', since: on } });
  await db.doc('coachDays/karin_2026-01-05').set({ coachId: 'karin', date: '2026-01-05', taken: {} });
  await db.doc('auditLog/terms').set({ by: 'anna', subject: 'coaches/karin', note: 'Karin Coach asked.', at: on });
  const kept = { payoutInvoices: { count: 1 }, auditLog: { count: 1, law: 'Bokföringslagen 7 kap. 2 §' } };
  expect(await erase('karin')).toMatchObject({ state: 'kept', kept });
  expect(await shop.read('coaches/karin')).toMatchObject({ hold: { reason: '', since: on } });
  expect(await shop.read('coachDays/karin_2026-01-05')).toBeUndefined();
  await monthLater();
  expect(await named(/Karin Coach|karin@/)).toEqual(['auditLog', 'payoutInvoices', 'sellerIdentities']);
  await shop.advance(days(366 * 8) + hours(1));
  await goOnErasing(shop.ctx, shop.now());
  expect(await named(/Karin Coach|karin@/)).toEqual([]);
  expect(await shop.read('payoutInvoices/one')).toMatchObject({ buyer: { name: 'The platform' } });
});
