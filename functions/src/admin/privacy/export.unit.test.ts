import { Timestamp } from 'firebase-admin/firestore';
import { issueReceipts } from '../../accounting/receipts/receipts.service.ts';
import { processPayment } from '../../payments/payments.service.ts';
import { refundPayment } from '../../payments/refunds/refunds.service.ts';
import { days } from '../../platform/clock.ts';
import { cancelSession } from '../../sessions/life.service.ts';
import { addSessionNote } from '../../sessions/notes.service.ts';
import { lisa, omar, openBookings, type Bookings } from '../../testing/bookings.ts';
import { erasePerson } from './erase.service.ts';
import type { ExportItem } from './export.ts';
import { exportPerson, type ExportReply } from './export.service.ts';
import { rooms, unseen } from './rooms.ts';

const anna = { uid: 'anna', coach: false, admin: true };
const berit = { ...anna, uid: 'berit' };
const karin = { uid: 'karin', coach: true, admin: false };
const paymentMethodId = 'pm_card_bypassPending';

let shop: Bookings;
beforeEach(async () => {
  shop = await openBookings();
});
afterEach(() => shop.close());

const show = (uid?: string, cursor?: string, by = anna) => exportPerson(shop.ctx, by, { uid, cursor });

/** Every page. */
async function all(uid: string, by = anna): Promise<{ items: ExportItem[]; pages: ExportReply[] }> {
  const pages: ExportReply[] = [];
  for (let cursor: string | undefined; ;) {
    const page = await show(uid, cursor, by);
    pages.push(page);
    if (page.nextCursor === null) return { pages, items: pages.flatMap(({ items }) => items) };
    cursor = page.nextCursor;
  }
}

const at = (items: readonly ExportItem[], path: string): ExportItem | undefined =>
  items.find((one) => one.path === path);
const paths = (items: readonly ExportItem[]): string[] => items.map(({ path }) => path);

/** Lisa buys a programme, books and pays a session, cannot come, and gets a part of the programme back. */
async function trade(): Promise<string> {
  const paymentId = await shop.buy();
  const { sessionId } = await shop.book({ hours: 12 });
  await processPayment(shop.ctx, lisa, { sessionId, requestId: 'session-1', paymentMethodId });
  await shop.deliver();
  await addSessionNote(shop.ctx, karin, { sessionId, text: 'Lisa is tired.', requestId: 'a-note-1' });
  await cancelSession(shop.ctx, lisa, { sessionId, reason: 'Lisa is ill', requestId: 'cancel-1' });
  const refund = { paymentId, amountMinor: 10_000, reason: 'Lisa was unhappy', requestId: 'refund-1' };
  await refundPayment(shop.ctx, anna, refund);
  for (let times = 0; times < 3; times++) await shop.deliver();
  await issueReceipts(shop.ctx);
  return sessionId;
}

describe('refused', () => {
  it('somebody nothing is kept about', async () => {
    for (let times = 0; times < 2; times++)
      await expect(show('nobody')).rejects.toMatchObject({ code: 'not-found', reason: 'person-unknown' });
  });

  it('another’s, to everybody but administrators', async () => {
    for (const by of [omar, karin]) {
      await expect(show('lisa', undefined, by)).rejects.toMatchObject({ reason: 'not-yours' });
    }
    expect(await shop.all('auditLog')).toEqual([]);
  });

  const cursor = (said: object) => Buffer.from(JSON.stringify(said)).toString('base64url');
  it.each([
    ['no cursor', 'abc'],
    ['another person’s', cursor({ uid: 'lisa', place: 'payments', path: 'payments/pi_1' })],
    ['no place of ours', cursor({ uid: 'omar', place: 'vouchers', path: 'vouchers/v_1' })],
    ['another collection', cursor({ uid: 'omar', place: 'payments', path: 'stripeEvents/evt_1' })],
    ['another person’s own', cursor({ uid: 'omar', place: 'accounts', path: 'customers/lisa/accounts/acct_1' })],
    ['no path', cursor({ uid: 'omar', place: 'payments', path: 'payments/pi_1/items' })],
    ['a name Firestore keeps', cursor({ uid: 'omar', place: 'payments', path: 'payments/__id__' })],
    ['below nothing', cursor({ uid: 'omar', place: 'payments', path: 'payments/pi_1', below: 'payments/pi_1/a/b' })],
    ['below another', cursor({ uid: 'omar', place: 'payouts', path: 'payouts/one', below: 'payouts/two/items/a' })],
    ['more than a cursor', cursor({ uid: 'omar', place: 'payments', path: 'payments/pi_1', owner: 'id' })],
  ])('a cursor that is made up: %s', async (_, made) => {
    await expect(show('omar', made)).rejects.toMatchObject({ code: 'invalid-argument', reason: 'cursor-unknown' });
  });

  it('a made-up cursor to what is below another’s document shows nothing of it, and leaves its mark in the audit log', async () => {
    await shop.ctx.db.doc('payouts/one').set({ coachId: 'karin' });
    await shop.ctx.db.doc('payouts/one/items/a').set({ amountMinor: 1 });
    const { items } = await show('omar', cursor({ uid: 'omar', place: 'payouts', path: 'payouts/one' }));
    expect(items.map(({ collection }) => collection)).toEqual(['auditLog']);
    expect(await shop.all('auditLog')).toMatchObject([{ by: 'anna', action: 'exportPerson', subject: 'users/omar' }]);
  });
});

it('everything with a name, a reason or a date in it, in plain JSON, and why it is kept', async () => {
  const sessionId = await trade();
  const { items, pages } = await all('lisa');
  expect(JSON.parse(JSON.stringify(items))).toEqual(items);
  const payment = items.find(({ collection, data }) => collection === 'payments' && data.amountMinor === 49_900);
  expect(payment?.data).toMatchObject({ userId: 'lisa', customerName: 'Lisa Kund' });
  expect(payment?.data.createdAt).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  expect(at(items, `sessions/${sessionId}`)?.data).toMatchObject({
    reason: 'Lisa is ill',
    student: { userId: 'lisa' },
  });
  expect(JSON.stringify(items)).toContain('Lisa was unhappy');
  const collections = new Set(items.map(({ collection }) => collection));
  const [first] = pages;
  expect(new Set(Object.keys(first?.collections ?? {}))).toEqual(collections);
  expect(first?.collections.receipts?.until).toContain('Bokföringslagen 7 kap. 2 §');
  const named = paths(items).filter((path) => path !== 'auditLog/…');
  expect(new Set(named).size).toBe(named.length);
  const customer = (await shop.read<{ stripeCustomerId: string }>('customers/lisa'))?.stripeCustomerId;
  expect(first?.elsewhere[0]).toMatchObject({ where: 'Stripe, as a customer', ids: [customer] });
  expect(first?.leftOut.stripeEvents).toContain('28 days');
});

it('who on the staff decided, what is the coach’s, and the coach’s memory notes are left out, each with why', async () => {
  const sessionId = await trade();
  const { items } = await all('lisa');
  expect(JSON.stringify(items)).not.toMatch(/anna|Lisa is tired/);
  const [order] = items.filter(({ collection }) => collection === 'refundOrders');
  expect(order?.hidden.by).toBe('Says who of the staff decided; what was decided is shown.');
  const [note] = items.filter(({ collection }) => collection === 'sessions/…/notes');
  expect(note?.path.startsWith(`sessions/${sessionId}/notes/`)).toBe(true);
  expect(note?.data).toEqual({ createdAt: expect.any(String) as string });
  expect(note?.hidden.text).toContain('5 kap. 2 §');
  const earning = items.find(({ collection }) => collection === 'coaches/…/earnings');
  expect(earning?.data.customerName).toBe('Lisa Kund');
  expect(earning?.hidden.paidMinor).toBe('Is the coach’s own.');
});

it('a coach sees what is theirs, and no customer', async () => {
  await trade();
  const { db } = shop.ctx;
  await db.doc('payoutRuns/2026-01-05/coaches/karin').set({ coachId: 'karin', state: 'nothing', reason: 'hold' });
  await db.doc('payoutRuns/2026-01-05/coaches/other').set({ coachId: 'other', state: 'nothing', reason: 'hold' });
  await db
    .doc('auditLog/terms')
    .set({ by: 'anna', subject: 'coaches/karin', after: { approvedBy: 'berit', feePercent: 10 } });
  const { items } = await all('karin');
  const own = items.filter(({ collection }) => collection !== 'mail');
  expect(JSON.stringify(own)).not.toMatch(/Lisa|lisa@/);
  const has = new Set(items.map(({ collection }) => collection));
  for (const room of [
    'coaches',
    'coaches/…/earnings',
    'sessions',
    'sessions/…/notes',
    'coachDays',
    'products',
    'ledger',
  ])
    expect(has).toContain(room);
  expect(at(items, 'payoutRuns/2026-01-05/coaches/karin')?.data).toMatchObject({ reason: 'hold' });
  expect(paths(items)).not.toContain('payoutRuns/2026-01-05/coaches/other');
  const terms = items.find(({ data }) => data.subject === 'coaches/karin');
  expect(terms).toMatchObject({
    data: { after: { feePercent: 10 } },
    hidden: { id: expect.any(String) as string, 'after.approvedBy': expect.any(String) as string },
  });
});

it('a person who is customer and coach is shown as both', async () => {
  await shop.ctx.db.doc('payments/pi_own').set({ userId: 'karin', customerName: 'Karin Coach' });
  await shop.ctx.db
    .doc('sessions/own')
    .set({ userId: 'karin', coachId: 'karin', student: { userId: 'karin', name: 'K' } });
  const { items } = await all('karin');
  expect(paths(items)).toEqual(expect.arrayContaining(['payments/pi_own', 'coaches/karin', 'sessions/own']));
  expect(paths(items).filter((path) => path === 'sessions/own')).toHaveLength(1);
  expect(at(items, 'sessions/own')?.data).toMatchObject({ student: { name: 'K' } });
});

describe('in pages', () => {
  it.each([99, 100, 101, 200])('of a hundred: %i documents, each once', async (count) => {
    const batch = shop.ctx.db.batch();
    for (let n = 0; n < count; n++) batch.set(shop.ctx.db.doc(`orders/o${n}`), { userId: 'omar', n });
    await batch.commit();
    const { items, pages } = await all('omar', omar);
    expect(new Set(paths(items)).size).toBe(count);
    expect(items).toHaveLength(count);
    expect(pages).toHaveLength(Math.ceil(count / 100));
    for (const { items: page } of pages) expect(page.length).toBeLessThanOrEqual(100);
    expect(pages.slice(1).every(({ elsewhere, leftOut }) => elsewhere.length === 0 && !leftOut.locks)).toBe(true);
  });

  it('cut within what is below a document', async () => {
    const { db } = shop.ctx;
    for (const payout of ['one', 'two']) {
      await db.doc(`payouts/${payout}`).set({ coachId: 'omar' });
      const batch = db.batch();
      for (let n = 0; n < 130; n++) batch.set(db.doc(`payouts/${payout}/items/i${n}`), { amountMinor: n });
      await batch.commit();
    }
    const { items, pages } = await all('omar', omar);
    expect(new Set(paths(items)).size).toBe(262);
    expect(items).toHaveLength(262);
    expect(pages).toHaveLength(3);
  });

  it('large documents make short pages', async () => {
    const text = 'x'.repeat(400_000);
    for (let n = 0; n < 7; n++) await shop.ctx.db.doc(`orders/o${n}`).set({ userId: 'omar', text });
    const { items, pages } = await all('omar', omar);
    expect(items).toHaveLength(7);
    expect(pages.map((page) => page.items.length)).toEqual([3, 3, 1]);
  });

  it('goes on where the last document has gone since', async () => {
    for (let n = 100; n < 250; n++) await shop.ctx.db.doc(`orders/o${n}`).set({ userId: 'omar' });
    const first = await show('omar', undefined, omar);
    await shop.ctx.db.doc('orders/o199').delete();
    const second = await show('omar', first.nextCursor ?? '', omar);
    expect(second.items.map(({ id }) => id)).toEqual(Array.from({ length: 50 }, (_, n) => `o${n + 200}`));
  });
});

it('asked by two at once, each gets it whole and is in the audit log once, however many pages', async () => {
  for (let n = 0; n < 130; n++) await shop.ctx.db.doc(`orders/o${n}`).set({ userId: 'omar' });
  const [one, two, again] = await Promise.all([all('omar'), all('omar', berit), all('omar')]);
  expect(two.items).toEqual(one.items);
  expect(again.items).toEqual(one.items);
  const looks = (await shop.all<{ by: string; subject: string }>('auditLog')).map(({ by, subject }) => [by, subject]);
  expect(looks.sort()).toEqual([
    ['anna', 'users/omar'],
    ['berit', 'users/omar'],
  ]);
});

it('one’s own, without an entry in the audit log; the same but for that', async () => {
  await trade();
  const own = await all('lisa', lisa);
  expect(await exportPerson(shop.ctx, lisa, {})).toMatchObject({ uid: 'lisa' });
  expect((await shop.all<{ action: string }>('auditLog')).map(({ action }) => action)).not.toContain('exportPerson');
  const asked = await all('lisa');
  expect(asked.items.filter(({ data }) => data.action !== 'exportPerson')).toEqual(own.items);
});

describe('beside erasePerson', () => {
  /** Every document, as text. */
  async function database(): Promise<Map<string, string>> {
    const found = new Map<string, string>();
    const groups = new Set([...Object.keys(rooms), ...Object.keys(unseen)].map((room) => room.split('/').at(-1) ?? ''));
    for (const group of groups) {
      for (const doc of (await shop.ctx.db.collectionGroup(group).get()).docs)
        found.set(doc.ref.path, JSON.stringify(doc.data()));
    }
    return found;
  }

  const erase = async (uid: string) => {
    await erasePerson(shop.ctx, anna, { uid, note: 'Asked by letter.', requestId: 'erasure-1' });
    expect(await shop.read(`erasures/${uid}`)).toMatchObject({ state: expect.stringMatching('kept|done') as string });
  };

  it.each(['lisa', 'karin'])('what is erased of %s had been shown', async (uid) => {
    await trade();
    if (uid === 'karin') await closed();
    const { items } = await all(uid);
    const [shown, words] = [new Set(paths(items)), JSON.stringify(items)];
    const before = await database();
    await erase(uid);
    const after = await database();
    const touched = [...before.keys()].filter((path) => after.get(path) !== before.get(path));
    expect(touched.length).toBeGreaterThan(8);
    // Ids of the audit log say who decided: those entries are shown without.
    expect(touched.filter((path) => !shown.has(path) && !path.startsWith('auditLog/'))).toEqual([]);
    if (uid === 'lisa') expect(words).toContain('"note":"Lisa was unhappy"');
  });

  /** Karin has been paid, has closed her account, and is in the books. */
  async function closed(): Promise<void> {
    for (const { id, ref } of (await shop.ctx.db.collection('ledger').get()).docs) if (id) await ref.delete();
    await shop.ctx.db.doc('coaches/karin').update({
      accountStatus: 'deauthorized',
      accountEmail: 'karin@example.se',
      invoiceDetails: { name: 'Karin Coach', address: 'Storgatan 2' },
    });
    const on = Timestamp.fromDate(shop.now());
    await shop.ctx.db.doc('sellerIdentities/karin').set({ name: 'Karin Coach', createdAt: on, updatedAt: on });
  }

  it('afterwards only what the record says is kept has a name', async () => {
    await trade();
    await erase('lisa');
    await shop.deliver();
    await shop.advance(days(1));
    const { items } = await all('lisa');
    const named = items.filter(({ data }) => /Lisa|lisa@/.test(JSON.stringify(data)));
    const record = at(items, 'erasures/lisa')?.data as { kept: Record<string, unknown>; by?: string };
    expect(new Set(named.map(({ collection }) => collection))).toEqual(new Set(Object.keys(record.kept)));
    expect(record.by).toBeUndefined();
    const left = new Set(items.map(({ collection }) => collection));
    for (const gone of ['paymentMethods', 'mail', 'requests', 'sessions/…/notes']) expect(left).not.toContain(gone);
  });
});
