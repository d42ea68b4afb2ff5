import type { Timestamp } from 'firebase-admin/firestore';
import { Timestamp as At } from 'firebase-admin/firestore';
import Stripe from 'stripe';
import type { Fault } from '../../../../emulators/stripe/core/faults.ts';
import {
  completeOnboarding,
  createInProcessHttpClient,
  createStripeCore,
  type OnboardingForm,
  type StripeCore,
  type Switches,
} from '../../../../emulators/stripe/index.ts';
import { registerEndpoint } from '../../../../emulators/stripe/resources/events-api.ts';
import { newCoach, type Coach } from '../../coaches/coaches.ts';
import { refreshAccount } from '../../coaches/coaches.service.ts';
import type { ProductKind } from '../../payments/products.ts';
import type { Context } from '../../platform/context.ts';
import { silentLog } from '../../platform/log.ts';
import type { TaskName, TaskPayloads } from '../../platform/tasks.ts';
import { dispatchTable } from '../../webhooks/dispatch.ts';
import { createTestFirestore } from '../firestore.ts';
import { testConfig } from '../world.ts';
import { Scheduler } from './scheduler.ts';
import { withoutBooks } from '../without-books.ts';

/** A task in its queue. Delivered at least once; a repeated id is dropped, as Cloud Tasks does. */
export interface Queued {
  name: TaskName;
  id: string;
  payload: TaskPayloads[TaskName];
  /** Deliveries that failed so far. */
  failed: number;
}

/**
 * A marketplace in one process: Firestore's twin, the Stripe emulator's core behind the real SDK, tasks in a list, one
 * clock, and a scheduler at every await. The same seed plays the same weeks.
 */
export interface Stage {
  ctx: Context;
  /** The real SDK; calls made outside a process are the test's own and neither stopped nor struck by faults. */
  stripe: Stripe;
  core: StripeCore;
  scheduler: Scheduler;
  queue: Queued[];
  now(): Date;
  /** Lets time pass; what falls due at Stripe happens, in order. */
  advanceTo(at: Date): void;
  /** While above zero, a process's request to Stripe meets a fault with this probability. */
  trouble: number;
  /** Counts what happened. */
  count(what: string): void;
  all<T>(collection: string): Promise<T[]>;
}

export interface StageOptions {
  start: Date;
  seed: number;
  random: () => number;
  count: (what: string) => void;
  switches?: Partial<Switches>;
}

const changing = ['timeout_before', 'timeout_after_success', 'hang_after_success', 'error_500_before'] as const;
const struck: readonly Fault['kind'][] = [...changing, 'error_500_after', 'rate_limit'];
const reading: readonly Fault['kind'][] = ['timeout_before', 'error_500_before', 'rate_limit'];
/** How many steps of others an answer that hangs takes. */
const hangs = 6;

export function openStage({ start, seed, random, count, switches }: StageOptions): Stage {
  let now = Math.floor(start.getTime() / 1000);
  const clock = () => new Date(now * 1000);
  const core = createStripeCore({ clock: () => now, seed, ...(switches ? { switches } : {}) });
  const advanceTo = (at: Date) => {
    now = Math.max(now, Math.floor(at.getTime() / 1000));
    core.tick();
  };
  // Between two steps now and then some seconds pass: what one process has read is old when it goes on.
  const between = () => {
    if (random() < 0.03) advanceTo(new Date((now + 1 + Math.floor(random() * 20)) * 1000));
  };
  const scheduler = new Scheduler({ random, between });
  const strike = (method: string, path: string) => {
    if (stage.trouble === 0 || !scheduler.inProcess) return;
    const isPost = method === 'POST';
    const often = !isPost ? 0.25 : path.startsWith('/v1/payouts') ? 5 : 1;
    if (random() >= stage.trouble * often) return;
    const kinds = isPost ? struck : reading;
    const kind = kinds[Math.floor(random() * kinds.length)] ?? 'rate_limit';
    count(`stripe: ${kind}`);
    if (isPost) count(`stripe: POST ${path.split('/')[2] ?? path}`);
    core.world.faults = [{ id: 'fault', kind, method, path, account: null, eventType: null, times: 1, delayMs: 1 }];
  };
  const httpClient = createInProcessHttpClient(core, {
    async pause(moment, { method, path }) {
      const where = path.split('?')[0] ?? path;
      await scheduler.pause(`${moment} ${method} ${where.split('/')[2] ?? where}`);
      if (moment === 'before') strike(method, where);
    },
    async wait() {
      for (let step = 0; step < hangs; step++) await scheduler.pause('an answer that hangs');
    },
  });
  const stripe = new Stripe('sk_test_weeks', { httpClient, maxNetworkRetries: 0 });
  const db = createTestFirestore({
    now: clock,
    random,
    onAwait: (operation) => scheduler.pause(operation),
    onReply: (operation) => (operation.endsWith('commit') ? scheduler.pause(`after ${operation}`) : undefined),
  });
  const queue: Queued[] = [];
  const taken = new Set<string>();
  for (const connect of [false, true]) {
    const url = `http://127.0.0.1/${connect ? 'connect' : 'platform'}`;
    registerEndpoint(core.world, { url, connect, enabledEvents: Object.keys(dispatchTable) });
  }
  const stage: Stage = {
    ctx: {
      config: { ...testConfig, stripeApiBase: '', fortnoxApiBase: '' },
      clock: { now: clock },
      db,
      stripe: async () => stripe,
      ...withoutBooks(),
      tasks: {
        async enqueue(name, id, payload) {
          await scheduler.pause('enqueue');
          if (taken.has(`${name}/${id}`)) return;
          taken.add(`${name}/${id}`);
          queue.push({ name, id, payload, failed: 0 });
        },
      },
      log: silentLog,
    },
    stripe,
    core,
    scheduler,
    queue,
    now: clock,
    advanceTo,
    trouble: 0,
    count,
    all: async <T>(collection: string) => (await db.collection(collection).get()).docs.map((doc) => doc.data() as T),
  };
  return stage;
}

const form: OnboardingForm = {
  firstName: 'Karin',
  lastName: 'Coach',
  email: 'karin@example.se',
  phone: '+46701234567',
  birthDate: '1985-04-12',
  street: 'Storgatan 1',
  postalCode: '111 22',
  city: 'Stockholm',
  iban: 'SE3550000000054910000003',
};

export interface CoachLike {
  terms?: Partial<Coach['terms']>;
  payoutSettings?: Partial<Coach['payoutSettings']>;
  vatNumber?: string;
}

/** Brings a coach onto the stage who has been through onboarding; with `direct` terms a tenant, who takes cards. */
export async function bringCoach(
  stage: Stage,
  coachId: string,
  { terms, payoutSettings, vatNumber }: CoachLike = {},
): Promise<string> {
  const { ctx, stripe, core } = stage;
  const direct = terms?.chargeModel === 'direct';
  const { id } = await stripe.accounts.create({
    country: 'SE',
    controller: {
      fees: { payer: 'application' },
      losses: { payments: 'application' },
      stripe_dashboard: { type: direct ? 'full' : 'express' },
      requirement_collection: 'stripe',
    },
    capabilities: { transfers: { requested: true }, ...(direct ? { card_payments: { requested: true } } : {}) },
    settings: { payouts: { schedule: { interval: 'manual' } } },
    metadata: { uid: coachId },
  });
  completeOnboarding(core.world, id, form);
  const at: Timestamp = At.fromDate(stage.now());
  const coach = newCoach(ctx.config, at);
  await ctx.db.doc(`coaches/${coachId}`).set({
    ...coach,
    stripeAccountId: id,
    terms: { ...coach.terms, ...terms },
    payoutSettings: { ...coach.payoutSettings, ...payoutSettings },
    ...(vatNumber === undefined ? {} : { vatNumber }),
  } satisfies Coach);
  await refreshAccount(ctx, id);
  return id;
}

export interface Offer {
  id: string;
  coachId?: string;
  amountMinor: number;
  kind?: ProductKind;
}

export async function offer(stage: Stage, { id, coachId, amountMinor, kind = 'good' }: Offer): Promise<void> {
  const product = { kind, currency: 'SEK', vatRate: 25, active: true, name: id, amountMinor };
  await stage.ctx.db.doc(`products/${id}`).set({ ...product, ...(coachId ? { coachId } : {}) });
}
