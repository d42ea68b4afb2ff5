import type { CollectionReference, DocumentData, Firestore, FirestoreDataConverter } from 'firebase-admin/firestore';

const asIs: FirestoreDataConverter<DocumentData> = {
  toFirestore: (model: DocumentData) => model,
  fromFirestore: (snapshot) => snapshot.data(),
};

/**
 * The collection at `path`, whose documents are taken to be `T` as they stand: a cast, not a check. What a store
 * wrote it may believe; what came from elsewhere is checked before it is written.
 */
export function typedCollection<T extends DocumentData>(db: Firestore, path: string): CollectionReference<T, T> {
  return db.collection(path).withConverter(asIs as FirestoreDataConverter<T, T>);
}
