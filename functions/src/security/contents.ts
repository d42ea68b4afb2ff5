import type { CollectionReference, Firestore } from 'firebase-admin/firestore';

/** Every document of the database by its path, for tests that show that nothing changed. */
export async function contentsOf(db: Firestore): Promise<Record<string, unknown>> {
  const found: Record<string, unknown> = {};
  const read = async (collections: CollectionReference[]): Promise<void> => {
    for (const collection of collections) {
      for (const doc of (await collection.get()).docs) {
        found[doc.ref.path] = JSON.parse(JSON.stringify(doc.data()));
        await read(await doc.ref.listCollections());
      }
    }
  };
  await read(await db.listCollections());
  return found;
}
