import { readFileSync } from 'node:fs';
import type { Firestore } from 'firebase-admin/firestore';
import type { IndexFile } from '../platform/firestore/memory/indexes.ts';
import { createMemoryFirestore, type MemoryFirestoreOptions } from '../platform/firestore/memory/memory-firestore.ts';

const indexes = JSON.parse(readFileSync('firestore.indexes.json', 'utf8')) as IndexFile;

/** Firestore's in-memory twin with the indexes that are deployed: a query without one fails here, not only there. */
export const createTestFirestore = (options: MemoryFirestoreOptions = {}): Firestore =>
  createMemoryFirestore({ indexes, ...options });
