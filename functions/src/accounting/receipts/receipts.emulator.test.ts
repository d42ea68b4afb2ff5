import { anna, karin, lisa } from '../../../../scripts/story/people.ts';
import { newCoach } from '../../coaches/coaches.ts';
import { destinationSale, type LedgerEntry } from '../../ledger/ledger.ts';
import { nothingBorne, refund } from '../../ledger/returns.ts';
import { minor } from '../../platform/money.ts';
import { startHarness, type Harness } from '../../testing/harness.ts';
import { testConfig } from '../../testing/world.ts';
import type { Dac7Reply } from '../dac7/dac7.service.ts';
import type { ReceiptReply } from './reads.service.ts';
import type { Receipt } from './receipts.ts';

/** Receipts and the tax report through the exported functions on the real Firestore: its transactions, queries and sums. */
let harness: Harness;
const tokens: Record<string, string> = {};
const day = new Date('2026-11-14T12:00:00Z');
const sales = 8;

beforeAll(async () => {
  harness = await startHarness();
  // The harness loads everything anew, and Firestore takes only its own times.
  const { Timestamp } = await import('firebase-admin/firestore');
  const { createEntry } = await import('../../ledger/ledger.store.ts');
  const at = Timestamp.fromDate(day);
  for (const person of [lisa, karin, anna]) tokens[person.uid] = await harness.login(person);
  await harness.db.doc(`coaches/${karin.uid}`).set(newCoach(testConfig, at));
  const entries: LedgerEntry[] = [];
  for (let made = 0; made < sales; made++) {
    const paymentId = `pi_${made}`;
    const base = { paymentId, occurredAt: at, currency: 'SEK', vatRate: 25, balanceTransactionIds: [] };
    const share = { coachId: karin.uid, stripeAccountId: 'acct_1', coachMinor: minor(40_000), feeMinor: minor(9_900) };
    entries.push(destinationSale({ ...base, ...share, chargeId: `ch_${made}`, grossMinor: minor(49_900) }));
    await harness.db.doc(`payments/${paymentId}`).set({
      ...{ userId: lisa.uid, coachId: karin.uid, stripePaymentId: paymentId, stripeChargeId: `ch_${made}` },
      ...{ customerName: 'Lisa Kund', description: 'Programme', chargeModel: 'destination' },
      ...{ amount: 499, amountMinor: 49_900, currency: 'SEK', vatRate: 25 },
    });
    if (made > 0) continue;
    const back = { ...base, coachId: karin.uid, stripeObjectId: 're_1', amountMinor: minor(24_950) };
    entries.push(refund(back, { ...nothingBorne, coachMinor: minor(20_000), feeMinor: minor(4_950) }));
  }
  for (const entry of entries) {
    await harness.db.runTransaction(async (tx) => createEntry(harness.db, tx, entry, day));
  }
}, 60_000);

afterAll(() => harness.close());

it('are made once and numbered without gaps by customers, coach and sweep at once', async () => {
  const asked = Array.from({ length: sales }, (_, made) => {
    const caller = made % 2 === 0 ? lisa : karin;
    return harness.call('getReceipt', { paymentId: `pi_${made}`, locale: 'sv' }, tokens[caller.uid]);
  });
  await Promise.all([...asked, harness.fire('sweep', day)]);
  await harness.fire('sweep', day);
  const receipts = (await harness.db.collection('receipts').get()).docs.map((doc) => doc.data() as Receipt);
  expect(receipts.map(({ number }) => Number(number.split('-')[2])).sort((a, b) => a - b)).toEqual(
    Array.from({ length: sales + 1 }, (_, n) => n + 1),
  );
  expect(receipts.reduce((total, { vatMinor }) => total + vatMinor, 0)).toBe(sales * 9_980 - 4_990);
  const reply = await harness.call<ReceiptReply>(
    'getReceipt',
    { receiptId: 're_1_refund', locale: 'en' },
    tokens[lisa.uid],
  );
  expect(reply).toMatchObject({ kind: 'credit_note', contentType: 'application/pdf' });
}, 60_000);

it('the tax report adds up what the coach was credited', async () => {
  const reply = await harness.call<Dac7Reply>('getDac7Report', { year: 2026 }, tokens[anna.uid]);
  expect(reply.sellers).toMatchObject([
    {
      coachId: karin.uid,
      quarters: [{}, {}, {}, { considerationMinor: sales * 40_000 - 20_000, activities: sales, takenOffMinor: 20_000 }],
      year: { feesMinor: sales * 9_900 - 4_950 },
    },
  ]);
  expect(reply.nextCursor).toBeNull();
  const who = { kind: 'company', name: 'Karins Väg & Vän AB', tin: '556012-5790', tinCountry: 'SE' };
  const home = { street: 'Gatan 1', postalCode: '111 22', city: 'Umeå', country: 'SE' };
  await harness.call('setSellerIdentity', { ...who, ...home }, tokens[karin.uid]);
  const { file } = await harness.call<Dac7Reply>('getDac7Report', { year: 2026, format: 'xml' }, tokens[anna.uid]);
  expect(file).toMatchObject({ contentType: 'application/xml; charset=utf-8', sellers: 1 });
  const xml = Buffer.from(file?.base64 ?? '', 'base64').toString('utf8');
  expect(xml).toContain('<dpi:Name>Karins Väg &amp; Vän AB</dpi:Name>');
  expect(xml).toContain(`<dpi:ConsQ4 currCode="SEK">${sales * 400 - 200}</dpi:ConsQ4>`);
});
