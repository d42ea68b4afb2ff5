import { Timestamp } from 'firebase-admin/firestore';
import type Stripe from 'stripe';
import type { Caller } from '../platform/auth.ts';
import { requireAllowedAddress } from '../platform/addresses.ts';
import type { Context } from '../platform/context.ts';
import { Refusal } from '../platform/errors.ts';
import { classifyStripeError, keyStillKept } from '../platform/stripe.ts';
import { accountFacts, withAccount } from './account.ts';
import { newCoach, type AccountAsked, type BusinessProfile, type Coach } from './coaches.ts';
import * as logs from './coaches.logs.ts';
import { askStripe } from './ask-stripe.service.ts';
import { accountPath } from './coaches.service.ts';
import { requireCountry } from './countries.ts';
import * as store from './coaches.store.ts';

/** What a coach may tell before they see Stripe's form. Once Stripe was asked for the account, only its pages change it. */
export interface CoachProfile {
  /** ISO 3166; the platform's own country unless told. */
  country?: string | undefined;
  businessProfile?: BusinessProfile | undefined;
}

export interface OnboardingInput extends CoachProfile {
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
  const { stripeAccountId, created } = await ensureAccount(ctx, caller, input);
  const link = await askStripe(ctx, caller.uid, (stripe) =>
    stripe.accountLinks.create({
      account: stripeAccountId,
      type: 'account_onboarding',
      return_url: returnUrl,
      refresh_url: refreshUrl,
      collection_options: { fields: 'eventually_due' },
    }),
  );
  return { reply: { stripeAccountId, onboardingUrl: link.url, expiresAt: isoTime(link.expires_at) }, created };
}

/** Unix seconds as Stripe gives them -> ISO 8601, UTC. */
export const isoTime = (seconds: number): string => new Date(seconds * 1000).toISOString();

/** The coach's one Stripe account, made if there is none. Refused when Stripe or the coach has closed it. */
export async function ensureAccount(
  ctx: Context,
  caller: Caller,
  profile: CoachProfile,
): Promise<{ stripeAccountId: string; created: string[] }> {
  const asked = await writeIntent(ctx, caller, profile);
  refuseClosed(asked);
  if (asked.stripeAccountId !== undefined) return { stripeAccountId: asked.stripeAccountId, created: [] };
  const stripeAccountId = await makeAccount(ctx, caller.uid, asked);
  return { stripeAccountId, created: [accountPath(stripeAccountId)] };
}

export function refuseClosed(coach: Coach): void {
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
function writeIntent(ctx: Context, caller: Caller, profile: CoachProfile): Promise<Coach> {
  return ctx.db.runTransaction(async (tx) => {
    const at = Timestamp.fromDate(ctx.clock.now());
    const known = (await store.readVersioned(ctx.db, caller.uid, tx))?.coach;
    if (known?.stripeAccountId || known?.accountAsked) {
      requireSameCountry(known, profile);
      return known;
    }
    // An administrator may have written terms for a coach who had not come yet.
    const coach = known ?? newCoach(ctx.config, at);
    const country = requireCountry(profile.country, coach.currency);
    const asked: Coach = { ...coach, country, accountAsked: accountAsked(caller, coach, profile, at), updatedAt: at };
    if (known) store.writeCoach(ctx.db, tx, caller.uid, asked);
    else {
      store.createCoach(ctx.db, tx, caller.uid, asked);
      logs.coachCreated(ctx.log, caller.uid);
    }
    return asked;
  });
}

function accountAsked(caller: Caller, coach: Coach, profile: CoachProfile, at: Timestamp): AccountAsked {
  const { businessProfile } = profile;
  return {
    at,
    email: caller.email ?? null,
    ...(businessProfile ? { businessProfile } : {}),
    ...(coach.terms.chargeModel === 'direct' ? { direct: true } : {}),
  };
}

/** Stripe fixes an account's country when it is made. */
function requireSameCountry(coach: Coach, { country }: CoachProfile): void {
  if (country === undefined || country === coach.country) return;
  throw new Refusal(
    'failed-precondition',
    'country-fixed',
    `Your Stripe account is in ${coach.country}, which cannot be changed. Contact support if that is wrong.`,
    { country: coach.country },
  );
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
  if (keyStillKept(asked.at.toDate(), ctx.clock.now())) return createAccount(ctx, coachId, coach.country, asked);
  const found = await findAccount(ctx, coachId, asked.at);
  if (found) return found;
  // Two who both found none both ask under one key, so still one account is made.
  const renewed = await renewIntent(ctx, coachId, asked.at);
  return createAccount(ctx, coachId, coach.country, renewed);
}

/** Starts the key's life anew, unless somebody else just did; gives what to ask with. */
function renewIntent(ctx: Context, coachId: string, before: Timestamp): Promise<AccountAsked> {
  return ctx.db.runTransaction(async (tx) => {
    const coach = (await store.readVersioned(ctx.db, coachId, tx))?.coach;
    if (!coach?.accountAsked) throw new Error(`coaches/${coachId} lost what Stripe was asked with.`);
    if (coach.accountAsked.at.toMillis() !== before.toMillis()) return coach.accountAsked;
    const at = Timestamp.fromDate(ctx.clock.now());
    const asked: AccountAsked = { ...coach.accountAsked, at };
    store.writeCoach(ctx.db, tx, coachId, { ...coach, accountAsked: asked, updatedAt: at });
    return asked;
  });
}

/**
 * Whether Stripe lets a Swedish account receive transfers without taking cards is not certain. It is asked for without
 * first; only if that is definitely refused, and for that reason, with cards under a key of its own.
 */
function createAccount(ctx: Context, coachId: string, country: string, asked: AccountAsked): Promise<Stripe.Account> {
  const wanted = accountParams(coachId, country, asked);
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

function accountParams(coachId: string, country: string, asked: AccountAsked): Stripe.AccountCreateParams {
  const { email, businessProfile, direct } = asked;
  return {
    country,
    ...(email ? { email } : {}),
    ...(businessProfile ? { business_profile: stripeProfile(businessProfile) } : {}),
    controller: {
      fees: { payer: 'application' },
      losses: { payments: 'application' },
      // Fixed for good when the account is made. A merchant of their own answers disputes in Stripe's full dashboard.
      stripe_dashboard: { type: direct ? 'full' : 'express' },
      requirement_collection: 'stripe',
    },
    capabilities: { transfers: { requested: true }, ...(direct ? { card_payments: { requested: true } } : {}) },
    settings: { payouts: { schedule: { interval: 'manual' } } },
    metadata: { uid: coachId },
  };
}

const stripeProfile = ({ name, url, description }: BusinessProfile): Stripe.AccountCreateParams.BusinessProfile => ({
  ...(name ? { name } : {}),
  ...(url ? { url } : {}),
  ...(description ? { product_description: description } : {}),
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
