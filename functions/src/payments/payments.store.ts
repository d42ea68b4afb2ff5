import { Timestamp, type Firestore, type Transaction } from 'firebase-admin/firestore';
import { requestsCollection, type CommandRecord } from '../platform/commands.ts';
import type { Payment } from './payments.ts';

export const paymentPath = (id: string): string => `payments/${id}`;
const ref = (db: Firestore, id: string) => db.collection('payments').doc(id);

export async function readPayment(db: Firestore, id: string, tx?: Transaction): Promise<Payment | undefined> {
  return (await (tx ? tx.get(ref(db, id)) : ref(db, id).get())).data() as Payment | undefined;
}

export function createPayment(db: Firestore, tx: Transaction, payment: Payment): void {
  tx.create(ref(db, payment.stripePaymentId), payment);
}

export function updatePayment(db: Firestore, tx: Transaction, id: string, patch: Partial<Payment>): void {
  tx.update(ref(db, id), patch);
}

/** The payment a booked charge belongs to. */
export async function paymentOfCharge(db: Firestore, tx: Transaction, chargeId: string): Promise<Payment | undefined> {
  const found = await tx.get(db.collection('payments').where('stripeChargeId', '==', chargeId).limit(1));
  return found.docs[0]?.data() as Payment | undefined;
}

/** Payments that succeeded some time ago and whose sale is not booked, oldest first. */
export async function succeededUnbooked(db: Firestore, before: Date, limit: number): Promise<Payment[]> {
  const page = await db
    .collection('payments')
    .where('status', '==', 'succeeded')
    .where('netMinor', '==', null)
    .where('createdAt', '<', Timestamp.fromDate(before))
    .orderBy('createdAt')
    .limit(limit)
    .get();
  return page.docs.map((doc) => doc.data() as Payment);
}

/** Commands accepted some time ago that neither finished nor were refused. */
export async function unfinishedCommands<P, R>(
  db: Firestore,
  before: Date,
  limit: number,
): Promise<CommandRecord<P, R>[]> {
  const page = await db
    .collection(requestsCollection)
    .where('state', '==', 'started')
    .where('createdAt', '<', Timestamp.fromDate(before))
    .orderBy('createdAt')
    .limit(limit)
    .get();
  return page.docs.map((doc) => doc.data() as CommandRecord<P, R>);
}
