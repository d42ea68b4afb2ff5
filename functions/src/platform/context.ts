import { getApps, initializeApp } from 'firebase-admin/app';
import type { Firestore } from 'firebase-admin/firestore';
import { readConfig, region, secrets, type Config } from '../config.ts';
import { systemClock, type Clock } from './clock.ts';
import { createFortnoxClient, type FortnoxClient } from './fortnox/client.ts';
import { createFortnoxConsent, type FortnoxConsent } from './fortnox/consent.ts';
import { connectedTenant, scopesFor } from './fortnox/connected.ts';
import { keepRefreshToken, rotatingRefreshToken } from './fortnox/rotating-token.ts';
import { createTokenLock } from './fortnox/token-lock.ts';
import { cloudLog, type Log } from './log.ts';
import { createSecretStore } from './secrets/secret-store.ts';
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
  /** For connecting Fortnox. Made on first use. */
  fortnoxConsent(): Promise<FortnoxConsent>;
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
  const projectId = app.options.projectId ?? process.env.GCLOUD_PROJECT ?? '';
  return {
    config,
    clock: systemClock,
    db,
    stripe: once(() => createStripeClient(config.stripeApiBase, secrets.stripeSecretKey.value())),
    fortnox: once(() => createFortnox(config, db, projectId)),
    fortnoxConsent: once(() => createConsent(config, db, projectId)),
    tasks: cloudTasks,
    log: cloudLog,
  };
}

/** Outside what a deploy pins, and outside what `functions:secrets:prune` cleans up. */
const refreshTokenSecret = 'fortnox-refresh-token';

const now = () => systemClock.now();

const fortnoxAddress = (config: Config) => ({
  apiBase: config.fortnoxApiBase,
  ...(config.fortnoxTokenBase ? { tokenBase: config.fortnoxTokenBase } : {}),
  clientId: secrets.fortnoxClientId.value(),
  clientSecret: secrets.fortnoxClientSecret.value(),
  now,
});

/** The client, with tokens by the way that FORTNOX_AUTH names. */
async function createFortnox(config: Config, db: Firestore, projectId: string): Promise<FortnoxClient> {
  if (config.fortnoxAuth === 'client_credentials') {
    const tenantId = config.fortnoxTenantId || (await connectedTenant(db));
    return createFortnoxClient({ ...fortnoxAddress(config), tenantId });
  }
  const store = await createSecretStore({ projectId, secret: refreshTokenSecret });
  const lock = createTokenLock(db, now);
  return createFortnoxClient({
    ...fortnoxAddress(config),
    tenantId: config.fortnoxTenantId,
    tokens: (http) => rotatingRefreshToken(http, { store, lock, log: cloudLog }),
  });
}

async function createConsent(config: Config, db: Firestore, projectId: string): Promise<FortnoxConsent> {
  const service = config.fortnoxAuth === 'client_credentials';
  const redirectUri = config.fortnoxRedirectUri || `https://${region}-${projectId}.cloudfunctions.net/fortnoxCallback`;
  const how = { ...fortnoxAddress(config), redirectUri, service, scopes: scopesFor(config.voucherGrouping) };
  if (service) return createFortnoxConsent(how);
  const store = await createSecretStore({ projectId, secret: refreshTokenSecret });
  return createFortnoxConsent({ ...how, keep: keepRefreshToken(store, createTokenLock(db, now)) });
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
