import type { Firestore, Transaction } from 'firebase-admin/firestore';
import type { Product } from './products.ts';

const ref = (db: Firestore, id: string) => db.collection('products').doc(id);

export async function readProduct(db: Firestore, id: string, tx?: Transaction): Promise<Product | undefined> {
  return (await (tx ? tx.get(ref(db, id)) : ref(db, id).get())).data() as Product | undefined;
}

export async function savePrice(
  db: Firestore,
  id: string,
  stripePrice: NonNullable<Product['stripePrice']>,
): Promise<void> {
  await ref(db, id).update({ stripePrice });
}

export function writeStock(db: Firestore, tx: Transaction, id: string, stock: number): void {
  tx.update(ref(db, id), { stock });
}
