import { Timestamp, type Firestore, type Transaction } from 'firebase-admin/firestore';

/** `customers/{uid}/accounts/{stripeAccountId}`: the user as that tenant's own Stripe knows them. */
export interface AccountCustomer {
  /** Absent until Stripe has made the customer. */
  stripeCustomerId?: string;
  /** Written before Stripe is asked, so that whoever asks again asks the same. */
  asked: { at: Timestamp; email: string | null };
}

const ref = (db: Firestore, uid: string, account: string) =>
  db.collection('customers').doc(uid).collection('accounts').doc(account);

export async function readAccountCustomer(
  db: Firestore,
  uid: string,
  account: string,
  tx?: Transaction,
): Promise<AccountCustomer | undefined> {
  const doc = ref(db, uid, account);
  return (await (tx ? tx.get(doc) : doc.get())).data() as AccountCustomer | undefined;
}

/** Writes down what is about to be asked. What stands already is returned; `expired` was asked too long ago and is replaced. */
export function noteAsked(
  db: Firestore,
  uid: string,
  account: string,
  asked: { at: Date; email: string | null },
  expired?: Timestamp,
): Promise<AccountCustomer> {
  return db.runTransaction(async (tx) => {
    const known = await readAccountCustomer(db, uid, account, tx);
    if (known && (known.stripeCustomerId || known.asked.at.toMillis() !== expired?.toMillis())) return known;
    const next: AccountCustomer = { asked: { at: Timestamp.fromDate(asked.at), email: asked.email } };
    tx.set(ref(db, uid, account), next);
    return next;
  });
}

export async function nameAccountCustomer(
  db: Firestore,
  uid: string,
  account: string,
  stripeCustomerId: string,
): Promise<void> {
  await ref(db, uid, account).update({ stripeCustomerId });
}

export function dropAccountCustomer(db: Firestore, tx: Transaction, uid: string, account: string): void {
  tx.delete(ref(db, uid, account));
}
