import type { Firestore, Transaction } from 'firebase-admin/firestore';
import type { Product, ProductKind } from './products.ts';

const ref = (db: Firestore, id: string) => db.collection('products').doc(id);

export async function readProduct(db: Firestore, id: string, tx?: Transaction): Promise<Product | undefined> {
  return (await (tx ? tx.get(ref(db, id)) : ref(db, id).get())).data() as Product | undefined;
}

/** Has the coach any product of this kind, for sale or not any more. */
export async function hasProductOf(db: Firestore, coachId: string, kind: ProductKind): Promise<boolean> {
  const found = db.collection('products').where('coachId', '==', coachId).where('kind', '==', kind).limit(1);
  return !(await found.get()).empty;
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
