import { type App, deleteApp, initializeApp } from 'firebase-admin/app';
import { initializeFirestore } from 'firebase-admin/firestore';
import { describeFirestoreContract } from './contract.ts';

const apps: App[] = [];
afterAll(() => Promise.all(apps.map((app) => deleteApp(app))));

describeFirestoreContract('Firestore in the emulator', () => {
  if (!process.env.FIRESTORE_EMULATOR_HOST) {
    throw new Error('FIRESTORE_EMULATOR_HOST is not set: start a Firestore emulator and name its host:port.');
  }
  const name = `demo-contract-${Date.now()}`;
  const app = initializeApp({ projectId: name }, name);
  apps.push(app);
  const db = initializeFirestore(app);
  db.settings({ ignoreUndefinedProperties: true });
  return db;
});
