import { describeFirestoreContract } from './contract.ts';
import { createMemoryFirestore } from './memory/memory-firestore.ts';

describeFirestoreContract('the in-memory twin', () => createMemoryFirestore());
