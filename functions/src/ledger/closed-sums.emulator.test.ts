import { deleteApp, initializeApp, type App } from 'firebase-admin/app';
import { initializeFirestore } from 'firebase-admin/firestore';
import { describeClosedSums } from '../testing/closed-sums.ts';

const apps: App[] = [];
afterAll(() => Promise.all(apps.map((app) => deleteApp(app))));

/** Each a database of its own: nobody else's documents are in the sums. */
describeClosedSums(
  'Firestore in the emulator',
  () => {
    const name = `demo-sums-${Date.now()}-${apps.length}`;
    const app = initializeApp({ projectId: name }, name);
    apps.push(app);
    return { db: initializeFirestore(app) };
  },
  10,
);
