import { Timestamp } from 'firebase-admin/firestore';
import { syncBooks } from '../accounting/accounting.service.ts';
import { postOne } from '../accounting/posting.service.ts';
import { addDays, businessDate, days, startOfBusinessDate, type BusinessDate } from '../platform/clock.ts';
import { proveQueued } from '../testing/night.ts';
import { openShop, type Shop } from '../testing/shop.ts';
import { runReconciliation } from './range.service.ts';
import { resumeReconciliations } from './run.service.ts';
import type { Range } from './run.ts';

const anna = { uid: 'anna', email: 'anna@example.se', name: 'Anna', coach: false, admin: true };
/** What the shop starts with, a yoga mat less Stripe's fee; and each sale. */
const own = 48_971;
const sale = 8_971;

let shop: Shop;
let first: BusinessDate;
let requests = 0;

beforeEach(async () => {
  shop = await openShop();
  await shop.deliver();
  first = addDays(businessDate(shop.now()), 1);
});

afterEach(() => shop.close());

/** A sale at noon of each of three days, and the day after them. */
async function threeDays(): Promise<void> {
  for (let n = 0; n < 3; n += 1) {
    const noon = startOfBusinessDate(addDays(first, n)).getTime() + days(0.5);
    await shop.advance(noon - shop.now().getTime());
    await shop.buy();
    await shop.deliver();
  }
  await shop.advance(days(1));
}

async function prove(from: BusinessDate, to: BusinessDate): Promise<Extract<Range, { state: 'done' }>> {
  const requestId = `request-${++requests}`;
  const reply = await runReconciliation(shop.ctx, anna, { from, to, requestId });
  expect(reply).toEqual({ reconciliationId: `anna_${requestId}`, from, to });
  await proveQueued(shop);
  return (await shop.ctx.db.doc(`reconciliationRanges/${reply.reconciliationId}`).get()).data() as never;
}

const second = () => addDays(first, 1);

it('cuts at both ends, whatever came before and after', async () => {
  await threeDays();
  const day = await prove(second(), second());
  expect(day).toMatchObject({ state: 'done', ok: true, counts: { ok: 2 }, differences: [], requestedBy: 'anna' });
  expect(day.accounts[0]).toEqual({
    account: 'platform',
    currency: 'SEK',
    state: 'ok',
    opening: { ledgerMinor: own + sale, stripeMinor: own + sale },
    ledgerMinor: own + 2 * sale,
    transactionsMinor: own + 2 * sale,
    stripeMinor: own + 2 * sale,
  });
  expect((await prove(first, addDays(first, 2))).accounts[0]).toMatchObject({ stripeMinor: own + 3 * sale });
  expect(await shop.openFlags()).toEqual([]);
  // Apart from the nights: none of them begins where a range ended.
  expect(await shop.all('reconciliations')).toEqual([]);
});

it('names what differs within, and says that something differed before', async () => {
  await threeDays();
  const [booked] = (await shop.ctx.db.collection('ledger').where('kind', '==', 'sale').get()).docs;
  const occurredAt = Timestamp.fromMillis(startOfBusinessDate(second()).getTime() + days(0.25));
  const invented = { ...booked?.data(), id: 'ch_invented:sale', occurredAt, balanceTransactionIds: ['txn_invented'] };
  await shop.ctx.db.doc('ledger/ch_invented:sale').set(invented);
  const kinds = async (from: BusinessDate, to: BusinessDate) =>
    (await prove(from, to)).differences
      .filter(({ account }) => account === 'platform')
      .map(({ kind, ids }) => `${kind} ${ids.join()}`.trim());
  expect(await kinds(first, first)).toEqual([]);
  expect(await kinds(second(), second())).toEqual(['entry-without-transaction ch_invented:sale', 'totals-differ']);
  expect(await kinds(addDays(first, 2), addDays(first, 2))).toEqual(['opening-differs', 'totals-differ']);
  // Nobody is told: whoever asked looks at it.
  expect(await shop.openFlags()).toEqual([]);
});

it("compares Fortnox's rows of those days", async () => {
  await threeDays();
  await syncBooks(shop.ctx, shop.now());
  for (const { payload } of shop.tasks.splice(0)) await postOne(shop.ctx, (payload as { voucherId: string }).voucherId);
  await shop.advance(60_000);
  expect(await prove(first, addDays(first, 2))).toMatchObject({ ok: true, fortnox: { days: 3 } });
  const there = shop.fortnoxEmulator.core.state().vouchers;
  const at = there.findIndex(({ date }) => date === second());
  there.splice(at, 1);
  expect((await prove(first, first)).differences).toEqual([]);
  expect((await prove(second(), second())).differences.map(({ kind }) => kind)).toEqual(['voucher-not-in-fortnox']);
  await shop.control('fortnox', 'faults', { kind: 'html_error', times: 50 });
  const unread = await prove(second(), second());
  expect(unread).toMatchObject({ ok: false, differences: [] });
  expect(unread.fortnox.error).toContain('Fortnox');
}, 60_000);

it('repeated it is the same proof, and the sweep goes on with one that was cut short', async () => {
  await threeDays();
  const input = { from: first, to: second(), requestId: 'request-again' };
  const reply = await runReconciliation(shop.ctx, anna, input);
  expect(await runReconciliation(shop.ctx, anna, input)).toEqual(reply);
  expect(shop.tasks).toHaveLength(2);
  const run = `reconciliationRanges/${reply.reconciliationId}`;
  await shop.ctx.db.doc(run).update({ state: 'queueing' });
  shop.tasks.splice(0);
  await shop.advance(days(1));
  await resumeReconciliations(shop.ctx, shop.now());
  await shop.advance(days(1));
  await resumeReconciliations(shop.ctx, shop.now());
  await proveQueued(shop);
  expect(await shop.read(run)).toMatchObject({ state: 'done', ok: true });
  expect((await shop.all('auditLog')).length).toBe(1);
});

it.each([
  ['range-backwards', 1, 0],
  ['range-not-over', 0, 1],
  ['range-too-long', -400, -2],
])('refuses %s', async (reason, from, to) => {
  const today = businessDate(shop.now());
  const input = { from: addDays(today, from), to: addDays(today, to), requestId: 'request-no' };
  await expect(runReconciliation(shop.ctx, anna, input)).rejects.toMatchObject({ reason });
  expect(await shop.all('reconciliationRanges')).toEqual([]);
});
