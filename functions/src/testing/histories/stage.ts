import { Timestamp } from 'firebase-admin/firestore';
import Stripe from 'stripe';
import {
  completeOnboarding,
  createInProcessHttpClient,
  createStripeCore,
  type StripeCore,
  type Switches,
} from '../../../../emulators/stripe/index.ts';
import { newCoach } from '../../coaches/coaches.ts';
import type { ChargeModel, Terms } from '../../coaches/terms.ts';
import type { Caller } from '../../platform/auth.ts';
import { budgeted } from '../../platform/call-budget.ts';
import type { Context } from '../../platform/context.ts';
import { silentLog } from '../../platform/log.ts';
import { minor } from '../../platform/money.ts';
import { createTestFirestore } from '../firestore.ts';
import { pick, type Random } from '../random.ts';
import { testConfig } from '../world.ts';
import { withoutBooks } from '../without-books.ts';

/** The shop of one history: the whole product on Stripe's core, with no network and no clock but its own. */
export interface Stage {
  ctx: Context;
  stripe: Stripe;
  core: StripeCore;
  /** Connected accounts by coach: one of each charge model. */
  accounts: Record<string, string>;
  now(): Date;
  advance(ms: number): void;
  all<T>(collection: string): Promise<T[]>;
  /** The process dies at the database operation after so many more; nothing it does from then on has an effect. */
  dieAfter(operations: number): void;
  /** Started again. Tells whether it had died. */
  revive(): boolean;
}

export const anna: Caller = { uid: 'anna', email: 'anna@example.se', coach: false, admin: true };
export const customers: Caller[] = ['lisa', 'eva', 'olle'].map((uid) => ({
  uid,
  email: `${uid}@example.se`,
  name: `${uid} Kund`,
  coach: false,
  admin: false,
}));

const coaches: Record<string, ChargeModel> = { karin: 'destination', sara: 'separate', store: 'direct' };

const sold = { currency: 'SEK', vatRate: 25, active: true };
const monthly = { ...sold, kind: 'subscription', interval: 'month' };
export const products: Record<string, { amountMinor: number; coachId?: string } & Record<string, unknown>> = {
  mat: { ...sold, kind: 'good', name: 'Mat', amountMinor: 39_900, stock: 100 },
  course: { ...sold, kind: 'programme', name: 'Course', amountMinor: 9_900, accessWeeks: 4 },
  programme: { ...sold, kind: 'programme', name: 'Programme', amountMinor: 49_900, accessWeeks: 4, coachId: 'karin' },
  book: { ...sold, kind: 'good', name: 'Book', amountMinor: 12_345, vatRate: 6, coachId: 'karin' },
  talk: { ...sold, kind: 'good', name: 'Talk', amountMinor: 33_333, coachId: 'sara' },
  bundle: { ...sold, kind: 'bundle', name: 'Three sessions', amountMinor: 100_000, credits: 3, coachId: 'sara' },
  tent: { ...sold, kind: 'good', name: 'Tent', amountMinor: 25_001, coachId: 'store' },
  premium: { ...monthly, name: 'Premium', amountMinor: 9_900 },
  plus: { ...monthly, name: 'Plus', amountMinor: 19_900 },
  trial: { ...monthly, name: 'Trial', amountMinor: 9_900, trialDays: 14 },
  coaching: { ...monthly, name: 'Coaching', amountMinor: 49_999, coachId: 'karin' },
  sessions: { ...monthly, name: 'Two a month', amountMinor: 99_900, coachId: 'sara', credits: 2 },
  club: { ...monthly, name: 'Club', amountMinor: 15_000, coachId: 'store' },
};

/** What a coach types on Stripe's page. */
const form = {
  firstName: 'Karin',
  lastName: 'Coach',
  email: 'karin@example.se',
  phone: '+46701234567',
  birthDate: '1985-04-12',
  street: 'Storgatan 1',
  postalCode: '11122',
  city: 'Stockholm',
  iban: 'SE3550000000054910000003',
};

const begins = Date.UTC(2026, 10, 2, 9);

/** Opened by lot: another fee each time, disputes at once or later, debits that SEK has nowhere but here. */
export async function openStage(random: Random): Promise<Stage> {
  let nowMs = begins;
  const switches: Partial<Switches> = {
    deliveries: 'manual',
    debitsInSek: true,
    disputeAfterSeconds: pick(random, [0, 3_600, 3 * 86_400, 12 * 86_400]),
    chargeBalanceTransactionDelaySeconds: pick(random, [0, 0, 0, 5]),
    subscriptionAfterRetries: pick(random, ['cancel', 'unpaid', 'past_due']),
  };
  const core = createStripeCore({ clock: () => nowMs / 1000, seed: 1 + Math.floor(random() * 1e9), switches });
  const stripe = new Stripe('sk_test_histories', {
    // The emulators' own copy of the package has types of its own.
    httpClient: budgeted(createInProcessHttpClient(core) as ReturnType<typeof Stripe.createNodeHttpClient>),
    telemetry: false,
    maxNetworkRetries: 0,
  });
  const now = () => new Date(nowMs);
  let left = Infinity;
  const live = () => {
    if (left <= 0) throw new Error('the process died here');
    left--;
  };
  const db = createTestFirestore({ now, random, onAwait: live });
  const ctx: Context = {
    config: { ...testConfig, stripeApiBase: core.world.publicUrl, fortnoxApiBase: '' },
    clock: { now },
    db,
    stripe: async () => stripe,
    ...withoutBooks(),
    tasks: { enqueue: async () => undefined },
    log: silentLog,
  };
  const accounts: Stage['accounts'] = {};
  const terms = termsByLot(random);
  for (const [coachId, chargeModel] of Object.entries(coaches)) {
    accounts[coachId] = await onboard(stripe, core, chargeModel);
    const coach = newCoach(testConfig, Timestamp.fromDate(now()));
    await db.doc(`coaches/${coachId}`).set({
      ...coach,
      stripeAccountId: accounts[coachId],
      accountStatus: 'active',
      chargesEnabled: true,
      takesCards: chargeModel === 'direct',
      payoutsEnabled: true,
      acceptsPayments: true,
      terms: { ...coach.terms, ...terms, chargeModel },
    });
  }
  for (const [id, product] of Object.entries(products)) await db.doc(`products/${id}`).set(product);
  return {
    ctx,
    stripe,
    core,
    accounts,
    now,
    advance(ms) {
      nowMs += ms;
      core.tick();
    },
    dieAfter(operations) {
      left = operations;
    },
    revive() {
      const died = left <= 0;
      left = Infinity;
      return died;
    },
    all: async <T>(collection: string) => (await db.collection(collection).get()).docs.map((doc) => doc.data() as T),
  };
}

function termsByLot(random: Random): Partial<Terms> {
  return pick<Partial<Terms>>(random, [
    {},
    { feePercent: 17.35, feeRounding: 'minor' },
    { feePercent: 33.33, feeRounding: 'minor' },
    { feePercent: 2.5, feeRounding: 'minor', feeFixedMinor: minor(0) },
  ]);
}

async function onboard(stripe: Stripe, core: StripeCore, chargeModel: ChargeModel): Promise<string> {
  const direct = chargeModel === 'direct';
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
  });
  completeOnboarding(core.world, id, form);
  return id;
}
