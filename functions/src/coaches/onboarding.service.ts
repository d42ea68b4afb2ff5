import { Timestamp } from 'firebase-admin/firestore';
import type Stripe from 'stripe';
import type { Caller } from '../platform/auth.ts';
import type { Context } from '../platform/context.ts';
import { Refusal } from '../platform/errors.ts';
import { classifyStripeError, keyStillKept } from '../platform/stripe.ts';
import { accountFacts, withAccount } from './account.ts';
import { requireAllowedAddress } from './addresses.ts';
import { needsOnboarding, newCoach, type AccountStatus, type Coach } from './coaches.ts';
import * as logs from './coaches.logs.ts';
import { accountPath, readCoach, refreshIfPossible } from './coaches.service.ts';
import * as store from './coaches.store.ts';
import { defaultTerms, type Terms } from './terms.ts';

export interface OnboardingInput {
  returnUrl: string;
  refreshUrl: string;
}

export interface OnboardingReply {
  stripeAccountId: string;
  /** Stripe's page; single use, open for minutes. */
  onboardingUrl: string;
  /** ISO 8601, UTC. */
  expiresAt: string;
}

/**
 * Makes the coach's one Stripe account if there is none, and a fresh link to Stripe's pages. `created` names the paths
 * that events may be parked for.
 */
export async function startOnboarding(
  ctx: Context,
  caller: Caller,
  input: OnboardingInput,
): Promise<{ reply: OnboardingReply; created: string[] }> {
  const returnUrl = requireAllowedAddress('returnUrl', input.returnUrl, ctx.config.allowedOrigins);
  const refreshUrl = requireAllowedAddress('refreshUrl', input.refreshUrl, ctx.config.allowedOrigins);
  const asked = await writeIntent(ctx, caller);
  refuseClosed(asked);
  const made = asked.stripeAccountId === undefined;
  const stripeAccountId = asked.stripeAccountId ?? (await makeAccount(ctx, caller.uid, asked));
  const link = await askStripe(ctx, caller.uid, (stripe) =>
    stripe.accountLinks.create({
      account: stripeAccountId,
      type: 'account_onboarding',
      return_url: returnUrl,
      refresh_url: refreshUrl,
      collection_options: { fields: 'eventually_due' },
    }),
  );
  return {
    reply: { stripeAccountId, onboardingUrl: link.url, expiresAt: new Date(link.expires_at * 1000).toISOString() },
    created: made ? [accountPath(stripeAccountId)] : [],
  };
}

function refuseClosed(coach: Coach): void {
  if (coach.accountStatus !== 'rejected' && coach.accountStatus !== 'deauthorized') return;
  throw new Refusal(
    'failed-precondition',
    `account-${coach.accountStatus}`,
    coach.accountStatus === 'rejected'
      ? 'Stripe has closed this account. Contact support.'
      : 'The Stripe account was disconnected from us. Contact support to connect it again.',
  );
}

/** The coach's document, and in it that we are about to ask for an account and with what: a retry asks exactly the same. */
function writeIntent(ctx: Context, caller: Caller): Promise<Coach> {
  return ctx.db.runTransaction(async (tx) => {
    const at = Timestamp.fromDate(ctx.clock.now());
    const known = (await store.readVersioned(ctx.db, caller.uid, tx))?.coach;
    if (known?.stripeAccountId || known?.accountAsked) return known;
    const asked = { at, email: caller.email ?? null };
    if (known) {
      const next: Coach = { ...known, accountAsked: asked, updatedAt: at };
      store.writeCoach(ctx.db, tx, caller.uid, next);
      return next;
    }
    const coach: Coach = { ...newCoach(ctx.config, at), accountAsked: asked };
    store.createCoach(ctx.db, tx, caller.uid, coach);
    logs.coachCreated(ctx.log, caller.uid);
    return coach;
  });
}

async function makeAccount(ctx: Context, coachId: string, coach: Coach): Promise<string> {
  const account = await findOrCreate(ctx, coachId, coach);
  return saveAccount(ctx, coachId, account);
}

/** Within the key's life Stripe itself gives every asker the same account. Past it, look first, then start a new life. */
async function findOrCreate(ctx: Context, coachId: string, coach: Coach): Promise<Stripe.Account> {
  const asked = coach.accountAsked;
  if (!asked) throw new Error(`coaches/${coachId}: an account was to be asked for before the intent was written.`);
  logs.accountAsked(ctx.log, coachId, asked.at.toMillis() !== coach.updatedAt.toMillis());
  if (keyStillKept(asked.at.toDate(), ctx.clock.now())) return createAccount(ctx, coachId, asked.email);
  const found = await findAccount(ctx, coachId, asked.at);
  if (found) return found;
  // Two who both found none both ask under one key, so still one account is made.
  const renewed = await renewIntent(ctx, coachId, asked.at);
  return createAccount(ctx, coachId, renewed);
}

/** Starts the key's life anew, unless somebody else just did; gives the e-mail address to ask with. */
function renewIntent(ctx: Context, coachId: string, before: Timestamp): Promise<string | null> {
  return ctx.db.runTransaction(async (tx) => {
    const coach = (await store.readVersioned(ctx.db, coachId, tx))?.coach;
    if (!coach?.accountAsked) throw new Error(`coaches/${coachId} lost what Stripe was asked with.`);
    if (coach.accountAsked.at.toMillis() !== before.toMillis()) return coach.accountAsked.email;
    const at = Timestamp.fromDate(ctx.clock.now());
    const next: Coach = { ...coach, accountAsked: { ...coach.accountAsked, at }, updatedAt: at };
    store.writeCoach(ctx.db, tx, coachId, next);
    return coach.accountAsked.email;
  });
}

/**
 * Whether Stripe lets a Swedish account receive transfers without taking cards is not certain. It is asked for without
 * first; only if that is definitely refused, and for that reason, with cards under a key of its own.
 */
function createAccount(ctx: Context, coachId: string, email: string | null): Promise<Stripe.Account> {
  const wanted = accountParams(coachId, email);
  return askStripe(ctx, coachId, async (stripe) => {
    try {
      return await stripe.accounts.create(wanted, { idempotencyKey: `account:${coachId}` });
    } catch (error) {
      if (!isCapabilityRefusal(error)) throw error;
      const capabilities = { ...wanted.capabilities, card_payments: { requested: true } };
      return stripe.accounts.create(
        { ...wanted, capabilities },
        { idempotencyKey: `account:${coachId}:with-card-payments` },
      );
    }
  });
}

const accountParams = (coachId: string, email: string | null): Stripe.AccountCreateParams => ({
  country: 'SE',
  ...(email ? { email } : {}),
  controller: {
    fees: { payer: 'application' },
    losses: { payments: 'application' },
    stripe_dashboard: { type: 'express' },
    requirement_collection: 'stripe',
  },
  capabilities: { transfers: { requested: true } },
  settings: { payouts: { schedule: { interval: 'manual' } } },
  metadata: { uid: coachId },
});

function isCapabilityRefusal(error: unknown): boolean {
  const param = typeof error === 'object' && error !== null && 'param' in error ? error.param : undefined;
  return classifyStripeError(error).kind === 'refused' && typeof param === 'string' && param.startsWith('capabilities');
}

/** Stripe's clock and ours need not agree. */
const clockSkewSeconds = 3600;

async function findAccount(ctx: Context, coachId: string, asked: Timestamp): Promise<Stripe.Account | undefined> {
  return askStripe(ctx, coachId, async (stripe) => {
    for await (const account of stripe.accounts.list({
      limit: 100,
      created: { gte: asked.seconds - clockSkewSeconds },
    })) {
      if (account.metadata?.uid === coachId) return account;
    }
    return undefined;
  });
}

function saveAccount(ctx: Context, coachId: string, account: Stripe.Account): Promise<string> {
  return ctx.db.runTransaction(async (tx) => {
    const coach = (await store.readVersioned(ctx.db, coachId, tx))?.coach;
    if (!coach) throw new Error(`coaches/${coachId} disappeared while its account was made.`);
    // Another call or an event was faster, and may know the account in a newer state.
    if (coach.stripeAccountId) return coach.stripeAccountId;
    const next = withAccount(coach, accountFacts(account), Timestamp.fromDate(ctx.clock.now()));
    store.writeCoach(ctx.db, tx, coachId, next);
    logs.accountSaved(ctx.log, coachId, account.id, next.accountStatus);
    return account.id;
  });
}

/** Stripe's failures in words for the coach. All of them may be tried again: the same call goes under the same key. */
async function askStripe<T>(
  ctx: Context,
  coachId: string,
  ask: (stripe: Awaited<ReturnType<Context['stripe']>>) => Promise<T>,
): Promise<T> {
  const stripe = await ctx.stripe();
  try {
    return await ask(stripe);
  } catch (error) {
    const failure = classifyStripeError(error);
    if (failure.kind === 'refused') {
      logs.accountRefused(ctx.log, coachId, failure.code, failure.message);
      throw new Refusal(
        'failed-precondition',
        'stripe-refused',
        'Stripe did not accept this. Contact support if it stays so.',
        { code: failure.code },
      );
    }
    logs.accountUnclear(ctx.log, coachId, failure.code, failure.message);
    throw new Refusal('unavailable', 'stripe-unavailable', 'Stripe did not answer in time. Try again in a moment.');
  }
}

export interface CoachStatusReply {
  stripeAccountId: string | null;
  accountStatus: AccountStatus;
  acceptsPayments: boolean;
  chargesEnabled: boolean;
  payoutsEnabled: boolean;
  requirementsDue: string[];
  needsOnboarding: boolean;
  currency: string;
  terms: Terms;
}

/** Where the coach stands. An account not active yet is fetched from Stripe: a coach coming back from its pages sees the truth. */
export async function coachStatus(ctx: Context, coachId: string): Promise<CoachStatusReply> {
  const stored = await readCoach(ctx, coachId);
  const settled = stored?.accountStatus === 'active' || stored?.accountStatus === 'deauthorized';
  const coach = stored && !settled ? await refreshIfPossible(ctx, coachId, stored) : stored;
  return {
    stripeAccountId: coach?.stripeAccountId ?? null,
    accountStatus: coach?.accountStatus ?? 'none',
    acceptsPayments: coach?.acceptsPayments ?? false,
    chargesEnabled: coach?.chargesEnabled ?? false,
    payoutsEnabled: coach?.payoutsEnabled ?? false,
    requirementsDue: coach?.requirementsDue ?? [],
    needsOnboarding: needsOnboarding(coach),
    currency: coach?.currency ?? ctx.config.currency,
    terms: coach?.terms ?? defaultTerms(ctx.config),
  };
}
