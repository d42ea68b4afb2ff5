import { getApps, initializeApp } from 'firebase-admin/app';
import type { Firestore } from 'firebase-admin/firestore';
import { readConfig, secrets, type Config } from '../config.ts';
import { systemClock, type Clock } from './clock.ts';
import { createFortnoxClient, type FortnoxClient } from './fortnox/client.ts';
import { cloudLog, type Log } from './log.ts';
import { createStripeClient, type StripeClient } from './stripe.ts';
import { cloudTasks, type Tasks } from './tasks.ts';

/** Everything that touches the world. Services get it as their first argument and reach for no global. */
export interface Context {
  config: Config;
  clock: Clock;
  db: Firestore;
  /** Made on first use. */
  stripe(): Promise<StripeClient>;
  /** Made on first use. */
  fortnox(): Promise<FortnoxClient>;
  tasks: Tasks;
  log: Log;
}

let production: Promise<Context> | undefined;

/** The one context of this process. Only entrances (`*.api.ts`) call it. */
export function productionContext(): Promise<Context> {
  production ??= createProductionContext();
  return production;
}

async function createProductionContext(): Promise<Context> {
  const config = readConfig();
  const { getFirestore } = await import('firebase-admin/firestore');
  const app = getApps()[0] ?? initializeApp();
  const db = getFirestore(app);
  db.settings({ ignoreUndefinedProperties: true });
  return {
    config,
    clock: systemClock,
    db,
    stripe: once(() => createStripeClient(config.stripeApiBase, secrets.stripeSecretKey.value())),
    fortnox: once(async () =>
      createFortnoxClient({
        apiBase: config.fortnoxApiBase,
        ...(config.fortnoxTokenBase ? { tokenBase: config.fortnoxTokenBase } : {}),
        clientId: secrets.fortnoxClientId.value(),
        clientSecret: secrets.fortnoxClientSecret.value(),
        tenantId: config.fortnoxTenantId,
        now: () => systemClock.now(),
      }),
    ),
    tasks: cloudTasks,
    log: cloudLog,
  };
}

/** Runs the maker once; a failed make is forgotten, so that the next call tries again. */
export function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make().catch((error: unknown) => {
      made = undefined;
      throw error;
    });
    return made;
  };
}
