import type { Firestore } from 'firebase-admin/firestore';
import Stripe from 'stripe';
import { startFortnoxEmulator } from '../../../emulators/fortnox/index.ts';
import { startStripeEmulator } from '../../../emulators/stripe/index.ts';
import { completeOnboarding } from '../../../scripts/story/emulators.ts';
import { getJson, postJson, request } from '../../../scripts/story/http.ts';
import { ensurePerson, type Person } from '../../../scripts/story/people.ts';
import { idTokenOf } from './id-token.ts';
import { serveFunctions } from './function-server.ts';
import { startTaskServer, type TaskServer } from './task-server.ts';

/**
 * The whole product under test: the exported functions behind functions-framework, the real Firestore and Auth emulators
 * (npm test starts them), the Stripe and Fortnox emulators in this process, and a stand-in for Cloud Tasks. Each harness
 * has its own project, so that test files do not meet.
 */
export interface Harness {
  projectId: string;
  db: Firestore;
  stripe: Stripe;
  stripeUrl: string;
  fortnoxUrl: string;
  tasks: TaskServer;
  webhookSecrets: { platform: string; connect: string; thin: string };
  /** What the functions logged as warnings and errors. */
  logged: string[];
  urlOf(name: string): string;
  /** Makes the login and gives a fresh ID token. */
  login(person: Person): Promise<string>;
  /** Calls a callable; a refusal rejects with its body. */
  call<T>(name: string, data: unknown, token?: string): Promise<T>;
  fire(name: string, at: Date): Promise<void>;
  /** A control call to an emulator: `control('stripe', 'faults', {...})`. */
  control<T>(which: 'stripe' | 'fortnox', path: string, body?: unknown): Promise<T>;
  /** Waits until webhooks and tasks have come to rest. */
  settle(): Promise<void>;
  completeOnboarding: typeof completeOnboarding;
  /** Lets the coach fill in Stripe's page; the IBAN decides what becomes of payouts. */
  onboard(coach: Person, token: string, iban?: string): Promise<string>;
  close(): Promise<void>;
}

export interface HarnessOptions {
  /** `manual`: the Stripe emulator sends no webhooks; the test takes the events and sends them itself. */
  deliveries?: 'automatic' | 'manual';
}

const webhookSecrets = { platform: 'whsec_test_platform', connect: 'whsec_test_connect', thin: 'whsec_test_thin' };
const stripeKey = 'sk_test_inner_journey';

/** The functions log through the console; what matters of it is kept, nothing is printed. */
function captureLogs(): string[] {
  const lines: string[] = [];
  for (const level of ['debug', 'info', 'warn', 'error'] as const) {
    jest.spyOn(console, level).mockImplementation((...line: unknown[]) => {
      if (level === 'warn' || level === 'error') lines.push(String(line[0]));
    });
  }
  return lines;
}

/** A deploy writes every param's default into the function's environment; so does this. */
const deployedDefaults = {
  FORTNOX_REDIRECT_URI: '',
  FORTNOX_TOKEN_BASE: '',
  FORTNOX_AUTH: 'client_credentials',
  PLATFORM_FEE_PERCENT: '20',
  FEE_ROUNDING: 'whole',
  STRIPE_FEE_PERCENT: '1.5',
  STRIPE_FEE_FIXED_MINOR: '180',
  CURRENCY: 'sek',
  ACCEPTED_CURRENCIES: '',
  RECEIPTS: 'stripe',
  REFUND_APPROVAL_LIMIT: '500000',
  ORDER_LIFETIME_HOURS: '24',
  INVOICE_LIFETIME_DAYS: '30',
  ACCOUNTING_PROFILE: 'specification',
  VOUCHER_GROUPING: 'transaction',
  STRIPE_FEE_VAT: 'exempt',
  ACCOUNT_NUMBERS: '',
  LOCKED_PERIOD: 'hold',
  FINANCIAL_YEAR_START: '01-01',
  VOUCHER_SERIES: 'S',
  CLEARING_ACCOUNT: '1686',
  ENFORCE_APP_CHECK: 'false',
  BANK_CHANGE_REST_HOURS: '48',
  TERMS_APPROVAL_PERCENT: '10',
  PLATFORM_NAME: '',
  PLATFORM_ADDRESS: '',
  PLATFORM_VAT_NUMBER: '',
  PLATFORM_ORGANISATION_NUMBER: '',
  PLATFORM_BUSINESS_NAME: '',
  AUTOMATIC_TAX: 'false',
  SCHEDULER_SERVICE_ACCOUNT: '',
  DISPUTE_LOSS: 'coach',
  SESSION_MINUTES: '60',
  SESSION_PAYMENT_MINUTES: '30',
  SESSION_FREE_CANCEL_HOURS: '24',
  SESSION_LATE_CANCEL_KEPT_PERCENT: '50',
  SESSION_AUTO_COMPLETE_HOURS: '48',
  SESSION_RESCHEDULE_LIMIT: '3',
  PLATFORM_RESERVE_MINOR: '0',
  WRITE_OFF_APPROVAL_LIMIT: '500000',
};

export async function startHarness(options: HarnessOptions = {}): Promise<Harness> {
  const firestoreHost = process.env.FIRESTORE_EMULATOR_HOST;
  const authHost = process.env.FIREBASE_AUTH_EMULATOR_HOST;
  if (!firestoreHost || !authHost) {
    throw new Error(
      'Emulator tests need a Firestore and an Auth emulator. Run `npm test -- emulator`, which starts both.',
    );
  }
  const projectId = `demo-ij-${process.pid}-${Math.random().toString(36).slice(2, 8)}`;
  const [stripeEmulator, fortnoxEmulator] = await Promise.all([
    startStripeEmulator({ port: 0, deliveries: options.deliveries ?? 'automatic' }),
    startFortnoxEmulator(),
  ]);
  let urlOf: (name: string) => string = () => '';
  const tasks = await startTaskServer((queue) => urlOf(queue));
  Object.assign(process.env, {
    GCLOUD_PROJECT: projectId,
    FIREBASE_CONFIG: JSON.stringify({ projectId }),
    CLOUD_TASKS_EMULATOR_HOST: tasks.host,
    // Or the Admin SDK looks for a metadata server, for seconds, before every enqueue.
    METADATA_SERVER_DETECTION: 'none',
    STRIPE_SECRET_KEY: stripeKey,
    STRIPE_PUBLISHABLE_KEY: 'pk_test_inner_journey',
    STRIPE_WEBHOOK_SECRET: webhookSecrets.platform,
    STRIPE_CONNECT_WEBHOOK_SECRET: webhookSecrets.connect,
    STRIPE_THIN_WEBHOOK_SECRET: webhookSecrets.thin,
    STRIPE_WEBHOOK_SECRET_PREVIOUS: 'unset',
    STRIPE_CONNECT_WEBHOOK_SECRET_PREVIOUS: 'unset',
    STRIPE_THIN_WEBHOOK_SECRET_PREVIOUS: 'unset',
    STRIPE_API_BASE: stripeEmulator.url,
    FORTNOX_API_BASE: fortnoxEmulator.url,
    FORTNOX_CLIENT_ID: 'fortnox-emulator-client',
    FORTNOX_CLIENT_SECRET: 'fortnox-emulator-secret',
    FORTNOX_TENANT_ID: '100001',
    ALLOWED_ORIGINS: 'http://127.0.0.1:5000',
    ...deployedDefaults,
    // Receipts name their seller, and wait while there is none.
    PLATFORM_NAME: 'Inner Journey AB',
    PLATFORM_ADDRESS: 'Resegatan 1, 111 22 Stockholm',
    PLATFORM_VAT_NUMBER: 'SE556677889901',
    PLATFORM_ORGANISATION_NUMBER: '5566778899',
  });
  // Each harness loads the product anew: its context is made once a process, for one project.
  jest.resetModules();
  const logged = captureLogs();
  const functions = (await import('../index.ts')) as Record<string, unknown>;
  const servers = await serveFunctions(functions);
  urlOf = (name) => servers.urlOf(name);
  const { productionContext } = await import('../platform/context.ts');
  const ctx = await productionContext();
  const base = { stripe: stripeEmulator.url, fortnox: fortnoxEmulator.url };
  const control = async <T>(which: 'stripe' | 'fortnox', path: string, body?: unknown): Promise<T> =>
    body === undefined
      ? getJson<T>(`${base[which]}/_emulator/${path}`)
      : postJson<T>(`${base[which]}/_emulator/${path}`, body);
  for (const connect of [false, true]) {
    const secret = connect ? webhookSecrets.connect : webhookSecrets.platform;
    await control('stripe', 'webhook_endpoints', { url: urlOf('stripeWebhook'), secret, connect });
  }
  const stripeBase = new URL(stripeEmulator.url);
  const stripe = new Stripe(stripeKey, {
    protocol: 'http',
    host: stripeBase.hostname,
    port: stripeBase.port,
    telemetry: false,
  });
  const authUrl = `http://${authHost}`;

  const harness: Harness = {
    projectId,
    db: ctx.db,
    stripe,
    stripeUrl: stripeEmulator.url,
    fortnoxUrl: fortnoxEmulator.url,
    tasks,
    webhookSecrets,
    logged,
    urlOf,
    control,
    completeOnboarding,
    async login(person) {
      await ensurePerson(authUrl, projectId, person);
      return idTokenOf(projectId, person);
    },
    async call<T>(name: string, data: unknown, token?: string) {
      const headers = { 'Content-Type': 'application/json', ...(token ? { Authorization: `Bearer ${token}` } : {}) };
      const response = await fetch(urlOf(name), { method: 'POST', headers, body: JSON.stringify({ data }) });
      const body = (await response.json()) as { result?: T; error?: object };
      if (!response.ok || body.error)
        throw Object.assign(
          new Error(`${name} answered ${response.status}: ${JSON.stringify(body.error)}`),
          body.error,
        );
      return body.result as T;
    },
    async fire(name, at) {
      await request(urlOf(name), { method: 'POST', headers: { 'X-CloudScheduler-ScheduleTime': at.toISOString() } });
    },
    async settle() {
      for (let quiet = 0; quiet < 2; quiet++) {
        await control('stripe', 'settle', { timeoutMs: 60_000 });
        await tasks.settle();
      }
    },
    async onboard(coach, token, iban) {
      const addresses = { returnUrl: 'http://127.0.0.1:5000/return', refreshUrl: 'http://127.0.0.1:5000/refresh' };
      type Link = { stripeAccountId: string; onboardingUrl: string };
      const link = await harness.call<Link>('startCoachOnboarding', addresses, token);
      await completeOnboarding(link.onboardingUrl, iban);
      await harness.settle();
      const status = await harness.call<{ acceptsPayments: boolean }>('getCoachStatus', {}, token);
      if (!status.acceptsPayments) throw new Error(`The coach ${coach.uid} does not accept payments after onboarding.`);
      return link.stripeAccountId;
    },
    async close() {
      await servers.close();
      await Promise.all([stripeEmulator.close(), fortnoxEmulator.close(), tasks.close()]);
      await ctx.db.terminate();
    },
  };
  return harness;
}
