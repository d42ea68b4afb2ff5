import type Stripe from 'stripe';
import type { Caller } from '../platform/auth.ts';
import type { Context } from '../platform/context.ts';
import { Refusal } from '../platform/errors.ts';
import { askStripe } from './ask-stripe.service.ts';
import { readCoach } from './coaches.service.ts';
import { ensureAccount, isoTime, refuseClosed, type CoachProfile } from './onboarding.service.ts';

export interface AccountSessionReply {
  /** For Stripe's Connect.js. Fetched anew each time and never stored. */
  clientSecret: string;
  /** ISO 8601, UTC. */
  expiresAt: string;
  publishableKey: string;
}

/** Stripe's pages inside ours. Payouts are the platform's to make, so the component shows them and makes none. */
const components: Stripe.AccountSessionCreateParams.Components = {
  account_onboarding: { enabled: true, features: { external_account_collection: true } },
  account_management: { enabled: true, features: { external_account_collection: true } },
  notification_banner: { enabled: true, features: { external_account_collection: true } },
  payouts: {
    enabled: true,
    features: {
      edit_payout_schedule: false,
      external_account_collection: true,
      instant_payouts: false,
      standard_payouts: false,
    },
  },
};

/** Onboarding embedded in our own page, beside the link; makes the account if there is none. */
export async function createAccountSession(
  ctx: Context,
  caller: Caller,
  profile: CoachProfile,
): Promise<{ reply: AccountSessionReply; created: string[] }> {
  const { stripeAccountId, created } = await ensureAccount(ctx, caller, profile);
  const session = await askStripe(ctx, caller.uid, (stripe) =>
    stripe.accountSessions.create({ account: stripeAccountId, components }),
  );
  const { client_secret: clientSecret, expires_at: expires } = session;
  return {
    reply: { clientSecret, expiresAt: isoTime(expires), publishableKey: ctx.config.stripePublishableKey },
    created,
  };
}

/** Into Stripe's Express dashboard; for a coach who has finished onboarding. The link works once, for minutes. */
export async function createLoginLink(ctx: Context, coachId: string): Promise<{ url: string }> {
  const coach = await readCoach(ctx, coachId);
  const account = coach?.stripeAccountId;
  if (coach) refuseClosed(coach);
  if (!account || coach.detailsSubmitted !== true) {
    throw new Refusal(
      'failed-precondition',
      'onboarding-unfinished',
      'Finish onboarding with Stripe first; then you can open your Stripe page.',
    );
  }
  if (coach.accountAsked?.direct) {
    throw new Refusal(
      'failed-precondition',
      'own-dashboard',
      'Your account has Stripe’s full dashboard: sign in at Stripe with your own login.',
    );
  }
  const { url } = await askStripe(ctx, coachId, (stripe) => stripe.accounts.createLoginLink(account));
  return { url };
}
