import fc from 'fast-check';
import { Timestamp } from 'firebase-admin/firestore';
import { businessDate } from '../../platform/clock.ts';
import { openShop, type Shop } from '../../testing/shop.ts';
import { erasePerson, goOnErasing } from './erase.service.ts';
import type { Erasure } from './erasure.ts';
import { exportPerson } from './export.service.ts';

/** Every field that says something of Eva, written down apart from the steps. `uid` stands for hers. */
const at = Timestamp.now();
const today = businessDate(at.toDate());
const name = 'Eva Namn';
const party = { name, address: 'Evavägen 1', vatNumber: 'SE-EVA' };
const of = (uid: string): readonly [path: string, data: object][] => [
  [`paymentMethods/pm_${uid}`, { userId: uid, last4: '4242' }],
  [`payments/pi_${uid}`, { userId: uid, customerName: name, receiptUrl: 'Eva', refundReason: 'Eva', coachId: 'karin' }],
  [`coaches/karin/earnings/pi_${uid}`, { customerName: name }],
  [`subscriptions/sub_${uid}`, { userId: uid, customerName: name, status: 'canceled' }],
  [`invoices/in_${uid}`, { userId: uid, hostedUrl: 'Eva', pdfUrl: 'Eva', description: 'Eva' }],
  [
    `checkouts/cs_${uid}`,
    { userId: uid, status: 'expired', purchase: { share: [{ customerName: name, email: 'Eva' }] } },
  ],
  [
    `sessions/payer-${uid}`,
    { userId: uid, coachId: 'karin', customerName: name, student: { name: 'Evas son' }, reason: 'Eva' },
  ],
  [`sessions/payer-${uid}/notes/n`, { text: 'Eva' }],
  [`mail/session-booked_payer-${uid}`, { toUids: ['karin'], message: { text: 'Eva' } }],
  [`sessions/student-${uid}`, { userId: 'omar', coachId: 'karin', student: { userId: uid, name }, reason: 'Eva' }],
  [`sessions/student-${uid}/notes/n`, { text: 'Eva' }],
  [`sessions/coach-${uid}`, { userId: 'omar', coachId: uid, reason: 'Eva' }],
  [`sessions/coach-${uid}/notes/n`, { text: 'Eva' }],
  [`refunds/rf_${uid}`, { userId: uid, status: 'succeeded', reason: 'Eva' }],
  [`refundOrders/rf_${uid}`, { reason: 'Eva', by: 'anna' }],
  [
    `auditLog/refundPayment_rf_${uid}`,
    { action: 'refundPayment', subject: `refunds/rf_${uid}`, note: 'Eva', by: 'anna' },
  ],
  [`disputes/du_${uid}`, { userId: uid, stage: 'won' }],
  [
    `auditLog/submitDisputeEvidence_anna_${uid}`,
    { action: 'submitDisputeEvidence', subject: `disputes/du_${uid}`, after: { evidence: name } },
  ],
  [`receipts/bought-${uid}`, { userId: uid, customerName: name, date: today }],
  [`customers/${uid}`, { customerAsked: { at, email: 'Eva' } }],
  [`coaches/${uid}/earnings/e-${uid}`, { customerName: name }],
  [`availability/${uid}`, { weekly: [] }],
  [`coachDays/${uid}_2026-01-05`, { coachId: uid, taken: {} }],
  [`receipts/sold-${uid}`, { userId: 'omar', seller: { ...party, coachId: uid }, date: today }],
  [`payoutInvoices/self-${uid}`, { coachId: uid, kind: 'self_billing', seller: party, issuedOn: today }],
  [`payoutInvoices/fee-${uid}`, { coachId: uid, kind: 'commission', buyer: party, issuedOn: today }],
  [`sellerIdentities/${uid}`, { name, updatedAt: at }],
  [
    `coaches/${uid}`,
    {
      currency: 'SEK',
      accountEmail: 'Eva',
      vatNumber: 'SE-EVA',
      invoiceDetails: party,
      hold: { reason: 'Eva', since: at },
      accountAsked: { at, email: 'Eva', businessProfile: { name } },
    },
  ],
  [
    `approvals/ap-${uid}`,
    { about: [uid], status: 'approved', reason: 'Eva', input: { reason: 'Eva', note: 'Eva' }, by: 'anna' },
  ],
  [`auditLog/terms-${uid}`, { action: 'setCoachTerms', subject: `coaches/${uid}`, note: 'Eva', at, by: 'anna' }],
  [`mail/to-${uid}`, { toUids: [uid], message: { text: 'Eva' } }],
  [`requests/${uid}_one`, { uid, state: 'done', command: 'processPayment', plan: { customerName: name } }],
  [`limits/${uid}`, { updatedAt: at }],
];

const anna = { uid: 'anna', coach: false, admin: true };
let shop: Shop;
beforeAll(async () => {
  shop = await openShop();
});
afterAll(() => shop.close());

/** What there is of these, as text. */
async function texts(paths: readonly string[]): Promise<Map<string, string | undefined>> {
  const found = await shop.ctx.db.getAll(...paths.map((path) => shop.ctx.db.doc(path)));
  return new Map(found.map((doc) => [doc.ref.path, doc.exists ? JSON.stringify(doc.data()) : undefined]));
}

async function shown(uid: string): Promise<string> {
  let words = '';
  for (let cursor: string | undefined; ;) {
    const { items, nextCursor } = await exportPerson(shop.ctx, anna, { uid, cursor });
    words += JSON.stringify(items);
    if (nextCursor === null) return words;
    cursor = nextCursor;
  }
}

let people = 0;

it('whatever there is of a person, all that is erased had been shown, and what is left says no more than the record', async () => {
  const which = fc.array(fc.nat(of('').length - 1), { minLength: 1, maxLength: of('').length });
  await fc.assert(
    fc.asyncProperty(which, async (chosen) => {
      const uid = `eva${++people}`;
      const documents = of(uid).filter((_, index) => chosen.includes(index));
      for (const [path, data] of documents) await shop.ctx.db.doc(path).set(data);
      const paths = documents.map(([path]) => path);
      // What stands beside another, or below it, is reached through that.
      const reached = (path: string): boolean => hangsOn(path, uid).every((above) => paths.includes(above));
      const before = await texts(paths);
      const words = await shown(uid).catch(() => '');
      await erasePerson(shop.ctx, anna, { uid, note: 'Asked by letter.', requestId: `erasure-${uid}` });
      const after = await texts(paths);
      const record = await shop.read<Erasure>(`erasures/${uid}`);
      const left: string[] = [];
      for (const path of paths.filter(reached)) {
        if (before.get(path) === after.get(path)) continue;
        expect([path, words.includes(`"path":"${path}"`) || path.startsWith('auditLog/')]).toEqual([path, true]);
      }
      for (const path of paths.filter(reached))
        if ((after.get(path) ?? '').includes('Eva')) left.push(path.split('/')[0] ?? '');
      const kept = Object.keys(record?.kept ?? {}).map((step) => step.split(' ')[0] ?? '');
      expect(new Set(left)).toEqual(new Set(kept));
      expect(record?.state).toBe(kept.length > 0 ? 'kept' : 'done');
      await goOnErasing(shop.ctx, shop.now());
      expect(await texts(paths)).toEqual(after);
    }),
    { numRuns: 25 },
  );
});

/** The documents by which a document is found to be of a person; none: by itself. */
function hangsOn(path: string, uid: string): string[] {
  if (path.includes('/notes/')) return [path.slice(0, path.indexOf('/notes/'))];
  const by: Record<string, string> = {
    [`coaches/karin/earnings/pi_${uid}`]: `payments/pi_${uid}`,
    [`mail/session-booked_payer-${uid}`]: `sessions/payer-${uid}`,
    [`refundOrders/rf_${uid}`]: `refunds/rf_${uid}`,
    [`auditLog/refundPayment_rf_${uid}`]: `refunds/rf_${uid}`,
    [`auditLog/submitDisputeEvidence_anna_${uid}`]: `disputes/du_${uid}`,
  };
  return [by[path] ?? []].flat();
}
