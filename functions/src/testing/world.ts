import type { Firestore } from 'firebase-admin/firestore';
import Stripe from 'stripe';
import { startFortnoxEmulator, type FortnoxEmulator } from '../../../emulators/fortnox/index.ts';
import { startStripeEmulator, type StripeEmulator } from '../../../emulators/stripe/index.ts';
import { getJson, postJson } from '../../../scripts/story/http.ts';
import type { Config } from '../config.ts';
import { budgeted } from '../platform/call-budget.ts';
import type { Context } from '../platform/context.ts';
import type { MemoryFirestoreOptions } from '../platform/firestore/memory/memory-firestore.ts';
import { createFortnoxClient } from '../platform/fortnox/client.ts';
import { scopesFor } from '../platform/fortnox/connected.ts';
import { createFortnoxConsent } from '../platform/fortnox/consent.ts';
import { silentLog } from '../platform/log.ts';
import type { TaskName, TaskPayloads } from '../platform/tasks.ts';
import { receiveEvent, type Receipt } from '../webhooks/webhooks.service.ts';
import { createTestFirestore } from './firestore.ts';

export interface QueuedTask {
  name: TaskName;
  id: string;
  payload: TaskPayloads[TaskName];
}

/**
 * A context for service tests: Firestore's in-memory twin, the Stripe and Fortnox emulators in this process behind the
 * real clients, tasks kept in a list, and one clock over all of it.
 */
export interface TestWorld {
  ctx: Context;
  /** The real Stripe SDK on the emulator, for the test's own calls. */
  stripe: Stripe;
  stripeEmulator: StripeEmulator;
  fortnoxEmulator: FortnoxEmulator;
  /** Enqueued and not yet taken; a repeated id is dropped as Cloud Tasks does. */
  tasks: QueuedTask[];
  now(): Date;
  /** Moves the product's clock and both emulators'. */
  advance(milliseconds: number): Promise<void>;
  /** A control call: `control('stripe', 'faults', {...})`; without a body it reads. */
  control<T>(which: 'stripe' | 'fortnox', path: string, body?: unknown): Promise<T>;
  /** Gives every event that Stripe has made since the last call to the product, in order. */
  deliver(): Promise<{ event: Stripe.Event; receipt: Receipt }[]>;
  close(): Promise<void>;
}

export const testConfig: Omit<Config, 'stripeApiBase' | 'fortnoxApiBase'> = {
  stripePublishableKey: 'pk_test_inner_journey',
  fortnoxTokenBase: '',
  fortnoxRedirectUri: '',
  fortnoxTenantId: '100001',
  fortnoxAuth: 'client_credentials',
  platformFeePercent: 20,
  feeRounding: 'whole',
  stripeFeePercent: 1.5,
  stripeFeeFixedMinor: 180,
  currency: 'SEK',
  acceptedCurrencies: [],
  receipts: 'stripe',
  refundApprovalLimit: 500_000,
  orderLifetimeHours: 24,
  invoiceLifetimeDays: 30,
  accountingProfile: 'specification',
  voucherGrouping: 'transaction',
  stripeFeeVat: 'exempt',
  accountNumbers: {},
  lockedPeriod: 'hold',
  financialYearStart: '01-01',
  voucherSeries: 'S',
  clearingAccount: 1686,
  allowedOrigins: ['http://127.0.0.1:5000'],
  enforceAppCheck: false,
  bankChangeRestHours: 48,
  termsApprovalPercent: 10,
  platformName: 'Inner Journey AB',
  platformAddress: 'Storgatan 1, 111 22 Stockholm',
  platformVatNumber: 'SE556677889901',
  platformOrganisationNumber: '5566778899',
  platformBusinessName: 'Inner Journey',
  automaticTax: false,
  schedulerServiceAccount: '',
  disputeLoss: 'coach',
  sessionMinutes: 60,
  sessionPaymentMinutes: 30,
  sessionFreeCancelHours: 24,
  sessionLateCancelKeptPercent: 50,
  sessionAutoCompleteHours: 48,
  sessionRescheduleLimit: 3,
  platformReserveMinor: 0,
  writeOffApprovalLimit: 500_000,
};

const fortnoxAccess = {
  clientId: 'fortnox-emulator-client',
  clientSecret: 'fortnox-emulator-secret',
  tenantId: testConfig.fortnoxTenantId,
};

const stripeKey = 'sk_test_inner_journey';

export async function createTestWorld(
  options: { db?: Firestore; firestore?: MemoryFirestoreOptions } = {},
): Promise<TestWorld> {
  const [stripeEmulator, fortnoxEmulator] = await Promise.all([
    startStripeEmulator({ deliveries: 'manual' }),
    startFortnoxEmulator(),
  ]);
  let offset = 0;
  const now = () => new Date(Date.now() + offset);
  const base = { stripe: stripeEmulator.url, fortnox: fortnoxEmulator.url };
  const { hostname, port } = new URL(base.stripe);
  const httpClient = budgeted(Stripe.createNodeHttpClient());
  const local = { protocol: 'http', host: hostname, port, telemetry: false, timeout: 3_000 } as const;
  const stripe = new Stripe(stripeKey, { ...local, httpClient });
  const fortnox = createFortnoxClient({
    ...fortnoxAccess,
    apiBase: base.fortnox,
    now,
    timeoutMs: 3_000,
  });
  const tasks: QueuedTask[] = [];
  const taken = new Set<string>();
  const ctx: Context = {
    config: { ...testConfig, stripeApiBase: base.stripe, fortnoxApiBase: base.fortnox },
    clock: { now },
    db: options.db ?? createTestFirestore({ now, ...options.firestore }),
    stripe: async () => stripe,
    fortnox: async () => fortnox,
    fortnoxConsent: async () =>
      createFortnoxConsent({
        apiBase: base.fortnox,
        clientId: 'fortnox-emulator-client',
        clientSecret: 'fortnox-emulator-secret',
        redirectUri: 'http://127.0.0.1/fortnoxCallback',
        service: true,
        scopes: scopesFor('day'),
        now,
      }),
    tasks: {
      async enqueue(name, id, payload) {
        if (taken.has(`${name}/${id}`)) return;
        taken.add(`${name}/${id}`);
        tasks.push({ name, id, payload });
      },
    },
    log: silentLog,
  };
  const control = async <T>(which: 'stripe' | 'fortnox', path: string, body?: unknown): Promise<T> =>
    body === undefined
      ? getJson<T>(`${base[which]}/_emulator/${path}`)
      : postJson<T>(`${base[which]}/_emulator/${path}`, body);
  const seen = new Set<string>();
  return {
    ctx,
    stripe,
    stripeEmulator,
    fortnoxEmulator,
    tasks,
    now,
    control,
    async advance(milliseconds) {
      offset += milliseconds;
      const seconds = Math.ceil(milliseconds / 1000);
      await Promise.all([
        control('stripe', 'clock', { advanceSeconds: seconds }),
        control('fortnox', 'clock', { advanceSeconds: seconds }),
      ]);
    },
    async deliver() {
      const { data: events } = await control<{ data: Stripe.Event[] }>('stripe', 'events');
      const fresh = events.filter(({ id }) => !seen.has(id));
      const received: { event: Stripe.Event; receipt: Receipt }[] = [];
      for (const event of fresh) {
        seen.add(event.id);
        received.push({ event, receipt: await receiveEvent(ctx, event) });
      }
      return received;
    },
    async close() {
      await Promise.all([stripeEmulator.close(), fortnoxEmulator.close()]);
    },
  };
}

/** A process that knows nothing of Fortnox yet: what a client has read of its registers goes with it. */
export function forgetFortnox(world: TestWorld, given: { timeoutMs: number; sleep(ms: number): Promise<void> }): void {
  const fortnox = createFortnoxClient({
    ...fortnoxAccess,
    apiBase: world.fortnoxEmulator.url,
    now: () => world.now(),
    ...given,
  });
  world.ctx.fortnox = async () => fortnox;
}
