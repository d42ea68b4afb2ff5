import { type CollectionReference, type Firestore, Timestamp } from 'firebase-admin/firestore';

/** What the cases of the contract share. */
export interface ContractWorld {
  readonly db: () => Firestore;
  /** A collection that no other case uses. */
  readonly fresh: () => CollectionReference;
}

export const at = (millis: number): Timestamp => Timestamp.fromMillis(millis);

/** The ids a query finds, in order. */
export async function idsOf(query: {
  get(): Promise<{ docs: readonly { readonly id: string }[] }>;
}): Promise<string[]> {
  return (await query.get()).docs.map((document) => document.id);
}
