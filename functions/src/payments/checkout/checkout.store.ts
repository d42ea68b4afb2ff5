import type { Firestore, Transaction } from 'firebase-admin/firestore';
import type { Checkout } from './checkout.ts';

export const checkoutPath = (id: string): string => `checkouts/${id}`;
const checkouts = (db: Firestore) => db.collection('checkouts');

export async function readCheckout(db: Firestore, id: string, tx?: Transaction): Promise<Checkout | undefined> {
  const ref = checkouts(db).doc(id);
  return (await (tx ? tx.get(ref) : ref.get())).data() as Checkout | undefined;
}

export async function createIfMissing(db: Firestore, checkout: Checkout): Promise<void> {
  await db.runTransaction(async (tx) => {
    const ref = checkouts(db).doc(checkout.id);
    if (!(await tx.get(ref)).exists) tx.create(ref, checkout);
  });
}

export function updateCheckout(db: Firestore, tx: Transaction, id: string, patch: Partial<Checkout>): void {
  tx.update(checkouts(db).doc(id), patch);
}

/** The page that a user's request opened. */
export async function checkoutOf(db: Firestore, userId: string, requestId: string): Promise<Checkout | undefined> {
  const query = checkouts(db).where('userId', '==', userId).where('requestId', '==', requestId).limit(1);
  return (await query.get()).docs[0]?.data() as Checkout | undefined;
}

/** Open pages, as far as we know, of something that is bought once. */
export async function openOf(db: Firestore, once: string): Promise<Checkout[]> {
  const page = await checkouts(db).where('once', '==', once).where('status', '==', 'open').get();
  return page.docs.map((doc) => doc.data() as Checkout);
}
