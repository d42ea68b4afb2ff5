import type { Firestore, Timestamp, Transaction } from 'firebase-admin/firestore';
import type { KnownRefunds, RefundOrder } from './orders.ts';
import type { Refund } from './refunds.ts';

/** `refunds/{refundId}` and `refundOrders/{refundId}`. */
const refundRef = (db: Firestore, id: string) => db.collection('refunds').doc(id);
const orderRef = (db: Firestore, id: string) => db.collection('refundOrders').doc(id);

export const refundPath = (id: string): string => `refunds/${id}`;

export async function readRefund(db: Firestore, id: string, tx?: Transaction): Promise<Refund | undefined> {
  return (await (tx ? tx.get(refundRef(db, id)) : refundRef(db, id).get())).data() as Refund | undefined;
}

export async function readOrder(db: Firestore, id: string, tx?: Transaction): Promise<RefundOrder | undefined> {
  return (await (tx ? tx.get(orderRef(db, id)) : orderRef(db, id).get())).data() as RefundOrder | undefined;
}

/** All refunds of a payment. In a transaction, so that two that are planned at once see each other. */
export async function readKnown(db: Firestore, tx: Transaction, paymentId: string): Promise<KnownRefunds> {
  const [refunds, orders] = await Promise.all([
    tx.get(db.collection('refunds').where('paymentId', '==', paymentId)),
    tx.get(db.collection('refundOrders').where('paymentId', '==', paymentId)),
  ]);
  return {
    refunds: refunds.docs.map((doc) => doc.data() as Refund),
    orders: orders.docs.map((doc) => doc.data() as RefundOrder),
  };
}

export async function refundsOf(db: Firestore, paymentId: string): Promise<Refund[]> {
  const found = await db.collection('refunds').where('paymentId', '==', paymentId).get();
  return found.docs.map((doc) => doc.data() as Refund);
}

export function createRefund(db: Firestore, tx: Transaction, refund: Refund, order: RefundOrder): void {
  tx.create(refundRef(db, refund.refundId), refund);
  tx.create(orderRef(db, refund.refundId), order);
}

export function writeRefund(db: Firestore, tx: Transaction, refund: Refund): void {
  tx.set(refundRef(db, refund.refundId), refund);
}

export function writeOrder(db: Firestore, tx: Transaction, order: RefundOrder): void {
  tx.set(orderRef(db, order.refundId), order);
}

/** Refunds whose time to be looked at has come, the longest due first. */
export async function dueChecks(db: Firestore, now: Timestamp, limit: number): Promise<string[]> {
  const found = await db.collection('refundOrders').where('checkAt', '<=', now).orderBy('checkAt').limit(limit).get();
  return found.docs.map((doc) => doc.id);
}
