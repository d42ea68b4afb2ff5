import { anna } from '../../../scripts/story/people.ts';
import { destinationSale, type LedgerDocument } from '../ledger/ledger.ts';
import { minor } from '../platform/money.ts';
import { startHarness, type Harness } from '../testing/harness.ts';
import { accountPlan } from './account-plan.ts';
import type { Voucher } from './accounting.ts';
import type { CorrectVoucherReply } from './corrections.service.ts';

/** A day's voucher of more documents than one commit takes, corrected through the exported function on the real Firestore. */
let harness: Harness;
let token: string;
const day = new Date('2026-11-02T12:00:00Z');
const id = 'v_2026-11-02_sale_1';
const sales = 1_200;

beforeAll(async () => {
  harness = await startHarness();
  token = await harness.login(anna);
  // The harness loads everything anew, and Firestore takes only its own times.
  const { Timestamp } = await import('firebase-admin/firestore');
  const { createEntry, setVoucher } = await import('../ledger/ledger.store.ts');
  const { draftDay } = await import('./vouchers.ts');
  const at = Timestamp.fromDate(day);
  const share = { coachId: 'karin', stripeAccountId: 'acct_1', coachMinor: minor(40_000), feeMinor: minor(9_900) };
  const documents = Array.from({ length: sales }, (_, n): LedgerDocument => {
    const base = { chargeId: `ch_${n}`, paymentId: `pi_${n}`, balanceTransactionIds: [`txn_${n}`], vatRate: 25 };
    const sale = destinationSale({ ...base, ...share, occurredAt: at, currency: 'SEK', grossMinor: minor(49_900) });
    return { ...sale, voucherId: null, createdAt: at };
  });
  for (let i = 0; i < sales; i += 400) {
    const some = documents.slice(i, i + 400);
    await harness.db.runTransaction(async (tx) => {
      for (const { voucherId: _none, createdAt: _at, ...entry } of some) createEntry(harness.db, tx, entry, day);
    });
    await harness.db.runTransaction(async (tx) => {
      for (const entry of some) setVoucher(harness.db, tx, entry.id, id);
    });
  }
  const books = { plan: accountPlan({ profile: 'agent', clearing: 1686 }), series: 'S', currency: 'SEK' };
  const drafted = draftDay({ date: '2026-11-02', kind: 'sale', sequence: 1 }, documents, books, day);
  if (drafted.outcome !== 'voucher' || !drafted.voucher.list) throw new Error(drafted.outcome);
  const { nextTryAt: _none, ...voucher } = drafted.voucher;
  const where = { fortnoxReference: 'S 1 (2026)', fortnoxNumber: 1, financialYearId: 2, postedAt: at };
  const posted: Voucher = {
    ...voucher,
    ...where,
    state: 'posted',
    list: { ...drafted.voucher.list, state: 'attached' },
  };
  await harness.db.doc(`vouchers/${id}`).set(posted);
}, 60_000);

afterAll(() => harness.close());

it('correctVoucher: both vouchers are in Fortnox, every document names the new one, of two who ask one is refused', async () => {
  const ask = (requestId: string) =>
    harness.call<CorrectVoucherReply>('correctVoucher', { voucherId: id, reason: 'Fel profil', requestId }, token);
  const asked = await Promise.allSettled([ask('corrected-1'), ask('corrected-2')]);
  const refused = asked.filter((one) => one.status === 'rejected').map(({ reason }) => JSON.stringify(reason));
  expect(refused).toEqual([expect.stringContaining('voucher-already-corrected')]);
  const done = asked.filter((one) => one.status === 'fulfilled').map(({ value }) => value);
  expect(done).toEqual([{ voucherId: id, reversingVoucherId: `${id}_r1`, newVoucherId: `${id}_n1`, state: 'ready' }]);
  await harness.settle();
  const read = async (name: string) => (await harness.db.doc(`vouchers/${name}`).get()).data() as Voucher;
  expect(await read(id)).toMatchObject({ correctedBy: `${id}_r1` });
  expect(await read(`${id}_r1`)).toMatchObject({ state: 'posted', corrects: id, clearingMinor: -sales * 49_900 });
  expect(await read(`${id}_r1`)).not.toHaveProperty('movesTo');
  expect(await read(`${id}_n1`)).toMatchObject({ state: 'posted', rebooks: id, list: { state: 'attached' } });
  const named = await harness.db.collection('ledger').where('voucherId', '==', `${id}_n1`).count().get();
  expect(named.data().count).toBe(sales);
  const balance = await harness.control<Record<string, number>>('fortnox', 'trial-balance');
  // What `specification` says, less what was never posted here by `agent`.
  expect(balance).toEqual({
    1686: 0,
    2611: sales * 1_980,
    2899: sales * 40_000,
    3001: sales * (7_920 - 40_000),
    3921: -sales * 9_900,
  });
}, 120_000);
