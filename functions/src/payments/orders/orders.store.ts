import { Timestamp, type Firestore, type Transaction } from 'firebase-admin/firestore';
import type { Order } from './orders.ts';

export const orderPath = (id: string): string => `orders/${id}`;
const orders = (db: Firestore) => db.collection('orders');

export const newOrderId = (db: Firestore): string => orders(db).doc().id;

export async function readOrder(db: Firestore, id: string, tx?: Transaction): Promise<Order | undefined> {
  const ref = orders(db).doc(id);
  return (await (tx ? tx.get(ref) : ref.get())).data() as Order | undefined;
}

export function createOrder(db: Firestore, tx: Transaction, id: string, order: Order): void {
  tx.create(orders(db).doc(id), order);
}

export function updateOrder(db: Firestore, tx: Transaction, id: string, patch: Partial<Order>): void {
  tx.update(orders(db).doc(id), patch);
}

/** Orders nobody has paid in time, oldest first. Index: status, expiresAt. */
export async function openPast(db: Firestore, now: Date, limit: number): Promise<{ id: string; order: Order }[]> {
  const page = await orders(db)
    .where('status', '==', 'open')
    .where('expiresAt', '<=', Timestamp.fromDate(now))
    .orderBy('expiresAt')
    .limit(limit)
    .get();
  return page.docs.map((doc) => ({ id: doc.id, order: doc.data() as Order }));
}
