import { Timestamp, type DocumentSnapshot, type Firestore, type Transaction } from 'firebase-admin/firestore';

/** `customers/{uid}`. */
export interface Customer {
  /** Absent until Stripe has made the customer, and again after it was deleted at Stripe. */
  stripeCustomerId?: string;
  /** Written before Stripe is asked for a customer, so that whoever asks again asks the same. */
  customerAsked?: { at: Timestamp; email: string | null };
  /** Customers deleted at Stripe, oldest first. */
  formerCustomerIds?: string[];
  /** The method that invoices are paid with where a subscription has none of its own. */
  defaultPaymentMethodId?: string;
  createdAt: Timestamp;
  updatedAt: Timestamp;
}

export interface VersionedCustomer {
  uid: string;
  customer: Customer;
  /** When the document last changed, to tell whether it still is what a fetch was based on. */
  version: string;
}

const customers = (db: Firestore) => db.collection('customers');
const ref = (db: Firestore, uid: string) => customers(db).doc(uid);

function versioned(snapshot: DocumentSnapshot): VersionedCustomer | undefined {
  const version = snapshot.updateTime?.toDate().toISOString();
  return version ? { uid: snapshot.id, customer: snapshot.data() as Customer, version } : undefined;
}

export async function readCustomer(db: Firestore, uid: string): Promise<Customer | undefined> {
  return (await ref(db, uid).get()).data() as Customer | undefined;
}

/** The customer document that has, or before its deletion had, this Stripe customer. */
export async function ownerOf(
  db: Firestore,
  stripeCustomerId: string,
  tx?: Transaction,
): Promise<VersionedCustomer | undefined> {
  const query = customers(db).where('stripeCustomerId', '==', stripeCustomerId).limit(1);
  const [found] = (await (tx ? tx.get(query) : query.get())).docs;
  return found && versioned(found);
}

export async function readVersioned(
  db: Firestore,
  uid: string,
  tx?: Transaction,
): Promise<VersionedCustomer | undefined> {
  return versioned(await (tx ? tx.get(ref(db, uid)) : ref(db, uid).get()));
}

export function updateCustomer(db: Firestore, tx: Transaction, uid: string, patch: object): void {
  tx.update(ref(db, uid), patch);
}

/**
 * Writes down that a customer is about to be asked for, unless it was or there is one. `expired`: what was asked then is
 * over, so that a new asking begins, with the same address, unless somebody else just began one.
 */
export function askCustomer(
  db: Firestore,
  uid: string,
  email: string | null,
  now: Date,
  expired?: Timestamp,
): Promise<Customer> {
  return db.runTransaction(async (tx) => {
    const known = (await tx.get(ref(db, uid))).data() as Customer | undefined;
    const asked = known?.customerAsked;
    if (known?.stripeCustomerId || (known && asked && asked.at.toMillis() !== expired?.toMillis())) return known;
    const at = Timestamp.fromDate(now);
    const next: Customer = {
      createdAt: at,
      ...known,
      customerAsked: { at, email: asked ? asked.email : email },
      updatedAt: at,
    };
    tx.set(ref(db, uid), next);
    return next;
  });
}

/** Returns the customer that stands: ours, or the one a racing call committed first. */
export function nameCustomer(db: Firestore, uid: string, stripeCustomerId: string, now: Date): Promise<string> {
  return db.runTransaction(async (tx) => {
    const known = (await tx.get(ref(db, uid))).data() as Customer | undefined;
    if (!known) throw new Error(`customers/${uid} disappeared while its Stripe customer was made.`);
    if (known.stripeCustomerId) return known.stripeCustomerId;
    tx.update(ref(db, uid), { stripeCustomerId, updatedAt: Timestamp.fromDate(now) });
    return stripeCustomerId;
  });
}
