import { Timestamp, type Firestore } from 'firebase-admin/firestore';

/** `customers/{uid}`. */
export interface Customer {
  stripeCustomerId: string;
  createdAt: Timestamp;
  updatedAt: Timestamp;
}

const ref = (db: Firestore, uid: string) => db.collection('customers').doc(uid);

export async function readCustomer(db: Firestore, uid: string): Promise<Customer | undefined> {
  return (await ref(db, uid).get()).data() as Customer | undefined;
}

/** Returns the customer that stands: ours, or the one a racing call committed first. */
export async function createCustomer(db: Firestore, uid: string, stripeCustomerId: string, now: Date): Promise<string> {
  return db.runTransaction(async (tx) => {
    const existing = (await tx.get(ref(db, uid))).data() as Customer | undefined;
    if (existing) return existing.stripeCustomerId;
    const at = Timestamp.fromDate(now);
    tx.create(ref(db, uid), { stripeCustomerId, createdAt: at, updatedAt: at } satisfies Customer);
    return stripeCustomerId;
  });
}
